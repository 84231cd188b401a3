package main

import (
	"context"
	"net/http"
	"time"
)

var slowDatabaseScenario = scenario{
	id: "R5b", events: 2_000, within: 8 * time.Minute, control: "postgres", full: true,
	promise: "a database that crawls stops nothing for good, and the process still says that it lives",
	faults:  "PostgreSQL answers 2 s late for 20 s, then with 1 kB/s for 20 s",
	knobs:   knobs{cutSQL: true},
	run:     runSlowDatabase,
}

func runSlowDatabase(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 200)
	nodes, err := w.up(ctx, 1)
	if err != nil {
		return err
	}
	if err := w.audience(ctx, 5, 3); err != nil {
		return err
	}
	phase := max(time.Duration(float64(20*time.Second)*w.options.scale), 5*time.Second)
	l := w.start(ctx, single(n, max(n/5, 10)), 2*phase)
	for _, s := range []spoil{{delay: 2 * time.Second}, {rate: 1000}} {
		w.cutSQL.set(s, false)
		w.faulted()
		if slowest := w.pulse(ctx, nodes[0], phase); slowest > time.Second {
			w.fail("/healthz took %s", slowest)
		}
	}
	w.cutSQL.set(spoil{}, true)
	if err := l.wait(); err != nil {
		return err
	}
	return w.finish(ctx, aim{}, 60*time.Second)
}

// pulse asks a process for a time whether it lives, and returns the slowest answer.
func (w *world) pulse(ctx context.Context, n *node, d time.Duration) (slowest time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && wait(ctx, 200*time.Millisecond) == nil; {
		began := time.Now()
		status, _, err := client{url: n.address}.try(ctx, http.MethodGet, "/healthz", nil)
		if err != nil || status != http.StatusOK {
			w.fail("/healthz: %d %v", status, err)
			return slowest
		}
		slowest = max(slowest, time.Since(began))
	}
	return slowest
}
