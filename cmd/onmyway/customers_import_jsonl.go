package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

// withoutMark passes over the byte order mark that some programs write first.
func withoutMark(in io.Reader) io.Reader {
	b := bufio.NewReader(in)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // it was just seen
	}
	return b
}

// jsonlRows reads one customer a line.
type jsonlRows struct {
	lines *eventReader
}

func openJSONL(in io.Reader) (customerRows, error) {
	r := newEventReader(in, true)
	if _, err := r.in.Peek(1); err != nil {
		return nil, errNoHeader
	}
	return &jsonlRows{lines: r}, nil
}

func (r *jsonlRows) at() int64 { return r.lines.at }

// jsonCustomer is a customer as PUT /v1/customers/{id} takes it, with its id.
type jsonCustomer struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Phone       string `json:"phone"`
	Locale      string `json:"locale"`
	TimeZone    string `json:"time_zone"`
	SMSConsent  *bool  `json:"sms_consent"`
	Preferences struct {
		Channels   map[string]bool            `json:"channels"`
		Categories map[string]map[string]bool `json:"categories"`
		Quiet      *struct {
			Start string `json:"start"`
			End   string `json:"end"`
		} `json:"quiet_hours"`
	} `json:"preferences"`
}

// jsonNames are the fields of a jsonCustomer, at any depth.
var jsonNames = []string{"id", "name", "phone", "locale", "time_zone", "preferences", "sms_consent", "channels", "categories", "quiet_hours", "start", "end"}

func (r *jsonlRows) next() (customerRow, error) {
	value, line, err := r.lines.next()
	if err != nil {
		return customerRow{}, err
	}
	row := customerRow{line: line}
	var read customerReader
	if len(value) > mapping.MaxSize {
		read.wrong("", "is longer than a customer can be: write one customer a line")
		row.problems = read.problems
		return row, nil
	}
	var said jsonCustomer
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	err = dec.Decode(&said)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errTwoValues
		}
	}
	if err != nil {
		row.problems = []notify.Problem{jsonFault(err)}
		return row, nil
	}
	c := said.read(&read)
	row.id, row.problems = c.ID, read.problems
	consent := consentOf(said.SMSConsent)
	row.edit = func(to *notify.Customer) {
		to.Contact = c.Contact
		to.Preferences = c.Preferences
		hearConsent(to, consent)
	}
	return row, nil
}

func (b *jsonCustomer) read(r *customerReader) notify.Customer {
	c := notify.Customer{ID: r.id(b.ID), Contact: notify.Contact{
		Name: r.name(b.Name), Phone: r.phone(b.Phone), Locale: r.locale(b.Locale), TimeZone: r.zone(b.TimeZone),
	}}
	p := &b.Preferences
	c.Preferences.Channels = r.channels("preferences.channels", p.Channels)
	for _, word := range slices.Sorted(maps.Keys(p.Categories)) {
		cat := notify.Category(word)
		if !slices.Contains(notify.Categories, cat) {
			r.wrong("preferences.categories", "names a category that there is not: use "+join(notify.Categories))
			continue
		}
		if c.Preferences.Categories == nil {
			c.Preferences.Categories = map[notify.Category]map[notify.Channel]bool{}
		}
		c.Preferences.Categories[cat] = r.channels("preferences.categories."+word, p.Categories[word])
	}
	if q := p.Quiet; q != nil {
		c.Preferences.Quiet = &notify.QuietHours{
			Start: r.clock("preferences.quiet_hours.start", q.Start), End: r.clock("preferences.quiet_hours.end", q.End),
		}
	}
	return c
}

var errTwoValues = errors.New("more than one value on a line")

// jsonFault says what is wrong with a line, without what it says.
func jsonFault(err error) notify.Problem {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return notify.Problem{Field: kind.Field, Detail: "is of the wrong kind: write it as PUT /v1/customers/{id} takes it"}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return unknownJSON(strings.Trim(name, `"`))
	}
	if errors.Is(err, errTwoValues) {
		return notify.Problem{Detail: "has more than one object: write one customer a line"}
	}
	return notify.Problem{Detail: "is not a JSON object: write one customer a line"}
}

func unknownJSON(name string) notify.Problem {
	p := notify.Problem{Detail: "is not a field: use " + strings.Join(jsonNames[:7], ", ")}
	if looksLikeName(name) {
		p.Field = name
	}
	if near, ok := notify.Nearest(name, jsonNames); ok {
		p.Detail = "is not a field: did you mean " + near + "?"
	}
	return p
}
