package mapping

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// span is a part of the source.
type span struct{ start, end int }

// step is one level of the way to a value: a name, as it stands between its quotes, or an index.
type step struct {
	name    span
	index   int
	isIndex bool
}

// path is the way to a value.
type path []step

// maxPath bounds what a problem tells of the way to its field, in characters.
const maxPath = 120

// render writes "customer.phone" or "data.stops[3]", with what is not printable as "?": names are the producer's words. It
// stands in headers of dead letters, so a name that may be a person's is "…".
func (p path) render(src []byte) string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.isIndex:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case s.name.end > 0:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			if name := src[s.name.start:s.name.end]; personal(name) {
				b.WriteString("…")
			} else {
				b.Write(name)
			}
		}
	}
	shown := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, b.String())
	if utf8.RuneCountInString(shown) > maxPath {
		shown = string([]rune(shown)[:maxPath]) + "…"
	}
	return shown
}

// personal tells whether a name may be a phone number or an e-mail address: a producer that keys an object by them has no
// names of fields there. The shortest numbers with an area code have seven digits.
func personal(name []byte) bool {
	digits := 0
	for _, c := range name {
		if isDigit(c) {
			digits++
		}
	}
	return digits >= 7 || bytes.IndexByte(name, '@') >= 0
}

// nameSet is the names of one object: the hashes in scanner.keys from first on, and from manyKeys names on also a map.
type nameSet struct {
	first int
	many  map[uint64]struct{}
}

// has tells whether a name came before, and adds it.
func (n *nameSet) has(s *scanner, hash uint64) bool {
	known := s.keys[n.first:]
	s.keys = append(s.keys, hash)
	if n.many == nil && len(known) < manyKeys {
		return slices.Contains(known, hash)
	}
	if n.many == nil {
		n.many = make(map[uint64]struct{}, 4*manyKeys)
		for _, h := range known {
			n.many[h] = struct{}{}
		}
	}
	_, was := n.many[hash]
	n.many[hash] = struct{}{}
	return was
}

// foldedHash is the same for names that differ only in case.
func (s *scanner) foldedHash(name span) uint64 {
	b := s.fold[:0]
	for i := name.start; i < name.end; {
		c := s.src[i]
		if c != '\\' && c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, next := nextRune(s.src[:name.end], i)
		b = utf8.AppendRune(b, foldRune(r))
		i = next
	}
	s.fold = b
	return maphash.Bytes(seed, b)
}

// foldRune is the smallest of the characters that are the same but for case; for ASCII letters that is the capital.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// unescape is the text between the quotes of a string that was scanned.
func unescape(src []byte, inner span) string {
	raw := src[inner.start:inner.end]
	if !slices.Contains(raw, '\\') {
		return string(raw)
	}
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		r, next := nextRune(raw, i)
		b = utf8.AppendRune(b, r)
		i = next
	}
	return string(b)
}

// nextRune reads the character or escape at src[i] of a string that was scanned.
func nextRune(src []byte, i int) (r rune, next int) {
	if src[i] != '\\' {
		r, n := utf8.DecodeRune(src[i:])
		return r, i + n
	}
	switch c := src[i+1]; c {
	case 'b':
		return '\b', i + 2
	case 'f':
		return '\f', i + 2
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	case 'u':
	default:
		return rune(c), i + 2
	}
	unit, _ := hex4(src, i+2)
	if low, ok := escapedUnit(src, i+6); ok && isHigh(unit) && isLow(low) {
		return utf16.DecodeRune(unit, low), i + 12
	}
	return unit, i + 6 // AppendRune writes U+FFFD for half a pair, which was noted
}

// escapedUnit reads \uXXXX at src[i].
func escapedUnit(src []byte, i int) (rune, bool) {
	if i+1 >= len(src) || src[i] != '\\' || src[i+1] != 'u' {
		return 0, false
	}
	return hex4(src, i+2)
}

// hex4 reads four hex digits at src[i].
func hex4(src []byte, i int) (rune, bool) {
	if i+4 > len(src) {
		return 0, false
	}
	var v rune
	for _, c := range src[i : i+4] {
		switch {
		case isDigit(c):
			v = v<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

func isHigh(r rune) bool  { return 0xD800 <= r && r < 0xDC00 }
func isLow(r rune) bool   { return 0xDC00 <= r && r < 0xE000 }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
