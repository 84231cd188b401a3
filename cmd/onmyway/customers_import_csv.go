package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"onmyway/notify"
)

// csvColumns are the names that a CSV file's first line may have.
var csvColumns = []string{"id", "name", "phone", "locale", "time_zone", "sms", "push", "websocket", "quiet_start", "quiet_end", "sms_consent"}

// csvRows reads customers from CSV (RFC 4180). What a cell holds is data: nothing in it is ever worked out.
type csvRows struct {
	csv     *csv.Reader
	leash   *leash
	line    int      // of the last row
	columns []string // the name of each cell
}

// openCSV reads the first line.
func openCSV(in io.Reader) (customerRows, error) {
	l := &leash{in: withoutMark(in)}
	r := &csvRows{csv: csv.NewReader(l), leash: l}
	r.csv.FieldsPerRecord = -1 // counted here, with words that help
	l.slack()
	names, err := r.csv.Read()
	switch {
	case err == io.EOF:
		return nil, errNoHeader
	case err != nil:
		return nil, fmt.Errorf("line 1: %w", csvFault(err))
	}
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSpace(names[i]))
	}
	r.columns = names
	return r, checkColumns(names)
}

// checkColumns names everything that is wrong with the first line.
func checkColumns(names []string) error {
	if len(names) == 1 {
		for _, mark := range []string{";", "\t", "|"} {
			if strings.Contains(names[0], mark) {
				return fmt.Errorf("line 1: cells are separated by %q: save the file with commas between them", mark)
			}
		}
	}
	var errs []error
	for i, name := range names {
		switch {
		case name == "":
			errs = append(errs, fmt.Errorf("line 1: column %d has no name: name it, or delete it", i+1))
		case !slices.Contains(csvColumns, name):
			errs = append(errs, unknownColumn(name))
		case slices.Index(names, name) < i:
			errs = append(errs, fmt.Errorf("line 1: column %s comes twice: delete one", name))
		}
	}
	if !slices.Contains(names, "id") {
		errs = append(errs, errors.New("line 1: column id is missing: the first line must name the columns"))
	}
	return errors.Join(errs...)
}

// unknownColumn suggests a name. What stands there is repeated only when it looks like one: a file without a first line of
// names has a customer there.
func unknownColumn(name string) error {
	shown := "this column"
	if looksLikeName(name) {
		shown = "column " + name
	}
	if near, ok := notify.Nearest(strings.NewReplacer(" ", "_", "-", "_").Replace(name), csvColumns); ok {
		return fmt.Errorf("line 1: %s is unknown: did you mean %s?", shown, near)
	}
	return fmt.Errorf("line 1: %s is unknown: use %s", shown, strings.Join(csvColumns, ", "))
}

// looksLikeName tells a name of a column or field from what may be somebody's number.
func looksLikeName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_ -"
	return len(s) <= 40 && strings.Trim(s, letters) == ""
}

func (r *csvRows) at() int64 { return r.csv.InputOffset() }

func (r *csvRows) next() (customerRow, error) {
	r.leash.slack()
	cells, err := r.csv.Read()
	var fault *csv.ParseError
	switch {
	case errors.As(err, &fault) && !errors.Is(err, errLongRow):
		// The reader goes on with the next line.
		return customerRow{line: fault.StartLine, problems: []notify.Problem{{Detail: csvFault(err).Error()}}}, nil
	case errors.Is(err, errLongRow):
		return customerRow{}, fmt.Errorf("after line %d: %w", r.line, err)
	case err != nil:
		return customerRow{}, err
	}
	line, _ := r.csv.FieldPos(0)
	r.line = line
	var read customerReader
	if len(cells) != len(r.columns) {
		read.wrong("", fmt.Sprintf("has %d cells where the first line names %d columns: put quotes around a cell that has commas", len(cells), len(r.columns)))
		return customerRow{line: line, problems: read.problems}, nil
	}
	row := customerRow{line: line}
	var c csvCustomer
	for i, cell := range cells {
		if cell = strings.TrimSpace(cell); cell != "" || r.columns[i] == "id" {
			c.set(&read, r.columns[i], cell)
		}
	}
	c.setQuiet(&read)
	row.id, row.edit, row.problems = c.id, c.edit, read.problems
	return row, nil
}

// csvCustomer is what one line says of a customer. What is nil or empty is not said.
type csvCustomer struct {
	id                        string
	name, phone, locale, zone string
	channels                  map[notify.Channel]string // on, off, default
	quietStart, quietEnd      string
	quiet                     *notify.QuietHours
	quietSaid                 bool
	consent                   *notify.Consent
}

func (c *csvCustomer) set(r *customerReader, column, cell string) {
	switch column {
	case "id":
		c.id = r.id(cell)
	case "name":
		c.name = r.name(cell)
	case "phone":
		c.phone = r.phone(cell)
	case "locale":
		c.locale = r.locale(cell)
	case "time_zone":
		c.zone = r.zone(cell)
	case "quiet_start":
		c.quietStart = strings.ToLower(cell)
	case "quiet_end":
		c.quietEnd = strings.ToLower(cell)
	case "sms_consent":
		c.consent = r.consent(column, cell)
	default:
		choice := strings.ToLower(cell)
		if choice != "on" && choice != "off" && choice != "default" {
			r.wrong(column, "is neither on nor off: write on, off or default, or leave it empty")
		}
		if c.channels == nil {
			c.channels = map[notify.Channel]string{}
		}
		c.channels[notify.Channel(column)] = choice
	}
}

// setQuiet reads the two cells of the quiet hours, which go together.
func (c *csvCustomer) setQuiet(r *customerReader) {
	start, end := c.quietStart, c.quietEnd
	switch {
	case start == "" && end == "":
		return
	case start == "":
		r.wrong("quiet_start", "is empty where quiet_end is not: write both, or none of them")
	case end == "":
		r.wrong("quiet_end", "is empty where quiet_start is not: write both, or none of them")
	case start == "none" && end == "none":
		c.quietSaid = true
	default:
		c.quiet = &notify.QuietHours{Start: r.clock("quiet_start", start), End: r.clock("quiet_end", end)}
		c.quietSaid = true
	}
}

// edit writes what is said over what is stored.
func (c *csvCustomer) edit(to *notify.Customer) {
	for _, part := range []struct {
		to   *string
		said string
	}{{&to.Name, c.name}, {&to.Phone, c.phone}, {&to.Locale, c.locale}, {&to.TimeZone, c.zone}} {
		if part.said != "" {
			*part.to = part.said
		}
	}
	if len(c.channels) > 0 {
		chosen := maps.Clone(to.Preferences.Channels) // what is stored is not ours
		if chosen == nil {
			chosen = map[notify.Channel]bool{}
		}
		for ch, choice := range c.channels {
			if choice == "default" {
				delete(chosen, ch)
			} else {
				chosen[ch] = choice == "on"
			}
		}
		to.Preferences.Channels = chosen
	}
	if c.quietSaid {
		to.Preferences.Quiet = c.quiet
	}
	hearConsent(to, c.consent)
}

// csvFault says in our words what is wrong with the quotes of a row.
func csvFault(err error) error {
	switch {
	case errors.Is(err, csv.ErrBareQuote):
		return errors.New(`has a quote inside of a cell: put the cell into quotes and write each quote in it twice ("")`)
	case errors.Is(err, csv.ErrQuote):
		return errors.New(`has a quote that is never closed, or text after one: write each quote inside of a cell twice ("")`)
	}
	return err
}

// longestRow bounds a row: a quote that is never closed would take the rest of the file for one cell.
const longestRow = 1 << 20

var errLongRow = errors.New("a row is longer than 1 MB: a quote in it or before it is never closed")

// leash ends a read that goes on for longer than a row may be.
type leash struct {
	in   io.Reader
	left int
}

// slack lets another row be read, and as much as the CSV reader reads ahead.
func (l *leash) slack() { l.left = longestRow }

func (l *leash) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongRow
	}
	n, err := l.in.Read(p)
	l.left -= n
	return n, err
}
