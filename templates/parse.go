package templates

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// section is one of the three texts of a file, parsed.
type section struct {
	line  int // on which it starts
	nodes []node
}

// node is a piece of a text: words, a value, or a choice.
type node struct {
	text     string
	field    *field
	branches []branch
}

// branch is one way of a choice.
type branch struct {
	when  condition
	nodes []node
}

// maxNesting is how deep a choice may stand in another.
const maxNesting = 8

// parser reads one section.
type parser struct {
	file string
	line int    // of rest
	rest string // what is not read yet
}

// parseSection reads the text of a section that starts on a line. Errors are *Error.
func parseSection(file, text string, line int) (section, error) {
	p := parser{file: file, line: line, rest: strings.TrimRight(text, " \t\r\n")}
	if p.rest == "" {
		return section{}, p.errorAt(line, "the section is empty")
	}
	nodes, end, err := p.nodes(0)
	if err != nil {
		return section{}, err
	}
	if end.kind != tokenEnd {
		return section{}, p.errorAt(end.line, "{%% %s %%} without an opening tag", end.text)
	}
	return section{line, nodes}, nil
}

func (p *parser) errorAt(line int, format string, args ...any) error {
	return &Error{p.file, line, fmt.Sprintf(format, args...)}
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenText
	tokenField
	tokenTag
)

type token struct {
	kind tokenKind
	text string // the words, or what stands between the braces, trimmed
	word string // of a tag: its first word
	line int
}

// next takes the next token.
func (p *parser) next() (token, error) {
	if p.rest == "" {
		return token{line: p.line}, nil
	}
	for _, brace := range [...]struct {
		kind        tokenKind
		open, close string
	}{{tokenField, "{{", "}}"}, {tokenTag, "{%", "%}"}} {
		if !strings.HasPrefix(p.rest, brace.open) {
			continue
		}
		end := strings.Index(p.rest, brace.close)
		if end < 0 {
			return token{}, p.errorAt(p.line, "%s is not closed with %s", brace.open, brace.close)
		}
		inner := p.rest[2:end]
		if strings.Contains(inner, "{{") || strings.Contains(inner, "{%") {
			return token{}, p.errorAt(p.line, "%s is not closed with %s", brace.open, brace.close)
		}
		return p.take(brace.kind, end+2, strings.TrimSpace(inner)), nil
	}
	end := len(p.rest)
	for _, open := range [...]string{"{{", "{%"} {
		if at := strings.Index(p.rest, open); at >= 0 {
			end = min(end, at)
		}
	}
	words := p.rest[:end]
	if err := p.checkWords(words); err != nil {
		return token{}, err
	}
	return p.take(tokenText, end, joinBlanks(words)), nil
}

func (p *parser) take(kind tokenKind, size int, text string) token {
	t := token{kind: kind, text: text, line: p.line}
	if words := strings.Fields(text); kind == tokenTag && len(words) > 0 {
		t.word = words[0]
	}
	p.line += strings.Count(p.rest[:size], "\n")
	p.rest = p.rest[size:]
	return t
}

// checkWords refuses what would surely be a mistake in the words of a text.
func (p *parser) checkWords(words string) error {
	line := p.line
	for _, r := range words {
		switch {
		case r == '\n':
			line++
		case r == '{' || r == '}':
			return p.errorAt(line, "a lone %q: write {{ name }} or {%% if name %%}", r)
		case r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return p.errorAt(line, "the invisible character %U", r)
		}
	}
	return nil
}

// joinBlanks makes every run of blanks and line ends one space. The no-break space stays.
func joinBlanks(s string) string {
	isBlank := func(r rune) bool { return unicode.IsSpace(r) && r != '\u00A0' }
	joined := strings.Join(strings.FieldsFunc(s, isBlank), " ")
	if joined == "" {
		return " "
	}
	if first, _ := utf8.DecodeRuneInString(s); isBlank(first) {
		joined = " " + joined
	}
	if last, _ := utf8.DecodeLastRuneInString(s); isBlank(last) {
		joined += " "
	}
	return joined
}

// nodes reads until the end or a tag that is not its own, which it returns.
func (p *parser) nodes(depth int) ([]node, token, error) {
	var nodes []node
	for {
		t, err := p.next()
		if err != nil {
			return nil, t, err
		}
		switch {
		case t.kind == tokenEnd, slices.Contains(innerTags, t.word):
			return nodes, t, nil
		case t.kind == tokenText:
			nodes = append(nodes, node{text: t.text})
		case t.kind == tokenField:
			f, err := p.field(t)
			if err != nil {
				return nil, t, err
			}
			nodes = append(nodes, node{field: f})
		default:
			branches, err := p.choice(t, depth+1)
			if err != nil {
				return nil, t, err
			}
			nodes = append(nodes, node{branches: branches})
		}
	}
}

// Tags that open a choice, and those that divide and close it.
var (
	outerTags = []string{"if", "unless"}
	innerTags = []string{"elsif", "else", "endif", "endunless"}
)

// choice reads from an opening tag to its end.
func (p *parser) choice(open token, depth int) ([]branch, error) {
	if !slices.Contains(outerTags, open.word) {
		return nil, p.errorAt(open.line, "unknown tag %q%s", open.word, suggest(open.word, slices.Concat(outerTags, innerTags)))
	}
	if depth > maxNesting {
		return nil, p.errorAt(open.line, "more than %d choices in one another", maxNesting)
	}
	var branches []branch
	for t, last := open, false; ; {
		b := branch{}
		var err error
		if !last {
			if b.when, err = p.condition(t); err != nil {
				return nil, err
			}
		}
		var end token
		if b.nodes, end, err = p.nodes(depth); err != nil {
			return nil, err
		}
		branches = append(branches, b)
		switch {
		case end.kind == tokenEnd:
			return nil, p.errorAt(open.line, "{%% %s %%} is never ended", open.text)
		case end.text == "end"+open.word:
			return branches, nil
		case end.word == "elsif" && !last:
		case end.text == "else" && !last:
			last = true
		default:
			return nil, p.errorAt(end.line, "{%% %s %%} does not belong to {%% %s %%}", end.text, open.text)
		}
		t = end
	}
}

// suggest is `, did you mean "x"?` for the nearest known word, if one is near.
func suggest(word string, known []string) string {
	if near, ok := Nearest(word, known); ok {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}
