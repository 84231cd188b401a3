package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"onmyway/notify"
)

// format is how a command answers: a table for people, JSON for scripts.
type format string

const (
	asTable format = "table"
	asJSON  format = "json"
)

// outputFlag adds -o to a command.
func outputFlag(fs *pflag.FlagSet) *format {
	f := asTable
	fs.VarP(&f, "output", "o", "how to answer: table or json")
	return &f
}

// Set, String and Type make a flag of it.
func (f *format) Set(s string) error {
	if s != string(asTable) && s != string(asJSON) {
		return fmt.Errorf("%q is unknown: use table or json", s)
	}
	*f = format(s)
	return nil
}

func (f *format) String() string { return string(*f) }

// Type is what --help calls the value.
func (f *format) Type() string { return "format" }

// printJSON writes v so that a person can read it too.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// printTable writes rows in columns, the first of them the head.
func printTable(w io.Writer, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = oneLine(cell)
		}
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	if err := tw.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// oneLine is text from outside as a terminal may see it. What steers a terminal or turns the direction of writing becomes
// a space: a customer's name must not be able to rewrite what staff read.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, s)
}

// clockTime is a moment on the reader's own clock.
func clockTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// maxShown is how many wrong lines are named one by one on stderr, and maxListed in the JSON answer: a file that is wrong
// throughout must fill neither the screen nor the memory.
const (
	maxShown  = 20
	maxListed = 10_000
)

// wrongLine is a line of a file that was not taken.
type wrongLine struct {
	Line    int         `json:"line"` // from 1
	Problem lineProblem `json:"problem"`
}

// lineProblem says what is wrong with a line. It never repeats the value.
type lineProblem struct {
	Code   string           `json:"code"`
	Errors []notify.Problem `json:"errors,omitempty"`
}

// wrongLines gathers the lines that were not taken and tells of them on stderr.
type wrongLines struct {
	bar   *progress
	list  []wrongLine
	count int
}

// add notes a line.
func (w *wrongLines) add(line int, code string, problems ...notify.Problem) {
	w.count++
	if len(w.list) < maxListed {
		w.list = append(w.list, wrongLine{line, lineProblem{code, problems}})
	}
	switch {
	case w.count > maxShown+1:
		return
	case w.count == maxShown+1:
		w.bar.say("more lines are wrong: they are counted at the end, and listed by -o json")
		return
	}
	if len(problems) == 0 {
		w.bar.say(fmt.Sprintf("line %d: %s", line, strings.ReplaceAll(code, "_", " ")))
	}
	for _, p := range problems {
		w.bar.say(fmt.Sprintf("line %d: %s", line, strings.TrimSpace(p.Field+" "+p.Detail)))
	}
}
