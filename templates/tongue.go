package templates

import (
	"strconv"
	"time"
)

// tongue is how a language writes times, days and lists.
type tongue int

// The tongues. Both languages of the United States use the clock of twelve hours. Any other language gets numbers that
// nobody misreads: 14:30, 2026-11-24.
const (
	numeric tongue = iota
	english
	spanish
)

func tongueOf(language string) tongue {
	switch language {
	case "en":
		return english
	case "es":
		return spanish
	}
	return numeric
}

// say picks the words of the tongue.
func (c *call) say(inEnglish, inSpanish, inNumbers string) string {
	switch c.tongue {
	case english:
		return inEnglish
	case spanish:
		return inSpanish
	}
	return inNumbers
}

var (
	englishDays   = [...]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	englishMonths = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
	spanishDays   = [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}
	spanishMonths = [...]string{"ene.", "feb.", "mar.", "abr.", "mayo", "jun.", "jul.", "ago.", "sept.", "oct.", "nov.", "dic."}
)

// farAway is when a date needs its year.
const farAway = 180 * 24 * time.Hour

// clock writes a time of day: "2:30 PM", "2:30 p.m.", "14:30". The half of the day is left out where the next time says it.
func (c *call) clock(dst []byte, t time.Time, half bool) []byte {
	hour := t.Hour()
	if c.tongue == numeric {
		dst = append(dst, byte('0'+hour/10), byte('0'+hour%10))
	} else {
		dst = strconv.AppendInt(dst, int64((hour+11)%12+1), 10)
	}
	dst = append(dst, ':', byte('0'+t.Minute()/10), byte('0'+t.Minute()%10))
	if !half || c.tongue == numeric {
		return dst
	}
	dst = append(dst, c.space...)
	if hour < 12 {
		return append(dst, c.say("AM", "a.m.", "")...)
	}
	return append(dst, c.say("PM", "p.m.", "")...)
}

// zone writes the zone: "PST", or "UTC-3" for the zones that have only a number.
func (c *call) zone(dst []byte, t time.Time) []byte {
	name, offset := t.Zone()
	dst = append(dst, c.space...)
	if name != "" && name[0] != '+' && name[0] != '-' {
		return append(dst, name...)
	}
	dst = append(dst, "UTC"...)
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = strconv.AppendInt(append(dst, sign), int64(offset/3600), 10)
	if minutes := offset / 60 % 60; minutes != 0 {
		dst = append(dst, ':', byte('0'+minutes/10), byte('0'+minutes%10))
	}
	return dst
}

// date writes a day: "Tue, Nov 24", "martes 24 de nov.", "2026-11-24"; with the year when it is far away. Lean texts do
// without the Spanish names of days, which are up to nine letters long.
func (c *call) date(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	far := t.Sub(c.vars.Now).Abs() > farAway
	switch c.tongue {
	case english:
		dst = append(append(append(dst, englishDays[t.Weekday()]...), ", "...), englishMonths[month-1]...)
		dst = strconv.AppendInt(append(dst, c.space...), int64(day), 10)
		if far {
			dst = strconv.AppendInt(append(dst, ", "...), int64(year), 10)
		}
	case spanish:
		if !c.lean {
			dst = append(append(dst, spanishDays[t.Weekday()]...), ' ')
		}
		dst = strconv.AppendInt(dst, int64(day), 10)
		dst = append(append(dst, " de "...), spanishMonths[month-1]...)
		if far {
			dst = strconv.AppendInt(append(dst, " de "...), int64(year), 10)
		}
	default:
		dst = t.AppendFormat(dst, time.DateOnly)
	}
	return dst
}

// window writes from when to when, so that it follows a verb in its language: "11:30 AM to 12:15 PM PST", "entre las 11:30
// a.m. y las 12:15 p.m. PST"; with the day when that is not today. A window without length is a time: "around 2:30 PM PST".
func (c *call) window(dst []byte, from, to time.Time) []byte {
	switch {
	case !sameDay(from, to):
		return c.days(dst, from, to)
	case !sameDay(from, c.vars.Now.In(from.Location())):
		dst = append(dst, c.say("", "el ", "")...)
		dst = c.date(dst, from)
		dst = append(dst, c.say(", ", " ", " ")...)
	}
	if from.Equal(to) {
		dst = append(dst, c.say("around ", "a eso de ", "")...)
		return c.zone(c.clock(c.article(dst, from), from, true), from)
	}
	dst = append(dst, c.say("", "entre ", "")...)
	dst = c.clock(c.article(dst, from), from, from.Hour()/12 != to.Hour()/12)
	dst = append(dst, c.say(" to ", " y ", "-")...)
	return c.zone(c.clock(c.article(dst, to), to, true), to)
}

// days writes a window from one day to another. One of a whole day or more is told by its days alone, and so is any in a
// lean text.
func (c *call) days(dst []byte, from, to time.Time) []byte {
	if c.lean || to.Sub(from) >= 24*time.Hour {
		dst = c.date(append(dst, c.say("", "entre el ", "")...), from)
		return c.date(append(dst, c.say(" to ", " y el ", " - ")...), to)
	}
	dst = append(dst, c.say("", "entre el ", "")...)
	dst = c.clock(append(c.date(dst, from), ", "...), from, true)
	dst = append(dst, c.say(" to ", " y el ", " - ")...)
	return c.zone(c.clock(append(c.date(dst, to), ", "...), to, true), to)
}

// article is "las " before Spanish hours and "la " before one.
func (c *call) article(dst []byte, t time.Time) []byte {
	switch {
	case c.tongue != spanish || c.lean:
		return dst
	case t.Hour()%12 == 1:
		return append(dst, "la "...)
	}
	return append(dst, "las "...)
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}
