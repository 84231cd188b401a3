package templates

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many accents a letter may carry. Vietnamese has two; a pile of them paints over the lines around it.
const maxMarks = 2

// text writes what an event says as one line of readable text of at most limit runes. Control characters, those without
// width, those that turn the direction of writing, and braces are dropped, all blanks become one, and a longer text ends
// at a word with "...". What a phone would turn into a link is taken apart, and of a text with an address in it nothing is
// written: the links of a message are the facts that are declared as such. In SMS typographic quotes and dashes become those
// of GSM-7: a single one would double the price.
func (c *call) text(dst []byte, s string, limit int) []byte {
	if len(s) <= limit && isTidy(s) {
		return append(dst, s...)
	}
	if strings.Contains(s, "://") {
		return dst
	}
	start, runes := len(dst), 0
	cut := start // where the text ends if it turns out to be too long
	blank, marks := false, 0
	for i, r := range s {
		if r = c.readable(r); r == 0 {
			continue
		}
		if r == ' ' {
			blank = len(dst) > start
			continue
		}
		if marks = marksAfter(marks, r); marks > maxMarks {
			continue
		}
		blank = blank || c.wouldLink(dst[start:], r, s[i:])
		if runes == limit || runes == limit-1 && blank {
			return append(endOfWord(dst[:cut], start), "..."...)
		}
		if blank {
			dst, blank = append(dst, ' '), false
			runes++
		}
		dst = utf8.AppendRune(dst, r)
		runes++
		if runes <= limit-3 {
			cut = len(dst)
		}
	}
	return dst[:start+len(bytes.TrimRight(dst[start:], " :"))] // "tel:", with what the template says next, would be a link
}

// isTidy finds the texts that need no cleaning, which are most: words of ASCII with one space between them.
func isTidy(s string) bool {
	blank := true // before the first word
	for i := range len(s) {
		b := s[i]
		switch {
		case b == ' ' && !blank:
			blank = true
		case b <= ' ' || b >= 0x7f || b == '{' || b == '}' || b == '`':
			return false
		case b == '.' && i+1 < len(s) && s[i+1] != ' ', b == ':' && (i+1 == len(s) || s[i+1] != ' '):
			return false // "evil.example", "tel:1"
		default:
			blank = false
		}
	}
	return !blank
}

func marksAfter(marks int, r rune) int {
	if r < 0x80 || !unicode.Is(unicode.M, r) {
		return 0
	}
	return marks + 1
}

// wouldLink tells that the rune r, the first of rest, must not follow what is written, because phones make links of what
// has the form of one: a name with a dot and two letters, an address of numbers, a scheme. "J.R.", "9 a.m.", "2.5" and
// "14:30" stay as they are.
func (c *call) wouldLink(written []byte, r rune, rest string) bool {
	if len(written) < 2 {
		return false
	}
	before, last := written[len(written)-2], written[len(written)-1]
	switch {
	case last == ':':
		return !isDigit(rune(before)) || !isDigit(r)
	case last != '.' || before == ' ' || before == '.':
		return false
	case isDigit(r):
		word := written[bytes.LastIndexByte(written, ' ')+1:]
		return bytes.IndexByte(word, '.') < len(word)-1 // 192.168.…
	}
	return unicode.IsLetter(r) && !c.isLone(rest)
}

// isLone tells that the first letter of rest is a word of its own. No domain ends with a single letter.
func (c *call) isLone(rest string) bool {
	_, size := utf8.DecodeRuneInString(rest)
	for _, r := range rest[size:] {
		if r = c.readable(r); r != 0 {
			return r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.N)
		}
	}
	return true
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// readable is the rune as customers get it; 0 to drop it.
func (c *call) readable(r rune) rune {
	switch {
	case r == '{' || r == '}' || r == utf8.RuneError:
		return 0
	case r > ' ' && r < 0x7f && r != '`':
		return r
	case unicode.IsSpace(r):
		return ' '
	case r == '。' || r == '．' || r == '｡' || r == '․':
		return '.' // what browsers read as the dot of a domain (UTS 46)
	case !unicode.IsPrint(r) || isBlankLetter(r):
		return 0
	case c.sms:
		return plain(r)
	}
	return r
}

// isBlankLetter finds the characters that Unicode counts as letters, marks or symbols and that show nothing.
func isBlankLetter(r rune) bool {
	switch r {
	case '\u034F', '\u115F', '\u1160', '\u17B4', '\u17B5', '\u2800', '\u3164', '\uFFA0':
		return true
	}
	return false
}

// plain is the GSM-7 twin of a typographic character.
func plain(r rune) rune {
	switch r {
	case '‘', '’', '‚', 'ʼ', '′', '`', '´':
		return '\''
	case '“', '”', '„', '″':
		return '"'
	case '‐', '‑', '‒', '–', '—', '−':
		return '-'
	case '…', '•', '·':
		return '.'
	}
	return r
}

// endOfWord takes off a word that was cut, if that does not take too much.
func endOfWord(dst []byte, start int) []byte {
	at := bytes.LastIndexByte(dst[start:], ' ')
	if at < 0 || len(dst)-start-at > 20 {
		return dst
	}
	return bytes.TrimRight(dst[:start+at], " ,.;:")
}

// isLink tells that s is a link as a customer may get it. What is not plain ASCII has to come percent-encoded or as
// punycode: letters of other scripts that look like ours lead elsewhere, and so does a host after an @.
func isLink(s string) bool {
	if len(s) > maxURL {
		return false
	}
	_, rest, found := strings.Cut(s, "://")
	scheme := s[:len(s)-len(rest)]
	if !found || !strings.EqualFold(scheme, "https://") && !strings.EqualFold(scheme, "http://") {
		return false
	}
	for i := range len(rest) {
		if !isLinkByte(rest[i]) {
			return false
		}
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	return host != "" && host[0] != ':' && host[0] != '.' && !strings.HasSuffix(host, ":") && !strings.Contains(host, "@")
}

// isLinkByte tells that a byte may stand in a link (RFC 3986); a quote may, but ends the link in most messengers.
func isLinkByte(b byte) bool {
	switch b {
	case '"', '\'', '<', '>', '\\', '^', '`', '{', '|', '}':
		return false
	}
	return b > ' ' && b < 0x7f
}

// moment reads a time or a day. A day has no zone: its midnight is that of the zone it is shown in.
func moment(s string, zone *time.Location) (time.Time, bool) {
	if len(s) == len(time.DateOnly) {
		t, err := time.ParseInLocation(time.DateOnly, s, zone)
		return t, err == nil
	}
	if len(s) < len("2006-01-02T15:04:05Z") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, false
	}
	t = t.In(zone)
	return t, t.Year() > 0 && t.Year() <= 9999
}

// firstName leaves of the name at dst[start:] what people are called by: "Sam" of "Sam Rivera", "Rivera, Sam", "SAM RIVERA"
// and "Mr. Sam Rivera".
func firstName(dst []byte, start int) []byte {
	name := dst[start:]
	if _, given, inverted := bytes.Cut(name, []byte(", ")); inverted {
		name = given
	}
	first, rest, _ := bytes.Cut(name, []byte(" "))
	if len(rest) > 0 && isCourtesy(bytes.TrimSuffix(first, []byte("."))) {
		first, _, _ = bytes.Cut(rest, []byte(" "))
	}
	dst = append(dst[:start], first...)
	if utf8.RuneCount(dst[start:]) > 2 && bytes.IndexFunc(dst[start:], unicode.IsLower) < 0 {
		_, size := utf8.DecodeRune(dst[start:])
		return append(dst[:start+size], bytes.ToLower(dst[start+size:])...)
	}
	return dst
}

// isCourtesy finds the words before a name.
func isCourtesy(word []byte) bool {
	var lower [len("srta")]byte
	if len(word) > len(lower) {
		return false
	}
	for i, b := range word {
		lower[i] = b | 0x20 // the small letter, where it is one
	}
	switch string(lower[:len(word)]) {
	case "mr", "mrs", "ms", "mx", "dr", "sr", "sra", "srta":
		return true
	}
	return false
}

// carName leaves of the vehicle at dst[start:] make and model: "Honda Civic" of "2021 Honda Civic".
func carName(dst []byte, start int) []byte {
	year, model, found := bytes.Cut(dst[start:], []byte(" "))
	n, err := strconv.Atoi(string(year))
	if !found || err != nil || n < 1900 || n > 2100 {
		return dst
	}
	return append(dst[:start], model...)
}

// upperCase writes dst[start:] in capitals.
func upperCase(dst []byte, start int) []byte {
	return append(dst[:start], bytes.ToUpper(dst[start:])...)
}
