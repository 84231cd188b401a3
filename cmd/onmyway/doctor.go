package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// grade is how a finding of doctor ends.
type grade string

const (
	gradeOK      grade = "ok"
	gradeWarning grade = "warning"
	gradeFailed  grade = "failed"
)

// finding is one thing that doctor looked at. It holds no secret and no phone number.
type finding struct {
	Area  string `json:"area"`
	Check string `json:"check"`
	Grade grade  `json:"grade"`
	Seen  string `json:"seen"`
	Do    string `json:"do,omitempty"` // what to do about it; empty when it is ok
}

func doctorCommand() *cobra.Command {
	var output *format
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine everything that the service needs, and say what to do",
		Long: `Examine everything that the service needs, and say what to do: Kafka and its topics, Redis, the database with its schema
and audit, the accounts of providers, keys, the clock, the public URL, texts and routes, limits of this machine.

Nothing is changed and nobody is sent anything. Run it with the configuration of serve, on the machine of serve, before
the first start, before an upgrade, and when something is odd. The exit code is 1 when something failed.`,
		Example: `  onmyway doctor --config onmyway.yaml
  onmyway doctor -o json | jq '.findings[] | select(.grade != "ok")'
  NO_COLOR=1 onmyway doctor > report.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			if limit <= 0 {
				return usageError{fmt.Errorf("--timeout %s must be more than 0", limit)}
			}
			d := doctor{cfg: cfg, now: time.Now, limit: limit}
			return d.report(cmd, d.examine(cmd.Context()), *output == asJSON)
		},
	}
	configFlags(cmd.Flags())
	output = outputFlag(cmd.Flags())
	cmd.Flags().DurationVar(&limit, "timeout", 20*time.Second, "how long one area may take")
	return cmd
}

// doctor examines what a configuration leads to.
type doctor struct {
	cfg   Config
	now   func() time.Time
	limit time.Duration // of one area
}

// examine looks at all areas at the same time and returns what was found, area by area.
func (d *doctor) examine(ctx context.Context) (all []finding) {
	areas := []func(context.Context) []finding{
		d.configuration, d.kafka, d.redis, d.database, d.twilio, d.push, d.publicURL, d.words, d.limits,
	}
	found := make([][]finding, len(areas))
	var examining sync.WaitGroup
	for i, area := range areas {
		examining.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, d.limit)
			defer cancel()
			found[i] = area(ctx)
		})
	}
	examining.Wait()
	for _, list := range found {
		all = append(all, list...)
	}
	return all
}

// report prints what was found and returns an error when something failed.
func (d *doctor) report(cmd *cobra.Command, all []finding, json bool) error {
	count := map[grade]int{}
	for _, f := range all {
		count[f.Grade]++
	}
	out := cmd.OutOrStdout()
	var err error
	if json {
		err = printJSON(out, map[string]any{"ok": count[gradeFailed] == 0, "failed": count[gradeFailed], "warnings": count[gradeWarning], "findings": all})
	} else {
		err = printFindings(out, all, count, terminal(out) && os.Getenv("NO_COLOR") == "")
	}
	if err == nil && count[gradeFailed] > 0 {
		err = fmt.Errorf("%s failed", counted(count[gradeFailed], "check"))
	}
	return err
}

// area makes the findings of one area.
type area struct {
	name string
	list []finding
}

func (a *area) ok(check, format string, args ...any) {
	a.list = append(a.list, finding{Area: a.name, Check: check, Grade: gradeOK, Seen: fmt.Sprintf(format, args...)})
}

func (a *area) warn(check, seen, do string) {
	a.list = append(a.list, finding{a.name, check, gradeWarning, seen, do})
}

func (a *area) fail(check, seen, do string) {
	a.list = append(a.list, finding{a.name, check, gradeFailed, seen, do})
}

// The differences of clocks that matter: buyers' tokens, provider signatures and "not before" times bear a few seconds.
const (
	clockWarns = 2 * time.Second
	clockFails = 10 * time.Second
)

// clock compares this machine's clock with another one, which is known to within some error.
func (a *area) clock(ours, theirs time.Time, uncertain time.Duration) {
	const check, do = "clock", "let this machine follow a time server (chrony, systemd-timesyncd)"
	off := ours.Sub(theirs).Abs()
	seen := fmt.Sprintf("this machine's clock is off by %s", max(off-uncertain, 0).Round(100*time.Millisecond))
	switch {
	case off-uncertain > clockFails:
		a.fail(check, seen, do)
	case off-uncertain > clockWarns:
		a.warn(check, seen, do)
	default:
		a.ok(check, "this machine's clock agrees to within %s", (max(off, uncertain) + 50*time.Millisecond).Round(100*time.Millisecond))
	}
}
