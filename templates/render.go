package templates

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Vars is what a template speaks about.
type Vars struct {
	OrderID  string
	Line     string
	Customer string // name as the customer gave it
	Facts    Facts
	Zone     *time.Location // the customer's; times are written in it, in UTC when it is nil
	Now      time.Time      // days are named unless they are today
}

// size is how long a text should be and how long it may be, in runes. 1,600 is what Twilio takes for one SMS; longer
// titles and bodies are cut by every phone, and a body of 600 with its title stays far below the 3,993 bytes of a push
// message (RFC 8291). What people read at a glance is much shorter: two segments of SMS, 50 and 150 characters of a push.
type size struct {
	aim      int // what fits in any case: of an SMS, two segments of UCS-2
	segments int // of an SMS that it should need at most; 0 for other texts
	limit    int
}

var (
	smsSize   = size{aim: 2 * ucsPiece, segments: 2, limit: 1600}
	titleSize = size{aim: 50, limit: 120}
	bodySize  = size{aim: 150, limit: 600}
)

// noBreak is the space that keeps "2:30 PM" on one line. GSM-7 has none.
const noBreak = "\u00A0"

// Error is something that is wrong with a template, when it is parsed or when a text can't be written from what an event
// says. It contains nothing that the event says.
type Error struct {
	File   string // "delivered/en.txt"
	Line   int    // from 1; 0 for the whole file
	Detail string
}

// Error is "file:line: detail".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Detail
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Detail)
}

// SMS writes the text message, at most 1,600 characters. The error is an *Error: a fact that the text needs is missing, or
// the text is too long.
func (t *Template) SMS(v *Vars) (string, error) { return t.write(&t.sms, v, smsSize) }

// Title writes the title of a push or live message, at most 120 characters. Errors are those of SMS.
func (t *Template) Title(v *Vars) (string, error) { return t.write(&t.title, v, titleSize) }

// Body writes the text of a push or live message, at most 600 characters. Errors are those of SMS.
func (t *Template) Body(v *Vars) (string, error) { return t.write(&t.body, v, bodySize) }

// write writes a section. A text that grows beyond its aim is written again, tight: without what stands in {% if room %}.
// If that is not enough it is written lean, with less of long values.
func (t *Template) write(s *section, v *Vars, size size) (string, error) {
	c := call{vars: v, zoned: v.Zone, file: t.File, tag: t.tag, tongue: t.tongue, sms: size.segments > 0, space: noBreak}
	if c.sms {
		c.space = " "
	}
	if c.zoned == nil {
		c.zoned = time.UTC
	}
	text, err := c.section(s)
	for !c.lean && err == nil && !size.suits(text) {
		c.tight, c.lean = true, c.tight
		text, err = c.section(s)
	}
	if err == nil && len(text) > size.limit && utf8.RuneCountInString(text) > size.limit {
		err = &Error{t.File, s.line, fmt.Sprintf("the text is longer than %d characters", size.limit)}
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

// suits tells that a text is no longer than it should be.
func (s size) suits(text string) bool {
	switch {
	case len(text) <= s.aim:
		return true
	case s.segments == 0:
		return utf8.RuneCountInString(text) <= s.aim
	}
	count, _ := Segments(text)
	return count <= s.segments
}

// call is one writing of one section.
type call struct {
	vars   *Vars
	zoned  *time.Location
	file   string
	tag    language.Tag
	tongue tongue
	sms    bool
	tight  bool   // there is no room
	lean   bool   // nor for long values
	space  string // between the parts of a time
}

func (c *call) section(s *section) (string, error) {
	var buf [512]byte
	dst, err := c.nodes(buf[:0], s.nodes)
	if err != nil {
		return "", err
	}
	if len(dst) > 0 && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	if len(dst) == 0 {
		return "", &Error{c.file, s.line, "the text is empty"}
	}
	return string(dst), nil
}

func (c *call) nodes(dst []byte, nodes []node) ([]byte, error) {
	for i := range nodes {
		n := &nodes[i]
		switch {
		case n.field != nil:
			var ok bool
			if dst, ok = c.field(dst, n.field); !ok {
				return nil, &Error{c.file, n.field.line, fmt.Sprintf("fact %q is missing or can't be read", n.field.fact.name)}
			}
		case n.branches != nil:
			chosen := c.choose(dst, n.branches)
			var err error
			if dst, err = c.nodes(dst, chosen); err != nil {
				return nil, err
			}
		default:
			dst = literal(dst, n.text)
		}
	}
	return dst, nil
}

// literal writes the template's own words. Blanks that meet become one, and so do the dots where an abbreviation ends a
// sentence: "at 2:30 p.m.". A value that ends with its own mark needs no dot either.
func literal(dst []byte, s string) []byte {
	if s[0] == ' ' && (len(dst) == 0 || dst[len(dst)-1] == ' ') {
		s = s[1:]
	}
	if strings.HasPrefix(s, ".") && len(dst) > 0 && strings.IndexByte(".!?", dst[len(dst)-1]) >= 0 {
		s = s[1:]
	}
	return append(dst, s...)
}

// choose finds the words of the first branch whose condition holds. It uses the free end of dst as scratch memory.
func (c *call) choose(dst []byte, branches []branch) []node {
	for i := range branches {
		if c.holds(dst, &branches[i].when) {
			return branches[i].nodes
		}
	}
	return nil
}

func (c *call) holds(dst []byte, when *condition) bool {
	if len(when.terms) == 0 {
		return true
	}
	result := !when.any
	for i := range when.terms {
		if c.termHolds(dst, &when.terms[i]) == when.any {
			result = when.any
			break
		}
	}
	return result != when.not
}

func (c *call) termHolds(dst []byte, t *term) bool {
	switch t.op {
	case equals:
		return c.raw(&t.fact) == t.value
	case differs:
		return c.raw(&t.fact) != t.value
	case roomy:
		return !c.tight
	}
	switch t.fact.kind {
	case KindTime, KindDate, KindWindow:
		_, _, ok := c.span(&t.fact)
		return ok
	}
	value, ok := c.value(dst, &t.fact, t.fact.kind)
	return ok && !c.tooLong(&t.fact, value[len(dst):])
}

// field writes a value through its filters, or the default when there is none.
func (c *call) field(dst []byte, f *field) ([]byte, bool) {
	start := len(dst)
	var ok bool
	if f.as == asPlural {
		dst, ok = c.plural(dst, f)
	} else {
		dst, ok = c.value(dst, &f.fact, f.as)
	}
	if ok {
		dst = f.changed(dst, start)
	}
	if ok && (f.fallback == "" || !c.tooLong(&f.fact, dst[start:])) {
		return dst, true
	}
	dst = dst[:start]
	if f.fallback == "" {
		return dst, false
	}
	return append(dst, f.fallback...), true
}
