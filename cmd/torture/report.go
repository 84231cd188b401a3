package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what a run of a scenario came to.
type result struct {
	ID       string             `json:"id"`
	Seed     uint64             `json:"seed"`
	Promise  string             `json:"promise"`
	Engines  string             `json:"engines"`
	Events   int                `json:"events"`
	Faults   int                `json:"faults"`
	Lost     int                `json:"lost"`
	Doubled  int                `json:"doubled"`
	Residual int                `json:"residual"` // texts that the service shows as unclear, and leaves to staff
	Scale    float64            `json:"scale"`    // part of the load
	Pass     bool               `json:"pass"`
	Broken   bool               `json:"broken"` // a promise was; a run can also fail because it could not be carried out
	Seconds  float64            `json:"seconds"`
	Counters map[string]float64 `json:"counters"`
	Failures []string           `json:"failures,omitempty"`
	Skipped  string             `json:"skipped,omitempty"`
	Evidence string             `json:"evidence,omitempty"` // folder with ledgers and logs
}

func (r *result) verdict() string {
	switch {
	case r.Skipped != "":
		return "skipped"
	case r.Pass:
		return "pass"
	}
	return "FAIL"
}

// report collects results and prints them.
type report struct {
	options *options
	out     io.Writer
	table   *tabwriter.Writer
	results []result
}

func newReport(o *options) *report {
	r := &report{options: o, out: os.Stdout, table: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)}
	if o.output == "text" {
		_, _ = fmt.Fprintln(r.table, "id\tseed\tengines\tevents\tfaults\tlost\tdoubled\tresidual\tseconds\t\t")
	}
	return r
}

func (r *report) add(one result) {
	r.results = append(r.results, one)
	if r.options.output == "json" {
		say("%s seed %d: %s, %.0f s", one.ID, one.Seed, one.verdict(), one.Seconds)
		return
	}
	_, _ = fmt.Fprintf(r.table, "%s\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%.1f\t%s\t\n", one.ID, one.Seed, one.Engines, one.Events,
		one.Faults, one.Lost, one.Doubled, one.Residual, one.Seconds, one.verdict())
	say("%s seed %d: %s, %.0f s", one.ID, one.Seed, one.verdict(), one.Seconds)
}

func (r *report) close() error {
	if r.options.output == "json" {
		e := json.NewEncoder(r.out)
		e.SetIndent("", "  ")
		return e.Encode(r.results)
	}
	if err := r.table.Flush(); err != nil {
		return err
	}
	for _, one := range r.results {
		one.tell(r.out)
	}
	return nil
}

// tell prints what the table has no place for.
func (r *result) tell(out io.Writer) {
	_, _ = fmt.Fprintf(out, "\n%s  %s\n", r.ID, r.Promise)
	if r.Skipped != "" {
		_, _ = fmt.Fprintf(out, "  !!! %s !!!\n", strings.ToUpper(r.Skipped[:1])+r.Skipped[1:])
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.Counters)) {
		_, _ = fmt.Fprintf(out, "  %-34s %g\n", name, r.Counters[name])
	}
	for _, f := range r.Failures {
		_, _ = fmt.Fprintf(out, "  FAILED: %s\n", f)
	}
	if r.Evidence != "" {
		_, _ = fmt.Fprintf(out, "  ledgers and logs: %s; again: go run ./cmd/torture -run %s -seed %d -scale %g\n", r.Evidence, r.ID, r.Seed, r.Scale)
	}
}

// ok tells that nothing has failed and something has run.
func (r *report) ok() bool {
	ran := 0
	for i := range r.results {
		if r.results[i].Skipped == "" {
			ran++
			if !r.results[i].Pass {
				return false
			}
		}
	}
	return ran > 0
}

// say tells progress, to those who watch.
func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, "torture: "+format+"\n", args...) }
