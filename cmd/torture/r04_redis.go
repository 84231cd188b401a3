package main

import (
	"context"
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
	states := []struct {
		name  string
		spoil spoil
	}{
		{"healthy", spoil{}}, {"stopped", spoil{refuse: true}}, {"slow", spoil{delay: 300 * time.Millisecond}},
		{"cutting", spoil{request: func([]byte) verdictOnPiece { return cutBefore }}}, {"swallowing", spoil{swallow: true}},
		{"healthy_again", spoil{}},
	}
	each := w.scaled(w.scenario.events, 600) / len(states)
	events := single(each*(len(states)+1), each)
	if _, err := w.rate(ctx, events[len(states)*each:]); err != nil { // the process warms up
		return err
	}
	rates := map[string]float64{}
	for i, s := range states {
		w.cutRedis.set(s.spoil, true)
		if i > 0 {
			w.faulted()
		}
		if err := wait(ctx, 2*time.Second); err != nil {
			return err
		}
		r, err := w.rate(ctx, events[i*each:(i+1)*each])
		if err != nil {
			return err
		}
		rates[s.name] = r
		w.count("texts_per_second_"+s.name, float64(int(r)))
	}
	healthy := (rates["healthy"] + rates["healthy_again"]) / 2
	for _, s := range states[1 : len(states)-1] {
		if part := rates[s.name] / healthy; part < 0.8 && w.options.scale >= 0.5 { // a short run measures nothing
			w.fail("with Redis %s %.0f %% of the healthy rate, want 80", s.name, part*100)
		}
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
