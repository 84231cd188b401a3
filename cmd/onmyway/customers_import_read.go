package main

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

// What a customer's id and name may have, in characters: the same as over REST.
const (
	longestID   = 128
	longestName = 200
)

// customerReader reads the parts of one customer and notes what is wrong. Where it notes something what it returns is
// not to be used. It never repeats a value: that may be a phone number.
type customerReader struct{ problems []notify.Problem }

func (r *customerReader) wrong(field, detail string) {
	r.problems = append(r.problems, notify.Problem{Field: field, Detail: detail})
}

// label reads text that stands on one line.
func (r *customerReader) label(field, s string, most int) string {
	switch {
	case !utf8.ValidString(s):
		r.wrong(field, "is not UTF-8: save the file as UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsRune(s, utf8.RuneError):
		r.wrong(field, "has line breaks or other characters that can't be printed: write it on one line")
	case utf8.RuneCountInString(s) > most:
		r.wrong(field, "is longer than "+thousands(most)+" characters: shorten it")
	}
	return s
}

func (r *customerReader) id(s string) string {
	if s == "" {
		r.wrong("id", "is missing: write the customer's id in your own systems")
	}
	return r.label("id", s, longestID)
}

func (r *customerReader) name(s string) string {
	return r.label("name", strings.TrimSpace(s), longestName)
}

func (r *customerReader) phone(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	e164, ok := mapping.E164(s)
	if !ok {
		r.wrong("phone", `is not a phone number that can exist: write it with its country code, such as +14155550123`)
	}
	return e164
}

func (r *customerReader) locale(s string) string {
	if s == "" {
		return ""
	}
	tag, ok := mapping.Locale(s)
	if !ok {
		r.wrong("locale", "is not a language: write one such as en-US or es")
	}
	return tag
}

func (r *customerReader) zone(s string) string {
	if s != "" && !mapping.IsZone(s) {
		r.wrong("time_zone", "is not a time zone: write one such as America/Los_Angeles")
	}
	return s
}

// clock reads a time of day.
func (r *customerReader) clock(field, s string) notify.Clock {
	c, err := notify.ParseClock(s)
	if err != nil {
		r.wrong(field, "is "+err.Error())
	}
	return c
}

// channels reads what is said of channels: {"sms": false}.
func (r *customerReader) channels(field string, said map[string]bool) map[notify.Channel]bool {
	if len(said) == 0 {
		return nil
	}
	read := make(map[notify.Channel]bool, len(said))
	for _, word := range slices.Sorted(maps.Keys(said)) {
		if !slices.Contains(notify.Channels, notify.Channel(word)) {
			r.wrong(field, "names a channel that there is not: use "+join(notify.Channels))
		}
		read[notify.Channel(word)] = said[word]
	}
	return read
}

// consent reads yes or no, said now.
func (r *customerReader) consent(field, s string) *notify.Consent {
	given := strings.EqualFold(s, "yes")
	if !given && !strings.EqualFold(s, "no") {
		r.wrong(field, "is neither yes nor no: write yes or no, or leave it empty")
	}
	return consentOf(&given)
}

// consentOf is what a file says of consent to texts, said now; nil for nothing.
func consentOf(given *bool) *notify.Consent {
	if given == nil {
		return nil
	}
	return &notify.Consent{Given: *given, At: time.Now().UTC().Truncate(time.Millisecond), Source: notify.ConsentByImport}
}

// hearConsent takes over what a file says of consent, as far as it is news; nil is nothing.
func hearConsent(to *notify.Customer, said *notify.Consent) {
	if said != nil {
		to.Consents, _ = to.Consents.Hear(notify.SMS, *said)
	}
}

// errNoHeader is the error of a file that has not even a first line.
var errNoHeader = errors.New("the file is empty")
