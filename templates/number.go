package templates

import (
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
)

// forms are the words that the plural filter chooses from, in the categories of CLDR.
type forms struct {
	one   string
	other string
	many  string // for a million in Spanish; empty: "de" and other
}

// plural writes a number and its word: "1 photo", "12 photos", "1,000,000 de fotos". Of a list it is the number of items.
func (c *call) plural(dst []byte, f *field) ([]byte, bool) {
	start := len(dst)
	number := c.raw(&f.fact)
	if f.fact.kind == KindList {
		dst = strconv.AppendInt(dst, int64(c.length(number)), 10)
	} else {
		var ok bool
		if dst, ok = count(dst, number); !ok {
			return dst, false
		}
	}
	n := 0
	for _, b := range dst[start:] {
		if b != ',' {
			n = n*10 + int(b-'0')
		}
	}
	if n == 0 && f.fact.kind == KindList {
		return dst[:start], false
	}
	form := c.category(n)
	dst = append(dst, ' ')
	switch {
	case form == plural.One:
		return append(dst, f.forms.one...), true
	case form == plural.Many && f.forms.many != "":
		return append(dst, f.forms.many...), true
	case form == plural.Many:
		dst = append(dst, c.say("", "de ", "")...)
	}
	return append(dst, f.forms.other...), true
}

// category is the plural category of a whole number. The rules are those of CLDR 48. English: one is 1. Spanish: one is 1,
// many is every multiple of a million but zero. Other languages have the rules of x/text.
func (c *call) category(n int) plural.Form {
	switch {
	case c.tongue == numeric:
		return plural.Cardinal.MatchPlural(c.tag, n, 0, 0, 0, 0)
	case n == 1:
		return plural.One
	case c.tongue == spanish && n > 0 && n%1_000_000 == 0:
		return plural.Many
	}
	return plural.Other
}

// duration writes minutes as people say them: "45 minutes", "1 hour", "2 hours 30 minutes", "3 days". From two days on
// the hours are left out, and from ten hours on the minutes.
func (c *call) duration(dst []byte, s string) ([]byte, bool) {
	minutes, err := strconv.Atoi(s)
	if err != nil || !isDigits(s) || minutes == 0 {
		return dst, false
	}
	switch {
	case minutes >= 48*60:
		return c.unit(dst, (minutes+12*60)/(24*60), "day", "día", "d"), true
	case minutes >= 10*60:
		return c.unit(dst, (minutes+30)/60, "hour", "hora", "h"), true
	case minutes >= 60:
		dst = c.unit(dst, minutes/60, "hour", "hora", "h")
		if minutes %= 60; minutes == 0 {
			return dst, true
		}
		dst = append(dst, ' ')
	}
	return c.unit(dst, minutes, "minute", "minuto", "min"), true
}

// unit writes a number of something that takes an s for more than one.
func (c *call) unit(dst []byte, n int, inEnglish, inSpanish, short string) []byte {
	dst = grouped(dst, strconv.Itoa(n))
	dst = append(append(dst, c.space...), c.say(inEnglish, inSpanish, short)...)
	if n != 1 && c.tongue != numeric {
		dst = append(dst, 's')
	}
	return dst
}

// maxDigits is how long a number may be: nobody owes or drives a million millions.
const maxDigits = 12

// grouped writes whole digits with commas: 28,114. Both languages of the United States do.
func grouped(dst []byte, digits string) []byte {
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, digits[i])
	}
	return dst
}

// count writes a whole number.
func count(dst []byte, s string) ([]byte, bool) {
	if !isDigits(s) {
		return dst, false
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		s = "0"
	}
	return grouped(dst, s), true
}

// money writes an amount: "$1,184.50", "1,184.50 CAD". No currency means dollars.
func money(dst []byte, amount, currency string) ([]byte, bool) {
	whole, cents, _ := strings.Cut(strings.TrimPrefix(amount, "$"), ".")
	if !isDigits(whole) || len(cents) > 2 || cents != "" && !isDigits(cents) {
		return dst, false
	}
	dollars := currency == "" || currency == "USD"
	if !dollars && !isCurrency(currency) {
		return dst, false
	}
	if dollars {
		dst = append(dst, '$')
	}
	dst = append(grouped(dst, whole), '.')
	dst = append(dst, (cents + "00")[:2]...)
	if !dollars {
		dst = append(append(dst, ' '), currency...)
	}
	return dst, true
}

// isDigits tells that s is a whole number of bounded length.
func isDigits(s string) bool {
	if s == "" || len(s) > maxDigits {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isCurrency tells that s has the form of an ISO 4217 code.
func isCurrency(s string) bool {
	return len(s) == 3 && strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

// phone writes a telephone number as the event has it. What has letters in it is none, so that nobody can put words where
// a customer is asked to call: E.164 allows 15 digits, and their spelling some marks.
func phone(dst []byte, s string) ([]byte, bool) {
	digits := 0
	for i := range len(s) {
		switch b := s[i]; {
		case b >= '0' && b <= '9':
			digits++
		case b == '+' && i == 0, strings.IndexByte(" -.()", b) >= 0:
		default:
			return dst, false
		}
	}
	if digits < 3 || digits > 15 || len(s) > 24 || strings.Count(s, ".") > 2 { // three dots: an address of the Internet
		return dst, false
	}
	return append(dst, s...), true
}
