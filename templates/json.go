package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of what is read from an event.
const (
	maxDepth = 4    // objects in objects that become dotted names; deeper ones stay raw JSON
	maxFacts = 1024 // facts of one event
)

// What ParseFacts refuses.
var (
	ErrNotObject    = errors.New("not a JSON object")
	ErrTooManyFacts = fmt.Errorf("more than %d facts", maxFacts)
)

// ParseFacts flattens a JSON object: strings are unquoted, numbers and booleans stay as written, an object in it gives
// dotted names ("eta.start"), arrays and whatever lies deeper than four objects stay raw JSON. Null says nothing. A name
// that comes twice has its last value. No data and null give no facts. The facts do not point into data.
//
// Errors: ErrNotObject, ErrTooManyFacts, both wrapped.
func ParseFacts(data []byte) (Facts, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf("read facts: %w", ErrNotObject)
	}
	s := strings.ToValidUTF8(string(data), "\uFFFD")
	if s[skipBlank(s, 0)] == 'n' {
		return nil, nil
	}
	return AppendFacts(make(Facts, 0, 12), s)
}

// AppendFacts is ParseFacts for text that was found to be a JSON object before: it appends to dst, and the facts are parts
// of s. Of text that is none it gives an error or nonsense.
func AppendFacts(dst Facts, s string) (Facts, error) {
	at := skipBlank(s, 0)
	if byteAt(s, at) != '{' {
		return nil, fmt.Errorf("read facts: %w", ErrNotObject)
	}
	facts, _, err := flatten(dst, s, at, "", 1)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return facts, nil
}

// flatten reads the object that starts at s[i].
func flatten(facts Facts, s string, i int, prefix string, depth int) (Facts, int, error) {
	var err error
	for i = skipBlank(s, i+1); byteAt(s, i) != '}'; i = skipBlank(s, i) {
		if byteAt(s, i) == ',' {
			i = skipBlank(s, i+1)
		}
		end := skipValue(s, i)
		if end >= len(s) {
			return nil, 0, ErrNotObject
		}
		name := joined(prefix, unquote(s[i:end]))
		i = skipBlank(s, skipBlank(s, end)+1) // past the colon
		if byteAt(s, i) == '{' && depth < maxDepth {
			if facts, i, err = flatten(facts, s, i, joined(name, "."), depth+1); err != nil {
				return nil, 0, err
			}
			continue
		}
		if end = skipValue(s, i); end <= i {
			return nil, 0, ErrNotObject
		}
		if facts, err = facts.add(name, s[i:end]); err != nil {
			return nil, 0, err
		}
		i = end
	}
	return facts, i + 1, nil
}

// byteAt is 0, which stands nowhere between values, behind the end.
func byteAt(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// joined is a+b. The names that templates know need no memory.
func joined(a, b string) string {
	if a == "" {
		return b
	}
	var buf [64]byte
	if name, known := dotted[string(append(append(buf[:0], a...), b...))]; known {
		return name
	}
	return a + b
}

// dotted are the beginnings and names of facts that come as objects.
var dotted = func() map[string]string {
	names := map[string]string{}
	for i := range declared {
		for _, part := range []string{".", ".start", ".end", ".amount", ".currency"} {
			name := declared[i].Name + part
			names[name] = name
		}
	}
	return names
}()

// add takes a value as JSON writes it.
func (f Facts) add(name, raw string) (Facts, error) {
	if raw == "null" {
		return f, nil
	}
	if raw[0] == '"' {
		raw = unquote(raw)
	}
	for i := range f {
		if f[i].Name == name {
			f[i].Value = raw
			return f, nil
		}
	}
	if len(f) == maxFacts {
		return nil, ErrTooManyFacts
	}
	return append(f, Fact{name, raw}), nil
}

func skipBlank(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// skipValue is the end of the JSON value that starts at s[i]. It never reads past s, valid or not.
func skipValue(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = skipString(s, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			i++ // depth > 0: between the values of what we are in
		default:
			i = skipScalar(s, i)
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

// skipString is the end of the string that starts at s[i].
func skipString(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// skipScalar is the end of the number or word that starts at s[i].
func skipScalar(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '{', '}', '[', ']', ',', ':', '"', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return i
}

// unquote reads a JSON string. Most have no escapes and need no memory.
func unquote(raw string) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return ""
	}
	return s
}

// appendQuoted writes a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
