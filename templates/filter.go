package templates

import "slices"

// change is a filter that turns a text into another.
type change int

const (
	changeFirst change = iota
	changeCar
	changeUpcase
)

var changes = map[string]change{"first": changeFirst, "car": changeCar, "upcase": changeUpcase}

// reads lists the kinds that a filter can read.
var reads = map[string][]Kind{
	"time":   {KindTime, KindWindow},
	"date":   {KindDate, KindTime, KindWindow},
	"window": {KindWindow, KindTime},
	"list":   {KindList},
	"first":  {KindText},
	"car":    {KindText},
	"upcase": {KindText},

	"plural":   {KindCount, KindList},
	"duration": {KindCount},
}

var filters = []string{"default", "first", "car", "time", "date", "window", "list", "plural", "duration", "upcase"}

// Ways to write a value that are not those of its own kind.
const (
	asPlural   Kind = "plural"   // "1 photo", "12 photos"
	asDuration Kind = "duration" // minutes as "45 minutes", "3 hours"
)

// changed puts the value at dst[start:] through the filters.
func (f *field) changed(dst []byte, start int) []byte {
	for _, c := range f.changes {
		dst = c.apply(dst, start)
	}
	return dst
}

func (c change) apply(dst []byte, start int) []byte {
	switch c {
	case changeFirst:
		return firstName(dst, start)
	case changeCar:
		return carName(dst, start)
	}
	return upperCase(dst, start)
}

// filter adds a filter to f and returns the words that follow it.
func (p *parser) filter(f *field, name string, words []string) ([]string, error) {
	if name == "default" {
		if len(words) < 2 || words[0] != ":" || !isString(words[1]) || len(words[1]) == 1 {
			return nil, p.errorAt(f.line, `default needs a text: {{ %s | default: "…" }}`, f.fact.name)
		}
		f.fallback = joinBlanks(words[1][1:])
		return words[2:], nil
	}
	kinds, known := reads[name]
	if !known {
		return nil, p.errorAt(f.line, "unknown filter %s%s", shown(name), suggest(name, filters))
	}
	if !slices.Contains(kinds, f.fact.kind) {
		return nil, p.errorAt(f.line, "filter %s can't read %s, which is a %s", name, f.fact.name, f.fact.kind)
	}
	if name == "plural" {
		return p.plural(f, words)
	}
	if len(words) > 0 && words[0] == ":" {
		return nil, p.errorAt(f.line, "filter %s takes no argument", name)
	}
	change, changes := changes[name]
	if !changes {
		f.as = Kind(name)
		return words, nil
	}
	f.changes = append(f.changes, change)
	f.fallback = string(change.apply([]byte(f.fallback), 0))
	return words, nil
}

// plural reads the forms of a word: for one, for more, and if it is told for a million.
func (p *parser) plural(f *field, words []string) ([]string, error) {
	var texts []string
	for sign := ":"; len(words) > 1 && words[0] == sign && isString(words[1]); sign = "," {
		texts = append(texts, words[1][1:])
		words = words[2:]
	}
	if len(texts) < 2 || len(texts) > 3 || slices.Contains(texts, "") {
		return nil, p.errorAt(f.line, `plural needs two words: {{ %s | plural: "day", "days" }}`, f.fact.name)
	}
	f.as, f.forms = asPlural, forms{one: texts[0], other: texts[1]}
	if len(texts) == 3 {
		f.forms.many = texts[2]
	}
	return words, nil
}
