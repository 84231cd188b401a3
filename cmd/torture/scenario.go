package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"text/tabwriter"
	"time"
)

// scenario is one way to break the service.
type scenario struct {
	id       string
	promise  string  // what must hold
	faults   string  // what is done to it
	events   int     // at full scale
	gate     float64 // part of its load in the gate, which has to end in minutes; 0 for all of it
	full     bool    // only in the full tier
	lucky    bool    // depends on luck: ten seeds in the full tier
	database string  // the one that it runs over if nobody asks for another: SQLite when empty
	control  string  // the only one that it makes sense with
	knobs    knobs
	within   time.Duration
	run      func(ctx context.Context, w *world) error
}

// scenarios are all, in the order in which they run.
var scenarios = []scenario{
	killScenario, failpointScenario, pauseScenario, repeatScenario, flushScenario, redisScenario, databaseScenario,
	commitScenario, matrixScenario, throttleScenario, rebalanceScenario, rollingScenario, replayScenario, stormScenario,
	stopScenario, clockScenario, slowDatabaseScenario, restoredScenario, fullDiskScenario, slowSocketScenario, soakScenario,
}

func scenarioOf(id string) (scenario, bool) {
	for _, s := range scenarios {
		if s.id == id {
			return s, true
		}
	}
	return scenario{}, false
}

// errSkip says that a scenario can't run here. What it wraps is told loudly; it is neither passed nor failed.
var errSkip = errors.New("not run")

func skip(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errSkip, fmt.Sprintf(format, args...))
}

func printList(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range scenarios {
		tier := "gate"
		if s.full {
			tier = "full"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.id, tier, s.faults, s.promise)
	}
	for _, c := range controls {
		_, _ = fmt.Fprintf(t, "%s\tcontrol\t%s\tmust turn %s red\n", c.tag, c.broken, c.scenario)
	}
	return t.Flush()
}

// runScenarios runs one after the other and reports.
func (o *options) runScenarios(ctx context.Context, list []scenario) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "onmyway-torture")
	if err != nil {
		return false, fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL runs as a user of its own
		return false, fmt.Errorf("open a folder to the database's user: %w", err)
	}
	binary := o.binary
	if binary == "" {
		if binary, err = build(ctx, dir, ""); err != nil {
			return false, err
		}
	}
	r := newReport(o)
	for _, s := range list {
		times := o.seeds
		if o.full && s.lucky {
			times = max(times, 10)
		}
		with := *o
		if s.gate > 0 && !o.full && o.only == "" {
			with.scale *= s.gate
		}
		for i := range times {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			r.add(with.try(ctx, s, o.seed+uint64(i), dir, binary))
		}
	}
	if err := r.close(); err != nil {
		return false, err
	}
	if !o.keep {
		_ = os.Remove(dir + "/onmyway")
		_ = os.Remove(dir) // what failed has left its folder here
	}
	return r.ok(), nil
}

// try runs one scenario in a world of its own.
func (o *options) try(ctx context.Context, s scenario, seed uint64, dir, binary string) result {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	began := time.Now()
	w := &world{
		options: o, scenario: s, seed: seed, binary: binary,
		random: rand.New(rand.NewPCG(seed, 7)),
		dir:    fmt.Sprintf("%s/%s-%d", dir, s.id, seed),
		result: result{ID: s.id, Seed: seed, Scale: o.scale, Promise: s.promise, Counters: map[string]float64{}},
	}
	err := w.open(ctx)
	if err == nil {
		err = s.run(ctx, w)
	}
	if err != nil && !errors.Is(err, errSkip) {
		w.mishap("%v", err)
	}
	w.close()
	if errors.Is(err, errSkip) {
		w.result.Skipped = err.Error()
	}
	w.result.Seconds = time.Since(began).Seconds()
	w.result.Pass = len(w.result.Failures) == 0 && w.result.Skipped == ""
	if w.result.Pass && !o.keep || w.result.Skipped != "" {
		_ = os.RemoveAll(w.dir)
	} else {
		w.result.Evidence = w.dir
	}
	return w.result
}
