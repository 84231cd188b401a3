package twilio

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// trialPrefix is what Twilio puts before the texts of a trial account.
const trialPrefix = "Sent from your Twilio trial account - "

// sameText tells that Twilio's copy is of the text that we sent. A messaging service with Smart Encoding keeps a copy in
// which typographic characters are plain ones, and blanks at the ends may be gone. Where it is in doubt the texts are the
// same: a text taken for another one would be sent twice.
func sameText(ours, copied string) bool {
	if ours == copied {
		return true
	}
	ours, copied = plain(ours), plain(copied)
	return ours == copied || ours == strings.TrimSpace(strings.TrimPrefix(copied, plain(trialPrefix)))
}

// lookalikes are plain characters for typographic ones that Unicode itself does not call compatible (NFKD).
var lookalikes = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "′", "'", "‵", "'", "`", "'", "´", "'", "ʻ", "'", "ʼ", "'", "ʽ", "'", "ˈ", "'",
	"“", `"`, "”", `"`, "„", `"`, "‟", `"`, "″", `"`, "‶", `"`, "«", `"`, "»", `"`, "〝", `"`, "〞", `"`, "ʺ", `"`, "˝", `"`,
	"‹", "<", "›", ">", "⁄", "/", "÷", "/", "∕", "/", "×", "x", "•", "-", "·", ".", "¦", "|", "∗", "*", "∶", ":", "∼", "~",
)

// plain folds a text to what is left of it in any encoding: no accents, plain quotes and dashes, single blanks.
func plain(text string) string {
	text = lookalikes.Replace(text)
	var b strings.Builder
	blank := false
	for _, r := range lookalikes.Replace(norm.NFKD.String(text)) {
		switch {
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case unicode.In(r, unicode.Mn, unicode.Cf, unicode.Cc): // accents, joiners, what cannot be seen
			continue
		case unicode.In(r, unicode.Pd):
			r = '-'
		case r == '−':
			r = '-'
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
