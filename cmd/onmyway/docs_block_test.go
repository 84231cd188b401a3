package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// block is a fenced block of a document. What stands after the language steers the test and is not shown to readers:
//
//	not-run="why"              for a person only
//	exit="2"                   it ends with this code, not with 0
//	background until="regexp"  it goes on while the document does, and has started when it says this
//	learn="NAME=regexp"        with background: the variable NAME gets the URL that the group of the expression finds in its output
//	file="name"                not a command: the content of a file that later commands read
type block struct {
	line     int // of its first line in the document
	language string
	text     string
	notRun   string
	exit     string
	until    string
	learn    string
	file     string
}

// languages are those of blocks, and whether a block of one is commands.
var languages = map[string]bool{
	"sh": true, "console": true,
	"json": false, "ndjson": false, "yaml": false, "csv": false, "liquid": false, "text": false,
	"sql": false, "js": false, "html": false, "promql": false, "go": false, "http": false, "caddy": false, "ini": false,
}

var (
	fenceLine = regexp.MustCompile("^( *)```(.*)$")
	infoWord  = regexp.MustCompile(`^\s+([a-z-]+)(?:="([^"]*)")?`)
)

// readBlocks finds the fenced blocks of a document.
func readBlocks(text string) ([]block, error) {
	var all []block
	var open *block
	var indent string
	number := 0
	for line := range strings.Lines(text) {
		number++
		fence := fenceLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case open == nil && fence != nil:
			indent = fence[1]
			b, err := readInfo(fence[2])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			b.line = number + 1
			open = &b
		case open == nil:
		case fence != nil && fence[2] == "":
			all = append(all, *open)
			open = nil
		default:
			open.text += strings.TrimPrefix(line, indent)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block never ends", open.line-1)
	}
	return all, nil
}

// readInfo reads what stands behind the fence.
func readInfo(info string) (b block, err error) {
	b.language, info, _ = strings.Cut(info, " ")
	if _, known := languages[b.language]; !known {
		names := make([]string, 0, len(languages))
		for name := range languages {
			names = append(names, name)
		}
		slices.Sort(names)
		return b, fmt.Errorf("blocks of %q are not known here: use one of %s", b.language, strings.Join(names, ", "))
	}
	background := false
	for info = " " + info; strings.TrimSpace(info) != ""; {
		word := infoWord.FindStringSubmatch(info)
		if word == nil {
			return b, fmt.Errorf("%q can't be read: write name=\"value\"", strings.TrimSpace(info))
		}
		info = info[len(word[0]):]
		values := map[string]*string{"not-run": &b.notRun, "exit": &b.exit, "until": &b.until, "learn": &b.learn, "file": &b.file}
		switch v := values[word[1]]; {
		case word[1] == "background":
			background = true
		case v == nil:
			return b, fmt.Errorf("%q is no word that a block may carry", word[1])
		case word[2] == "":
			return b, fmt.Errorf("%s needs a reason or a value", word[1])
		default:
			*v = word[2]
		}
	}
	if background && b.until == "" {
		return b, fmt.Errorf("background needs until=")
	}
	return b, nil
}

// runs reports whether the block is commands that can be run here.
func (b *block) runs() bool { return languages[b.language] && b.notRun == "" }

func (b *block) String() string {
	s := fmt.Sprintf("%s %d %q", b.language, b.line, b.text)
	for _, w := range [][2]string{{" not run: ", b.notRun}, {" exit ", b.exit}, {" until ", b.until}, {" file ", b.file}} {
		if w[1] != "" {
			s += w[0] + w[1]
		}
	}
	return s
}

// commands are what a person types. In a console block it follows "$ ", and the rest is what the program answers.
func (b *block) commands() (typed string, answer []string) {
	if b.language != "console" {
		return b.text, nil
	}
	for line := range strings.Lines(b.text) {
		switch {
		case strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "> "):
			typed += line[2:]
		case strings.TrimSpace(line) != "":
			answer = append(answer, strings.TrimRight(line, "\n"))
		}
	}
	return typed, answer
}

// missingLine is the first line of want that have does not show after those before it; "…" stands for anything. It is
// empty when all are there.
func missingLine(want []string, have string) string {
	for _, line := range want {
		if strings.TrimSpace(line) == "…" {
			continue
		}
		parts := strings.Fields(regexp.QuoteMeta(line))
		pattern := `(?m)^\s*` + strings.ReplaceAll(strings.Join(parts, `\s+`), "…", ".*") + `\s*$`
		at := regexp.MustCompile(pattern).FindStringIndex(have)
		if at == nil {
			return line
		}
		have = have[at[1]:]
	}
	return ""
}
