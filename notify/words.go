package notify

import (
	"errors"
	"time"

	"onmyway/templates"
)

// errNoWords means that a milestone has no template.
var errNoWords = errors.New("the milestone has no template")

// words writes the texts of one event for one customer. Each part is written once, when it is first asked for.
type words struct {
	*templates.Template
	vars        templates.Vars
	asked       string // the customer's locale where the words are in another one
	fold        bool   // texts go out without accents
	title, body string
	err         error
	written     bool
}

// words finds the template of a milestone in the customer's language.
func (r *Rules) words(line Line, milestone string, c *Customer, v templates.Vars) words {
	locale := c.Locale
	if locale == "" {
		locale = r.Locale
	}
	v.Line, v.Customer, v.Zone = string(line), c.Name, r.zone(c)
	t := r.Words.Lookup(string(line), milestone, locale)
	if t == nil {
		return words{Template: &templates.Template{}, vars: v, written: true, err: errNoWords}
	}
	w := words{Template: t, vars: v, fold: r.FoldTexts}
	if t.Locale != locale {
		w.asked = locale
	}
	return w
}

// page is the title and text of a push or live message.
func (w *words) page() (title, body string, err error) {
	if !w.written {
		w.written = true
		if w.title, w.err = w.Title(&w.vars); w.err == nil {
			w.body, w.err = w.Body(&w.vars)
		}
	}
	return w.title, w.body, w.err
}

// text is the text message. It does not depend on whether the page could be written.
func (w *words) text() (string, error) {
	if errors.Is(w.err, errNoWords) {
		return "", w.err
	}
	text, err := w.SMS(&w.vars)
	if w.fold && err == nil {
		// Where something is left that no fold helps, the accents cost nothing more.
		if folded := templates.Fold(text); !isUnicode(folded) {
			text = folded
		}
	}
	return text, err
}

func isUnicode(text string) bool {
	_, unicode := templates.Segments(text)
	return unicode
}

// wordless is the reason for a text that could not be written.
func wordless(err error) Reason {
	if errors.Is(err, errNoWords) {
		return NoTemplate
	}
	return InvalidTemplate
}

func (r *Rules) zone(c *Customer) *time.Location {
	if c.TimeZone != "" {
		if z := r.Zones(c.TimeZone); z != nil {
			return z
		}
	}
	return r.Zone
}
