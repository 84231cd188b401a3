package templates

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/language"
)

//go:embed files
var builtIn embed.FS

// maxFile is the size of a template file in bytes. The longest built-in one has a tenth of it.
const maxFile = 16 << 10

// Load parses the built-in templates and, over them, those of dir; nil for none. A file of dir replaces the built-in one of
// the same name. The error joins one *Error for everything that is wrong; names that start with a dot are passed over.
func Load(dir fs.FS) (*Set, error) {
	texts, wrong := readBoth(dir)
	templates, errs := parsedOf(texts)
	if wrong = append(wrong, errs...); len(wrong) > 0 {
		slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(wrong...)
	}
	return newSet(templates), nil
}

// source is a file: its text and what came of parsing it.
type source struct {
	text   []byte
	parsed *Template
	wrong  []error
}

// parseBuiltIn reads and parses the built-in files. They never change, so once is enough.
var parseBuiltIn = sync.OnceValues(func() (map[string]source, []error) {
	files, err := fs.Sub(builtIn, "files")
	if err != nil {
		return nil, []error{fmt.Errorf("open built-in templates: %w", err)}
	}
	return readAll(files)
})

// readBoth reads the built-in files and those of dir over them.
func readBoth(dir fs.FS) (texts map[string]source, wrong []error) {
	texts, wrong = parseBuiltIn()
	if dir == nil || len(wrong) > 0 {
		return texts, wrong
	}
	texts = maps.Clone(texts)
	own, wrong := readAll(dir)
	for file, s := range own {
		if s.parsed != nil {
			s.parsed.Override = true
		}
		texts[file] = s
	}
	return texts, wrong
}

// parsedOf are the templates of files, without those that have errors, and the errors.
func parsedOf(texts map[string]source) (templates []*Template, wrong []error) {
	for _, s := range texts {
		if wrong = append(wrong, s.wrong...); len(s.wrong) == 0 {
			templates = append(templates, s.parsed)
		}
	}
	return templates, wrong
}

// readAll reads <milestone>/<file>. It asks for every entry by name instead of walking, because Kubernetes mounts the
// files of a ConfigMap as symbolic links.
func readAll(dir fs.FS) (texts map[string]source, wrong []error) {
	texts = map[string]source{}
	folders, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, []error{fmt.Errorf("read templates: %w", err)}
	}
	for _, folder := range folders {
		if strings.HasPrefix(folder.Name(), ".") {
			continue
		}
		wrong = append(wrong, readFolder(texts, dir, folder.Name())...)
	}
	return texts, wrong
}

func readFolder(texts map[string]source, dir fs.FS, folder string) (wrong []error) {
	info, err := fs.Stat(dir, folder)
	if err != nil {
		return []error{fmt.Errorf("read templates: %w", err)}
	}
	if !info.IsDir() {
		return []error{&Error{folder, 0, "not a template: want <milestone>/<locale>.txt"}}
	}
	entries, err := fs.ReadDir(dir, folder)
	if err != nil {
		return []error{fmt.Errorf("read templates: %w", err)}
	}
	for _, entry := range entries {
		name := path.Join(folder, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		text, err := readFile(dir, name)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		t, errs := parseFile(name, text)
		texts[name] = source{text, t, errs}
	}
	return wrong
}

func readFile(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	if info.IsDir() || path.Ext(name) != ".txt" {
		return nil, &Error{name, 0, "not a template: want <milestone>/<locale>.txt"}
	}
	if info.Size() > maxFile {
		return nil, &Error{name, 0, fmt.Sprintf("larger than %d bytes", maxFile)}
	}
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return text, nil
}

// parseFile reads a file: its name tells what it is for, its sections are the texts.
func parseFile(file string, text []byte) (*Template, []error) {
	t, err := parseName(file)
	if err != nil {
		return nil, []error{err}
	}
	if !utf8.Valid(text) {
		return nil, []error{&Error{file, 0, "not UTF-8"}}
	}
	sum := sha256.Sum256(text)
	t.Version = hex.EncodeToString(sum[:4])
	sections := map[string]*section{"sms": &t.sms, "title": &t.title, "body": &t.body}
	var wrong []error
	for _, p := range divide(string(text)) {
		s, known := sections[p.name]
		switch {
		case p.name == "" && strings.TrimSpace(p.text) == "":
		case p.name == "":
			wrong = append(wrong, &Error{file, p.line, "text before the first section: start with --- sms"})
		case !known:
			wrong = append(wrong, &Error{file, p.line - 1, fmt.Sprintf("unknown section %q: want sms, title or body", p.name)})
		case s.line > 0:
			wrong = append(wrong, &Error{file, p.line - 1, fmt.Sprintf("section %s comes twice", p.name)})
		default:
			s.line = p.line
			parsed, err := parseSection(file, p.text, p.line)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			*s = parsed
		}
	}
	for _, name := range [...]string{"sms", "title", "body"} {
		if sections[name].line == 0 {
			wrong = append(wrong, &Error{file, 0, fmt.Sprintf("section --- %s is missing", name)})
		}
	}
	return t, wrong
}

// parseName reads "delivered/es.txt" and "delivered/en.drive_away.txt".
func parseName(file string) (*Template, error) {
	milestone, name := path.Split(strings.TrimSuffix(file, ".txt"))
	milestone = strings.TrimSuffix(milestone, "/")
	if strings.Trim(milestone, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return nil, &Error{file, 0, fmt.Sprintf("%q is no name of a milestone", milestone)}
	}
	locale, line, _ := strings.Cut(name, ".")
	if line != "" && !slices.Contains(lines, line) {
		return nil, &Error{file, 0, fmt.Sprintf("unknown line of business %q%s", line, suggest(line, lines))}
	}
	tag, err := language.Parse(locale)
	if err != nil || tag == language.Und {
		return nil, &Error{file, 0, fmt.Sprintf("%q is no locale: want one like en or es-MX", locale)}
	}
	if tag.String() != locale {
		return nil, &Error{file, 0, fmt.Sprintf("the locale %q is written %q", locale, tag)}
	}
	base, _ := tag.Base()
	return &Template{Milestone: milestone, Line: line, Locale: locale, File: file, tag: tag, tongue: tongueOf(base.String())}, nil
}

// part is a section as it stands in the file.
type part struct {
	name string // empty for what comes before the first
	text string
	line int // of its first line of text
}

// divide cuts a file at its "--- name" lines.
func divide(text string) []part {
	parts := []part{{line: 1}}
	line := 0
	for l := range strings.Lines(text) {
		line++
		if name, ok := strings.CutPrefix(l, "---"); ok {
			parts = append(parts, part{name: strings.TrimSpace(name), line: line + 1})
			continue
		}
		parts[len(parts)-1].text += l
	}
	return parts
}
