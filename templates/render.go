package templates

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
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

// Limits of a text in runes. 1,600 is what Twilio takes for one SMS; longer titles and bodies are cut by every phone, and
// a body of 600 with its title stays far below the 3,993 bytes of a push message (RFC 8291).
const (
	maxSMS   = 1600
	maxTitle = 120
	maxBody  = 600
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
func (t *Template) SMS(v *Vars) (string, error) { return t.write(&t.sms, v, true, maxSMS) }

// Title writes the title of a push or live message, at most 120 characters. Errors are those of SMS.
func (t *Template) Title(v *Vars) (string, error) { return t.write(&t.title, v, false, maxTitle) }

// Body writes the text of a push or live message, at most 600 characters. Errors are those of SMS.
func (t *Template) Body(v *Vars) (string, error) { return t.write(&t.body, v, false, maxBody) }

func (t *Template) write(s *section, v *Vars, sms bool, limit int) (string, error) {
	c := call{vars: v, zoned: v.Zone, file: t.File, tongue: t.tongue, sms: sms, space: noBreak}
	if sms {
		c.space = " "
	}
	if c.zoned == nil {
		c.zoned = time.UTC
	}
	var buf [512]byte
	dst, err := c.nodes(buf[:0], s.nodes)
	if err != nil {
		return "", err
	}
	if len(dst) > 0 && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	switch {
	case len(dst) == 0:
		return "", &Error{t.File, s.line, "the text is empty"}
	case len(dst) > limit && utf8.RuneCount(dst) > limit:
		return "", &Error{t.File, s.line, fmt.Sprintf("the text is longer than %d characters", limit)}
	}
	return string(dst), nil
}

// call is one writing of one section.
type call struct {
	vars   *Vars
	zoned  *time.Location
	file   string
	tongue tongue
	sms    bool
	space  string // between the parts of a time
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
// sentence: "at 2:30 p.m.".
func literal(dst []byte, s string) []byte {
	if s[0] == ' ' && (len(dst) == 0 || dst[len(dst)-1] == ' ') {
		s = s[1:]
	}
	if strings.HasPrefix(s, ".") && len(dst) > 0 && dst[len(dst)-1] == '.' {
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
	}
	switch t.fact.kind {
	case KindTime, KindDate, KindWindow:
		_, _, ok := c.span(&t.fact)
		return ok
	}
	_, ok := c.value(dst, &t.fact, t.fact.kind)
	return ok
}

// field writes a value through its filters, or the default when there is none.
func (c *call) field(dst []byte, f *field) ([]byte, bool) {
	start := len(dst)
	dst, ok := c.value(dst, &f.fact, f.as)
	if ok {
		return f.changed(dst, start), true
	}
	if f.fallback == "" {
		return dst, false
	}
	return append(dst, f.fallback...), true
}

// raw is a value as the event has it.
func (c *call) raw(f *fact) string {
	switch f.from {
	case fromOrder:
		return c.vars.OrderID
	case fromLine:
		return c.vars.Line
	case fromCustomer:
		return c.vars.Customer
	}
	s, _ := c.vars.Facts.Get(f.name)
	return s
}

// value writes a fact as a kind; false, and nothing written, when the event does not say it in a form that can be read.
func (c *call) value(dst []byte, f *fact, as Kind) ([]byte, bool) {
	switch as {
	case KindTime, KindDate, KindWindow:
		return c.when(dst, f, as)
	}
	start := len(dst)
	s := c.raw(f)
	switch as {
	case KindMoney:
		amount, ok := c.vars.Facts.Get(f.amount)
		if !ok {
			amount = s
		}
		currency, _ := c.vars.Facts.Get(f.currency)
		return money(dst, amount, currency)
	case KindCount:
		return count(dst, s)
	case KindURL:
		if !isLink(s) {
			return dst, false
		}
		return append(dst, s...), true
	case KindList:
		dst = c.list(dst, s)
	default:
		dst = c.text(dst, s, f.max)
	}
	return dst, len(dst) > start
}

// when writes a point or span of time.
func (c *call) when(dst []byte, f *fact, as Kind) ([]byte, bool) {
	from, to, ok := c.span(f)
	switch {
	case !ok:
		return dst, false
	case as == KindTime:
		return c.zone(c.clock(dst, from, true), from), true
	case as == KindDate:
		return c.date(dst, from), true
	}
	return c.window(dst, from, to), true
}

// span reads a window, or a time as a window without length. A window that ends before it starts is none.
func (c *call) span(f *fact) (from, to time.Time, ok bool) {
	if s := c.raw(f); s != "" || f.kind != KindWindow {
		from, ok = moment(s, c.zoned)
		return from, from, ok
	}
	start, _ := c.vars.Facts.Get(f.start)
	if from, ok = moment(start, c.zoned); !ok {
		return from, to, false
	}
	end, _ := c.vars.Facts.Get(f.end)
	to, ok = moment(end, c.zoned)
	return from, to, ok && !to.Before(from)
}
