package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Options say what is measured, and on what.
type Options struct {
	Names   []string // of figures; none: all
	Command string   // this program
	Rounds  int
	Quick   bool // small rounds and no verdict: to see that everything works

	// Real servers, for the figures about them. Empty: those figures are skipped.
	Kafka    string // host:port
	Redis    string // redis://…
	Database string // postgres://…, of a server on which databases may be made

	Peers map[string]string // programs to compare with, by name: see peer.go

	Err io.Writer // progress
	Bar bool      // Err is a terminal: progress is one line that is written over
}

// Report is everything that was measured, and what was not.
type Report struct {
	Machine Machine
	Results []Result
	Skipped []Skip
	Quick   bool
	At      time.Time
	Took    time.Duration
}

// ErrNoFigure means that there is no figure of a name that was asked for.
var ErrNoFigure = errors.New("there is no such figure")

// Skip is a figure that was not measured.
type Skip struct{ Name, Why string }

// Missed names the figures that are wrong or that miss their goal.
func (r *Report) Missed() (names []string) {
	for _, res := range r.Results {
		if res.Pass != nil && !*res.Pass {
			names = append(names, res.Name)
		}
	}
	return names
}

// rounder measures one trial, round after round.
type rounder interface {
	// round measures the product and its baseline once. An error means that the round was wrong: something was lost,
	// doubled, or did not come.
	round(ctx context.Context, n int) (readings, error)
	// close ends what rounds have in common.
	close() error
}

// preparer is a trial whose rounds have something in common. What is started under ctx lives until the last round has ended.
type preparer interface {
	prepare(ctx context.Context) error
}

// roundLimit is after which time a round is given up.
const roundLimit = 6 * time.Minute

// Run measures. The error says why nothing could be measured, or that ctx has ended: then the report has what was measured by
// then. What is wrong with one figure stands in its result.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "onmyway-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to measure in: %w", err)
	}
	l := &lab{Options: o, dir: dir, progress: &progress{out: o.Err, bar: o.Bar}}
	defer l.progress.end()
	rep := &Report{Machine: machine(), Quick: o.Quick, At: time.Now()}
	rep.Machine.Servers = o.versions(ctx)
	for _, t := range append(slices.Clone(trials), peerTrials(o.Peers)...) {
		if t.chosen(o.Names) && ctx.Err() == nil {
			l.run(ctx, &t, rep)
		}
	}
	rep.Took = time.Since(rep.At)
	return rep, errors.Join(ctx.Err(), os.RemoveAll(dir))
}

// check refuses names of figures that there are not.
func (o *Options) check() error {
	known := Names()
	for _, t := range peerTrials(o.Peers) {
		for _, f := range t.figures {
			known = append(known, f.name)
		}
	}
	for _, name := range o.Names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%q: %w: take %s", name, ErrNoFigure, strings.Join(known, ", "))
		}
	}
	return nil
}

// chosen tells whether one of its figures is asked for. No names mean all.
func (t *trial) chosen(names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(t.figures, func(f figure) bool { return slices.Contains(names, f.name) })
}

// run measures a trial and adds its figures to the report.
func (l *lab) run(ctx context.Context, t *trial, rep *Report) {
	if t.lacks != nil {
		if why := t.lacks(l); why != "" {
			for _, f := range t.figures {
				rep.Skipped = append(rep.Skipped, Skip{f.name, why})
				l.progress.say(fmt.Sprintf("SKIPPED %s: %s", f.name, why))
			}
			return
		}
	}
	got, err := l.measure(ctx, t)
	if ctx.Err() != nil {
		return // it was stopped: that is no result
	}
	for i := range t.figures {
		f := &t.figures[i]
		if len(l.Names) > 0 && !slices.Contains(l.Names, f.name) {
			continue
		}
		if err != nil {
			rep.Results = append(rep.Results, f.failed(err))
			continue
		}
		rounds := make([]reading, len(got))
		for n := range got {
			rounds[n] = got[n][f.name]
		}
		rep.Results = append(rep.Results, f.conclude(rounds, !l.Quick))
	}
	if err != nil {
		l.progress.say(fmt.Sprintf("%s: %v", t.figures[0].name, err))
	}
}

// measure runs all rounds of a trial. One wrong round is enough to have no result.
func (l *lab) measure(ctx context.Context, t *trial) (got []readings, err error) {
	r := t.open(l)
	prepared, stop := context.WithCancel(ctx)
	defer stop()
	defer func() { err = errors.Join(err, r.close()) }()
	rounds := l.Rounds
	if t.rounds > 0 {
		rounds = min(rounds, t.rounds)
	}
	if p, ok := r.(preparer); ok {
		late := time.AfterFunc(roundLimit, stop)
		err := p.prepare(prepared)
		late.Stop()
		if err != nil {
			return nil, fmt.Errorf("prepare: %w", err)
		}
	}
	for n := range rounds {
		l.progress.show(t.figures[0].name, n+1, rounds)
		in, cancel := context.WithTimeout(ctx, roundLimit)
		one, err := r.round(in, n)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", n+1, err)
		}
		got = append(got, one)
	}
	return got, nil
}
