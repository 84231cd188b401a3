package notify

import (
	"strings"
	"unicode"
)

// Keyword is what a text to us asks for.
type Keyword string

// The keywords.
const (
	KeywordStop  Keyword = "stop"
	KeywordStart Keyword = "start"
	KeywordHelp  Keyword = "help"
	NoKeyword    Keyword = ""
)

// keywords are what Twilio's advanced opt-out knows by default and what 47 CFR 64.1200(a)(10) names, and the Spanish words.
var keywords = map[string]Keyword{
	"STOP": KeywordStop, "STOPALL": KeywordStop, "UNSUBSCRIBE": KeywordStop, "CANCEL": KeywordStop, "END": KeywordStop,
	"QUIT": KeywordStop, "REVOKE": KeywordStop, "OPTOUT": KeywordStop, "ALTO": KeywordStop, "PARAR": KeywordStop,
	"START": KeywordStart, "UNSTOP": KeywordStart, "YES": KeywordStart, "INICIAR": KeywordStart, "COMENZAR": KeywordStart,
	"HELP": KeywordHelp, "INFO": KeywordHelp, "AYUDA": KeywordHelp,
}

// KeywordOf reads a text. It is a keyword when nothing else is in it: case, spaces and punctuation do not matter, so
// "Opt-out." and "STOP ALL!" are keywords and "please don't stop" is none.
func KeywordOf(text string) Keyword {
	if len(text) > 64 { // more than any keyword with whatever surrounds it
		return NoKeyword
	}
	word := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
	return keywords[word]
}
