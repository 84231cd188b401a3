package mapping

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"onmyway/notify"
)

const (
	maxLabel    = 128             // characters of an id
	maxName     = 200             // characters of a person's name
	maxSequence = 1<<53 - 1       // what JavaScript and JSON tools carry exactly
	clockSkew   = 5 * time.Minute // how far producers' clocks may be apart from Kafka's
	wrongClock  = 24 * time.Hour  // how far ours may be off
)

// earliest is the first time that is believed. Before it lie only the default values of programming languages.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// need says whether a field must be there.
type need bool

const (
	required need = true
	optional need = false
)

// text reads a string; "" where there is none or it is wrong. An empty one counts as absent.
func (d *decoder) text(field string, v value, n need) string {
	b := d.raw(field, v, n)
	if inner := (span{v.start + 1, v.end - 1}); v.kind == text && len(b) == inner.end-inner.start {
		return d.copied(inner) // without escapes: each is longer than what it stands for
	}
	return string(b)
}

// raw is text without a copy: good until the record goes.
func (d *decoder) raw(field string, v value, n need) []byte {
	var b []byte
	switch v.kind {
	case text:
		b = d.name(span{v.start + 1, v.end - 1})
	case absent:
	default:
		d.note(WrongType, field, "must be text in double quotes")
		return nil
	}
	if len(b) == 0 && n == required {
		d.note(MissingField, field, "is missing: every event needs it")
	}
	return b
}

// label reads an id: 1 to 128 printable characters.
func (d *decoder) label(field string, v value, n need) string {
	return d.bounded(field, d.text(field, v, n), maxLabel)
}

func (d *decoder) bounded(field, s string, most int) string {
	if len(s) > most && utf8.RuneCountInString(s) > most || !printable(s) {
		d.note(BadText, field, "must be 1 to "+strconv.Itoa(most)+" printable characters")
		return ""
	}
	return s
}

func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r >= 0x7f && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

func (d *decoder) line(field string, v value) notify.Line {
	b := d.raw(field, v, required)
	if len(b) == 0 {
		return ""
	}
	for _, l := range notify.Lines {
		if string(b) == string(l) {
			return l
		}
	}
	d.note(UnknownLine, field, "must be car_haul, drive_away or title_registration")
	return ""
}

// milestone looks the name up. Without a line it can only tell whether there is a name.
func (d *decoder) milestone(field string, v value, line notify.Line) *notify.Milestone {
	b := d.raw(field, v, required)
	if len(b) == 0 || line == "" {
		return nil
	}
	m := notify.MilestoneOf(line, string(b))
	if m == nil {
		d.note(UnknownMilestone, field, "is not a milestone of "+string(line)+suggestion(line, string(b)))
	}
	return m
}

func (d *decoder) sequence(field string, v value) int64 {
	if v.kind == absent {
		return 0
	}
	if v.kind == number && v.end-v.start <= 16 {
		n, err := strconv.ParseInt(string(d.src[v.start:v.end]), 10, 64)
		if err == nil && n >= 1 && n <= maxSequence {
			return n
		}
	}
	d.note(WrongType, field, "must be a whole number from 1 to 9007199254740991, without quotes")
	return 0
}

// occurredAt reads when it happened, in UTC and whole microseconds, as databases keep it. Where the event says nothing,
// its envelope may.
func (d *decoder) occurredAt(field string, v value, enveloped string) time.Time {
	b := []byte(enveloped)
	if v.kind != absent || enveloped == "" {
		b = d.raw(field, v, required)
	}
	if len(b) == 0 {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, string(b))
	switch {
	case err != nil:
		d.note(BadTime, field, "is not a time: write it like 2026-11-21T19:00:00Z")
	case t.Before(earliest):
		d.note(BadTime, field, "lies before the year 2000: send when it happened, like 2026-11-21T19:00:00Z")
	case t.After(d.latest):
		d.note(TimeInFuture, field, "lies more than 5 minutes ahead: send when it happened, with its offset from UTC, and check the sender's clock")
	}
	return t.UTC().Truncate(time.Microsecond)
}
