package main

import (
	"context"
	"time"
)

var repeatScenario = scenario{
	id: "R2", events: 30_000, gate: 0.5, within: 6 * time.Minute, database: "postgres",
	promise: "what comes three times, shuffled and late is told once, and never in the wrong order",
	faults:  "every event 3 times, shuffled in windows of 200, 5 % late; 3 processes",
	knobs:   knobs{latency: jitter},
	run:     runRepeat,
}

// steps is how many events an order has where orders go on.
const steps = 5

func runRepeat(ctx context.Context, w *world) error {
	orders := w.scaled(w.scenario.events, 500) / steps
	if _, err := w.up(ctx, 3); err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 10); err != nil {
		return err
	}
	now, late := w.shuffled(orders, max(orders/5, 10))
	if err := w.pour(ctx, now, time.Duration(len(now)/2000)*time.Second); err != nil {
		return err
	}
	if err := w.pour(ctx, late, 0); err != nil {
		return err
	}
	w.result.Faults = len(now) + len(late) - orders*steps
	if err := w.finish(ctx, aim{latest: true}, 30*time.Second); err != nil {
		return err
	}
	w.sometimes("repeated_events", w.metrics(ctx, repeats))
	w.sometimes("stale_events", w.metrics(ctx, stale))
	return nil
}

// shuffled are all steps of orders, each three times, mixed in windows of 200, and apart from them the twentieth part of
// the steps, all of whose copies come late.
func (w *world) shuffled(orders, customers int) (now, late []event) {
	const window, together = 200, 20 // events; orders whose steps come at the same time
	for first := 0; first < orders; first += together {
		for step := 1; step <= steps; step++ {
			for o := first; o < min(first+together, orders); o++ {
				e := onTheWay(o, step, customers)
				if step < steps && w.random.IntN(20) == 0 {
					late = append(late, e, e, e)
				} else {
					now = append(now, e, e, e)
				}
			}
		}
	}
	for from := 0; from < len(now); from += window {
		part := now[from:min(from+window, len(now))]
		w.random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	return now, late
}
