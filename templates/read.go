package templates

import (
	"time"
	"unicode/utf8"
)

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
	case asDuration:
		return c.duration(dst, s)
	case KindPhone:
		return phone(dst, s)
	case KindURL:
		if !isLink(s) {
			return dst, false
		}
		return append(dst, s...), true
	case KindList:
		dst = c.list(dst, s)
	default:
		if f.glossary {
			s = c.inTongue(s)
		}
		dst = c.text(dst, s, f.max)
	}
	return dst, len(dst) > start
}

// tooLong tells of a value that a lean text does better without: more than 24 of the 60 characters that a name may have,
// or a list that fills a line. "Your car" is better than the first half of its name, so the value counts as one that the
// event does not say.
func (c *call) tooLong(f *fact, value []byte) bool {
	switch {
	case !c.lean:
		return false
	case f.kind == KindText:
		return utf8.RuneCount(value) > f.max*2/5
	}
	return f.kind == KindList && utf8.RuneCount(value) > maxItem
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
