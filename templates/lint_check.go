package templates

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// check is the checking of one section of one template.
type check struct {
	*linter
	template *Template
	name     string // as people say it
	at       int    // where the section starts
	size     size
	longest  string // of the texts that are longer than they should be
	with     string // the sample that it was written with
}

// text checks one text.
func (c *check) text(s sample, text string, err error) {
	var wrong *Error
	switch {
	case errors.As(err, &wrong):
		c.unwritten(s, wrong)
	case s.hostile:
		c.whole(s, text)
	default:
		c.alphabet(text)
		c.links(s, text, 1)
		if !c.size.suits(text) && c.cost(text) > c.cost(c.longest) {
			c.longest, c.with = text, s.name
		}
	}
}

// unwritten is a text that could not be written. It is told for the first sample that shows it.
func (c *check) unwritten(s sample, e *Error) {
	if c.found[e.Error()+c.name] {
		return
	}
	c.found[e.Error()+c.name] = true
	fix := "say something in every case"
	if _, rest, ok := strings.Cut(e.Detail, `fact "`); ok {
		name, _, _ := strings.Cut(rest, `"`)
		fix = fmt.Sprintf(`guard it with {%% if %s %%} … {%% endif %%}, or say {{ %s | default: "…" }}`, name, name)
	}
	c.add(Finding{e.File, e.Line, fmt.Sprintf("no %s %s: %s", c.name, s.name, e.Detail), fix})
}

// cost is what a text that is too long is compared by.
func (c *check) cost(text string) int {
	if c.size.segments == 0 {
		return utf8.RuneCountInString(text)
	}
	count, _ := Segments(text)
	return count*smsSize.limit + utf8.RuneCountInString(text)
}

// tooLong tells of the longest of the texts that are.
func (c *check) tooLong() {
	if c.longest == "" {
		return
	}
	runes := utf8.RuneCountInString(c.longest)
	problem := fmt.Sprintf("the %s has %d characters %s, want at most %d: %q", c.name, runes, c.with, c.size.aim, c.longest)
	if c.size.segments > 0 {
		count, ucs := Segments(c.longest)
		problem = fmt.Sprintf("the SMS needs %d segments of %s %s (%d characters), want at most %d: %q",
			count, alphabetName(ucs), c.with, runes, c.size.segments, c.longest)
	}
	c.add(Finding{c.template.File, c.at, problem, "say less, or put what matters least in {% if room %} … {% endif %}"})
}

func alphabetName(ucs bool) string {
	if ucs {
		return "UCS-2"
	}
	return "GSM-7"
}

// alphabet finds what turns an English SMS into UCS-2, which has less than half the room. The values of the samples are
// ASCII, so it is a word of the template.
func (c *check) alphabet(text string) {
	if c.size.segments == 0 || c.template.tongue != english {
		return
	}
	for _, r := range text {
		if septets(r) > 0 {
			continue
		}
		fix := "SMS in English keep to GSM-7: take another character"
		if folded := Fold(string(r)); folded != string(r) {
			fix = fmt.Sprintf("SMS in English keep to GSM-7: write %q", folded)
		}
		c.add(Finding{c.template.File, c.lineOf(r), fmt.Sprintf("%q (%U) is not in GSM-7", r, r), fix})
	}
}

// lineOf is the first line of the section that has a character.
func (c *check) lineOf(r rune) int {
	line := 0
	for l := range bytes.Lines(c.source) {
		if line++; line >= c.at && bytes.ContainsRune(l, r) {
			return line
		}
	}
	return c.at
}

func (c *check) links(s sample, text string, most int) {
	if n := strings.Count(text, "://"); n > most {
		c.add(Finding{c.template.File, c.at, fmt.Sprintf("%d links in one %s %s", n, c.name, s.name),
			"keep the one that helps most, the next with {% elsif %}"})
	}
}

// whole holds a text to what no event may break.
func (c *check) whole(s sample, text string) {
	c.links(s, text, 1)
	bad := strings.IndexFunc(text, func(r rune) bool {
		return strings.ContainsRune("{}", r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
	})
	if bad >= 0 {
		c.add(Finding{c.template.File, c.at, fmt.Sprintf("the %s lets %+q of an event through", c.name, []rune(text[bad:])[0]), ""})
	}
	if forged.MatchString(text) {
		c.add(Finding{c.template.File, c.at, fmt.Sprintf("the %s lets a link of an event through: %.200q", c.name, text), "take a fact of the kind url"})
	}
}

// forged is a link of the hostile values, as a phone would find it.
var forged = regexp.MustCompile(`(?i)evil\.[a-z]{2}|192\.168\.1\.1|javascript:a|tel:\+`)
