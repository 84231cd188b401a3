package mapping

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"unicode/utf8"
)

// maxDepth is how many objects and arrays may lie within each other.
const maxDepth = 32

// manyKeys is the size of an object from which its names are looked up in a map instead of one by one, so that a record
// of a hundred thousand names costs no more than others of its size.
const manyKeys = 48

// seed makes the hashes of names unpredictable: nobody can choose names that collide.
var seed = maphash.MakeSeed()

// scanner holds bytes against the JSON grammar of RFC 8259. What is not JSON ends the scan; everything else that is
// wrong is noted and the scan goes on.
type scanner struct {
	src  []byte
	pos  int
	path path
	keys []uint64 // hashes of the folded names of all objects that are open
	fold []byte   // scratch
	out  *problems
}

// document scans src, which must be one JSON value and nothing else. It tells whether src is JSON.
func (s *scanner) document(src []byte, out *problems) bool {
	s.src, s.pos, s.out = src, 0, out
	s.path, s.keys = s.path[:0], s.keys[:0]
	s.space()
	if !s.value() {
		return false
	}
	s.space()
	if s.pos < len(s.src) {
		return s.syntax("something follows the end of the JSON value")
	}
	return true
}

func (s *scanner) value() bool {
	switch c := s.peek(); {
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '"':
		_, ok := s.text()
		return ok
	case c == '-' || isDigit(c):
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.syntax("a value is expected here")
}

func (s *scanner) object() bool {
	if !s.enter() {
		return false
	}
	defer s.leave(len(s.keys))
	keys := nameSet{first: len(s.keys)}
	if s.closes('}') {
		return true
	}
	for {
		if s.space(); s.peek() != '"' {
			return s.syntax("a name in double quotes is expected here")
		}
		name, ok := s.text()
		if !ok {
			return false
		}
		s.path[len(s.path)-1] = step{name: name}
		if keys.has(s, s.foldedHash(name)) {
			s.note(DuplicateKey, "comes twice in its object, and names that differ only in case count as one: keep one of them")
		}
		if s.space(); s.peek() != ':' {
			return s.syntax("a colon is expected here")
		}
		s.pos++
		if s.space(); !s.value() {
			return false
		}
		if s.space(); s.peek() != ',' {
			break
		}
		s.pos++
	}
	if s.peek() != '}' {
		return s.syntax("a comma or } is expected here")
	}
	s.pos++
	return true
}

func (s *scanner) array() bool {
	if !s.enter() {
		return false
	}
	defer s.leave(len(s.keys))
	if s.closes(']') {
		return true
	}
	for i := 0; ; i++ {
		s.path[len(s.path)-1] = step{index: i, isIndex: true}
		if s.space(); !s.value() {
			return false
		}
		if s.space(); s.peek() != ',' {
			break
		}
		s.pos++
	}
	if s.peek() != ']' {
		return s.syntax("a comma or ] is expected here")
	}
	s.pos++
	return true
}

// enter steps over the bracket that opens an object or array.
func (s *scanner) enter() bool {
	if len(s.path) == maxDepth {
		s.note(TooDeep, fmt.Sprintf("has more than %d objects and arrays within each other", maxDepth))
		return false
	}
	s.pos++
	s.path = append(s.path, step{})
	return true
}

func (s *scanner) leave(keys int) {
	s.path = s.path[:len(s.path)-1]
	s.keys = s.keys[:keys]
}

// closes steps over a bracket that closes at once.
func (s *scanner) closes(bracket byte) bool {
	s.space()
	if s.peek() != bracket {
		return false
	}
	s.pos++
	return true
}

// text steps over a string and returns what lies between its quotes.
func (s *scanner) text() (inner span, ok bool) {
	s.pos++
	inner.start = s.pos
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '"':
			inner.end = s.pos
			s.pos++
			return inner, true
		case c == '\\':
			if !s.escape() {
				return span{}, false
			}
		case c < ' ':
			return span{}, s.syntax("a control character must be written as an escape such as \\n")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, n := utf8.DecodeRune(s.src[s.pos:])
			if r == utf8.RuneError && n == 1 {
				s.note(InvalidUTF8, "holds bytes that are not UTF-8: write the record in UTF-8")
			}
			s.pos += n
		}
	}
	return span{}, s.syntax("the text ends inside a string")
}

// escape steps over a backslash and what it escapes.
func (s *scanner) escape() bool {
	if s.pos+1 >= len(s.src) {
		s.pos = len(s.src)
		return s.syntax("the text ends inside a string")
	}
	switch s.src[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
	default:
		return s.syntax("this escape does not exist in JSON")
	}
	unit, ok := hex4(s.src, s.pos+2)
	if !ok {
		return s.syntax("four hex digits are expected after \\u")
	}
	s.pos += 6
	switch {
	case unit == 0:
		s.note(NULCharacter, "holds the character \\u0000, which cannot be stored: remove it")
	case isLow(unit):
		s.note(InvalidUTF8, "holds half of a \\u surrogate pair: write the whole pair, or the character itself")
	case isHigh(unit):
		if low, ok := escapedUnit(s.src, s.pos); ok && isLow(low) {
			s.pos += 6
			return true
		}
		s.note(InvalidUTF8, "holds half of a \\u surrogate pair: write the whole pair, or the character itself")
	}
	return true
}

// number steps over -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.syntax("a digit is expected here")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.syntax("a digit is expected here")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.syntax("a digit is expected here")
		}
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.src[s.pos:], []byte(w)) {
		return s.syntax("a value is expected here")
	}
	s.pos += len(w)
	return true
}

func (s *scanner) space() {
	for s.pos < len(s.src) && isSpace(s.src[s.pos]) {
		s.pos++
	}
}

// peek is the next byte, or 0, which stands nowhere in JSON, at the end.
func (s *scanner) peek() byte {
	if s.pos == len(s.src) {
		return 0
	}
	return s.src[s.pos]
}

// note adds a problem of the value that is being scanned.
func (s *scanner) note(reason, detail string) {
	s.out.add(reason, s.path.render(s.src), detail)
}

// syntax adds the problem that ends the scan: the place, counted as an editor does.
func (s *scanner) syntax(detail string) bool {
	before := s.src[:s.pos]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	if s.pos == len(s.src) {
		detail += ", but the text ends"
	}
	s.note(NotJSON, fmt.Sprintf("is not JSON at line %d, column %d: %s", line, column, detail))
	return false
}
