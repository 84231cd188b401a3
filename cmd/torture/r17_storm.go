package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"onmyway/cmd/torture/ledger"
)

var stormScenario = scenario{
	id: "R17", events: 20_000, gate: 0.5, within: 5 * time.Minute,
	promise: "an order that changes 10,000 times is told at most twice, the last time truly, and delays nobody else",
	faults:  "half of all events are about one order",
	knobs:   knobs{latency: jitter},
	run:     runStorm,
}

const (
	mostOfStorm = 2               // texts about the order that storms
	mostDelay   = 2 * time.Second // p99 of the others
)

func runStorm(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 1000)
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 5, 5); err != nil {
		return err
	}
	over := time.Duration(n/2/250) * time.Second
	others := make([]event, n/2)
	for i := range others {
		others[i] = onTheWay(i+1, 1, n/2+1)
	}
	storm := make([]event, n/2)
	for i := range storm {
		storm[i] = onTheWay(0, i+1, n/2+1)
	}
	calm := w.start(ctx, others, over)
	err := w.pour(ctx, storm, 0) // at once, as a script that has gone wild does
	w.faulted()
	if err := errors.Join(err, calm.wait()); err != nil {
		return err
	}
	if err := w.finish(ctx, aim{latest: true}, 20*time.Second); err != nil {
		return err
	}
	w.sometimes("superseded", w.metrics(ctx, superseded))
	return w.calm()
}

// calm counts what was told of the storm, and how long the others waited.
func (w *world) calm() error {
	inputs, err := ledger.Read[ledger.Input](w.path("inputs.jsonl"))
	texts, err2 := ledger.Read[ledger.Text](w.path("sms.jsonl"))
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	written := map[ledger.Fact]time.Time{}
	for _, in := range inputs {
		written[in.Fact] = in.At
	}
	storm := 0
	var delays []time.Duration
	for _, t := range texts {
		if f, _ := t.Fact(); f.Order == orderID(0) {
			storm++
		} else {
			delays = append(delays, t.At.Sub(written[f]))
		}
	}
	slices.Sort(delays)
	w.count("texts_of_the_storm", float64(storm))
	if storm > mostOfStorm {
		w.fail("%d texts about one order that stormed, want %d at most", storm, mostOfStorm)
	}
	if len(delays) > 0 {
		p99 := delays[len(delays)*99/100]
		w.count("p99_seconds_of_others", p99.Seconds())
		if p99 > mostDelay && w.options.scale >= 0.5 {
			w.fail("the p99 of others is %s, want %s", p99.Round(time.Millisecond), mostDelay)
		}
	}
	return nil
}
