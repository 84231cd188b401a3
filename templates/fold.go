package templates

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold writes a text in the alphabet of GSM-7 where that can be done without changing a word: "á" becomes "a" and "—"
// becomes "-", while "é", "ñ", "ü", "¿" and "¡" stay, because GSM-7 has them. A character that has no such twin stays too,
// and then the text is UCS-2 as before. Where folding would cost more segments than it saves ("…" is three dots) the text
// comes back as it is.
func Fold(text string) string {
	count, ucs := Segments(text)
	if !ucs {
		return text
	}
	var folded strings.Builder
	folded.Grow(len(text))
	plainLetter := false // the last character stands in GSM-7, so an accent after it can go
	for _, r := range norm.NFC.String(text) {
		switch {
		case septets(r) > 0:
			folded.WriteRune(r)
			plainLetter = true
		case unicode.Is(unicode.M, r):
			if !plainLetter {
				folded.WriteRune(r)
			}
		default:
			twin, ok := twinOf(r)
			plainLetter = ok
			if !ok {
				twin = string(r)
			}
			folded.WriteString(twin)
		}
	}
	if after, _ := Segments(folded.String()); after > count {
		return text
	}
	return folded.String()
}

// twinOf is what GSM-7 has for a character: from the table, or what Unicode says it is made of, without its accents.
func twinOf(r rune) (string, bool) {
	if twin, ok := twins[r]; ok {
		return twin, true
	}
	if plain := plain(r); plain != r {
		return string(plain), true
	}
	parts := norm.NFKD.String(string(r))
	if parts == string(r) {
		return "", false
	}
	var twin strings.Builder
	for _, p := range parts {
		known, ok := twins[p]
		switch {
		case septets(p) > 0:
			twin.WriteRune(p)
		case ok:
			twin.WriteString(known)
		case !unicode.Is(unicode.M, p):
			return "", false
		}
	}
	return twin.String(), twin.Len() > 0
}

// twins are the characters that Unicode does not take apart, or not into what people would write.
var twins = map[rune]string{
	'ç': "c", 'ł': "l", 'Ł': "L", 'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th", 'ħ': "h", 'ı': "i", 'ŋ': "n",
	'œ': "oe", 'Œ': "OE", '…': "...", '•': "-", '«': `"`, '»': `"`, '‹': "'", '›': "'", '‛': "'", '‟': `"`, '⁄': "/", '∕': "/",
	'×': "x", '÷': "/", '©': "(c)", '®': "(R)", '™': "TM", '¢': "c", '―': "-", '\u00A0': " ", '\u202F': " ", '\u2009': " ", '\t': " ",
	'\u00AD': "", '\u200B': "", '\u2060': "", '\uFEFF': "",
}
