package main

import (
	"context"
	"errors"
	"net/http"
	"time"
)

var flushScenario = scenario{
	id: "R3", events: 20_000, gate: 0.5, within: 5 * time.Minute,
	promise: "a Redis that forgets everything costs no message and no opt-out",
	faults:  "FLUSHALL every 200 ms",
	knobs:   knobs{latency: jitter},
	run:     runFlush,
}

func runFlush(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 500)
	customers := max(n/10, 20)
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	for c := 0; c < customers; c += max(customers/50, 2) {
		err := w.rest.call(ctx, http.StatusOK, nil, http.MethodPut, "/v1/customers/"+customerID(c), map[string]any{
			"phone": phoneOf(c), "preferences": map[string]any{"channels": map[string]bool{"sms": false}}})
		if err != nil {
			return err
		}
		w.silent[customerID(c)] = true
	}
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	flushing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.flushAgain(flushing, 200*time.Millisecond) }()
	events := single(n, customers)
	err := w.pour(ctx, events, time.Duration(n/1000)*time.Second)
	if err == nil { // everything once more, so that what Redis forgot must be known elsewhere
		err = w.pour(ctx, events, time.Duration(n/2000)*time.Second)
	}
	if err == nil {
		err = w.settle(ctx, aim{}, 20*time.Second)
	}
	stop()
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	if err := w.finish(ctx, aim{}, 20*time.Second); err != nil {
		return err
	}
	w.sometimes("repeated_events", w.metrics(ctx, repeats))
	return nil
}

// flushAgain empties Redis again and again until ctx ends.
func (w *world) flushAgain(ctx context.Context, every time.Duration) error {
	for wait(ctx, every) == nil {
		if err := w.redis.flush(); err != nil {
			return err
		}
		w.faulted()
	}
	return nil
}
