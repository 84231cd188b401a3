package main

import (
	"context"
	"math"
	"time"
)

var redisScenario = scenario{
	id: "R4", events: 20_000, gate: 0.5, within: 6 * time.Minute, database: "postgres",
	promise: "a Redis that is away or sick slows nothing by more than a fifth, and loses nothing",
	faults:  "Redis stopped, 300 ms late, cutting connections, swallowing everything",
	knobs:   knobs{cutRedis: true},
	run:     runRedis,
}

func runRedis(ctx context.Context, w *world) error {
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 5, 5); err != nil {
		return err
	}
	sick := []struct {
		name  string
		spoil spoil
	}{
		{"stopped", spoil{refuse: true}}, {"slow", spoil{delay: 300 * time.Millisecond}},
		{"cutting", spoil{request: func([]byte) verdictOnPiece { return cutBefore }}}, {"swallowing", spoil{swallow: true}},
	}
	runs := 2*len(sick) + 2 // one in health before and after each, and one to warm up
	each := w.scaled(w.scenario.events, 1000) / runs
	events := single(runs*each, each)
	next := func(s spoil) (float64, error) {
		w.cutRedis.set(s, true)
		first, rest := events[:each/5], events[each/5:each]
		events = events[each:]
		if _, err := w.rate(ctx, first); err != nil { // it notices
			return 0, err
		}
		if err := wait(ctx, 2*time.Second); err != nil {
			return 0, err
		}
		return w.rate(ctx, rest)
	}
	if _, err := next(spoil{}); err != nil {
		return err
	}
	// The mood of the machine changes within minutes, so each rate is held against those right before and after it.
	before, err := next(spoil{})
	if err != nil {
		return err
	}
	for _, s := range sick {
		w.faulted()
		r, err := next(s.spoil)
		if err != nil {
			return err
		}
		after, err := next(spoil{})
		if err != nil {
			return err
		}
		part := 2 * r / (before + after)
		w.count("percent_"+s.name, math.Round(part*100))
		w.count("texts_per_second_"+s.name, math.Round(r))
		if part < 0.8 && w.options.scale >= 0.5 { // a short run measures nothing
			w.fail("with Redis %s %.0f %% of the healthy rate, want 80", s.name, part*100)
		}
		before = after
	}
	return w.finish(ctx, aim{}, 20*time.Second)
}

// rate produces events as fast as it goes and returns how many texts per second were told, from the first event to the
// last text.
func (w *world) rate(ctx context.Context, events []event) (float64, error) {
	began := time.Now()
	if err := w.pour(ctx, events, 0); err != nil {
		return 0, err
	}
	if err := w.settle(ctx, aim{}, 20*time.Second); err != nil {
		return 0, err
	}
	_, last := w.sms.told()
	return float64(len(events)) / last.Sub(began).Seconds(), nil
}
