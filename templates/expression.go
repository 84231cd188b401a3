package templates

import (
	"slices"
	"strings"
)

// fact is a name in a template, resolved when it is parsed.
type fact struct {
	name             string
	kind             Kind
	from             origin
	max              int
	glossary         bool
	values           []string
	start, end       string // names of the parts of a window
	amount, currency string // names of the parts of an amount
}

// origin is where the value of a name is.
type origin int

const (
	fromEvent origin = iota
	fromOrder
	fromLine
	fromCustomer
)

var origins = map[string]origin{"order_id": fromOrder, "line": fromLine, "customer_name": fromCustomer}

// field is {{ fact | filters }}.
type field struct {
	line     int
	fact     fact
	as       Kind
	changes  []change
	fallback string // what the default filter says, changed by the filters after it; empty for none
	forms    forms  // of the plural filter
}

// field parses what stands between {{ and }}.
func (p *parser) field(t token) (*field, error) {
	words, err := p.words(t)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, p.errorAt(t.line, "{{ }} names no fact")
	}
	ft, err := p.fact(words[0], t.line)
	if err != nil {
		return nil, err
	}
	f := &field{line: t.line, fact: ft, as: ft.kind}
	for words = words[1:]; len(words) > 0; {
		if words[0] != "|" || len(words) < 2 {
			return nil, p.errorAt(t.line, "%s after the fact: filters are written {{ %s | filter }}", shown(words[0]), ft.name)
		}
		if words, err = p.filter(f, words[1], words[2:]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// fact resolves a name.
func (p *parser) fact(name string, line int) (fact, error) {
	whole, part, dotted := strings.Cut(name, ".")
	d := declaredAs[whole]
	switch {
	case name == room:
		return fact{}, p.errorAt(line, "room is no fact: it only stands in a condition, {%% if room %%}")
	case d == nil || isString(name):
		return fact{}, p.errorAt(line, "unknown fact %s%s", shown(name), suggest(name, factNames()))
	case dotted && (d.Kind != KindWindow || part != "start" && part != "end"):
		return fact{}, p.errorAt(line, "unknown fact %q: %s is a %s", name, whole, d.Kind)
	}
	f := fact{name: name, kind: d.Kind, from: origins[name], max: d.Max, glossary: d.glossary, values: d.Values}
	if dotted {
		f.kind = KindTime
	}
	if f.kind == KindWindow {
		f.start, f.end = name+".start", name+".end"
	}
	if f.kind == KindMoney {
		f.amount, f.currency = name+".amount", name+".currency"
	}
	return f, nil
}

func factNames() []string {
	names := make([]string, len(declared))
	for i := range declared {
		names[i] = declared[i].Name
	}
	return names
}

// condition is what a branch depends on: one or more terms, all or any of which must hold. None holds always.
type condition struct {
	terms []term
	any   bool
	not   bool
}

// term is one comparison.
type term struct {
	fact  fact
	op    operator
	value string
}

// room is what a condition says of the text instead of the event: it is not too long. When a text turns out to be, it is
// written again without.
const room = "room"

type operator int

const (
	said operator = iota // the event says it, in a form that can be read
	equals
	differs
	roomy // the text has the length that it should have
)

// condition parses {% if a == "x" and b %}.
func (p *parser) condition(t token) (condition, error) {
	c := condition{not: t.word == "unless"}
	words, err := p.words(t)
	if err != nil {
		return c, err
	}
	joined := ""
	for words = words[1:]; ; words = words[1:] {
		var next term
		if next, words, err = p.term(words, t.line); err != nil {
			return c, err
		}
		c.terms = append(c.terms, next)
		if len(words) == 0 {
			return c, nil
		}
		if words[0] != "and" && words[0] != "or" {
			return c, p.errorAt(t.line, "%s in a condition: want and, or, == or !=", shown(words[0]))
		}
		if joined != "" && joined != words[0] {
			return c, p.errorAt(t.line, "and and or in one condition: nest two of them")
		}
		joined = words[0]
		c.any = joined == "or"
	}
}

// term takes one comparison off words.
func (p *parser) term(words []string, line int) (term, []string, error) {
	if len(words) == 0 {
		return term{}, nil, p.errorAt(line, "the condition ends too early")
	}
	if words[0] == room {
		return term{op: roomy}, words[1:], nil
	}
	ft, err := p.fact(words[0], line)
	if err != nil {
		return term{}, nil, err
	}
	t := term{fact: ft}
	words = words[1:]
	if len(words) == 0 || words[0] != "==" && words[0] != "!=" {
		return t, words, nil
	}
	if len(words) < 2 || !isString(words[1]) {
		return t, nil, p.errorAt(line, `%s is compared with a text: %s %s "…"`, ft.name, ft.name, words[0])
	}
	t.op, t.value = equals, words[1][1:]
	if words[0] == "!=" {
		t.op = differs
	}
	if ft.values != nil && !slices.Contains(ft.values, t.value) {
		return t, nil, p.errorAt(line, "%s is never %q%s", ft.name, t.value, suggest(t.value, ft.values))
	}
	return t, words[2:], nil
}

// words divides an expression: names, marks (| : , == !=) and texts, which keep their opening quote as a sign.
func (p *parser) words(t token) ([]string, error) {
	var words []string
	for s := strings.TrimSpace(t.text); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		size := 1
		switch {
		case s[0] == '"' || s[0] == '\'':
			end := strings.IndexByte(s[1:], s[0])
			if end < 0 {
				return nil, p.errorAt(t.line, "the quote %q is not closed", s[:1])
			}
			if err := p.checkWords(s[1 : 1+end]); err != nil {
				return nil, err
			}
			words, s = append(words, `"`+s[1:1+end]), s[end+2:]
			continue
		case strings.HasPrefix(s, "==") || strings.HasPrefix(s, "!="):
			size = 2
		case isName(s[0]):
			for size < len(s) && isName(s[size]) {
				size++
			}
		case s[0] != '|' && s[0] != ':' && s[0] != ',':
			return nil, p.errorAt(t.line, "unexpected %q", []rune(s)[0])
		}
		words, s = append(words, s[:size]), s[size:]
	}
	return words, nil
}

func isName(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '.'
}

func isString(word string) bool { return word[0] == '"' }

// shown is a word as an error shows it.
func shown(word string) string { return `"` + strings.TrimPrefix(word, `"`) + `"` }
