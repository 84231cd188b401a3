package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

var restoredScenario = scenario{
	id: "R6b", events: 10_000, within: 6 * time.Minute, control: "postgres", full: true,
	promise: "a database that forgets its last ten seconds, as at a failover, reads them again and texts nobody twice",
	faults:  "the data directory is replaced by a copy that is 10 s old; Redis and Kafka know more",
	knobs:   knobs{latency: jitter},
	run:     runRestored,
}

func runRestored(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 500)
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	events := single(n, max(n/5, 10))
	third := max(time.Duration(float64(10*time.Second)*w.options.scale), 3*time.Second)
	if err := w.pour(ctx, events[:n/3], third); err != nil {
		return err
	}
	if err := w.settle(ctx, aim{}, 20*time.Second); err != nil {
		return err
	}
	p := w.postgres
	p.stop(false)
	if err := copyFolder(ctx, p.data, p.data+".old"); err != nil {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	if err := w.pour(ctx, events[n/3:2*n/3], third); err != nil {
		return err
	}
	p.stop(true)
	if err := copyFolder(ctx, p.data+".old", p.data); err != nil {
		return err
	}
	w.faulted()
	if err := p.start(ctx); err != nil {
		return err
	}
	if err := w.pour(ctx, events[2*n/3:], third); err != nil {
		return err
	}
	return w.finish(ctx, aim{}, 30*time.Second)
}

// copyFolder replaces a folder by another one, with owners and rights.
func copyFolder(ctx context.Context, from, to string) error {
	for _, args := range [][]string{{"rm", "-rf", to}, {"cp", "-a", from, to}} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("copy the data directory: %w: %s", err, out)
		}
	}
	return nil
}
