package main

import (
	"context"
	"errors"
	"time"
)

var soakScenario = scenario{
	id: "R20", events: 300_000, within: 20 * time.Minute, database: "postgres", full: true,
	promise: "ten minutes under load and faults leave memory, goroutines and files where they were",
	faults:  "500 events a second for 10 minutes; every 20 s Redis is emptied or cut, or a peer is killed",
	knobs:   knobs{latency: jitter, cutRedis: true, quiet: true},
	run:     runSoak,
}

const mostSlope = 1 << 20 // bytes of RSS per minute, once it has settled

// sample is the size of a process at a time.
type sample struct {
	at                        time.Time
	rss, goroutines, openFile float64
}

func runSoak(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 5_000)
	nodes, err := w.up(ctx, 2)
	if err != nil {
		return err
	}
	if err := w.audience(ctx, 20, 20); err != nil {
		return err
	}
	over := time.Duration(n/500) * time.Second
	l := w.start(ctx, single(n, max(n/5, 10)), over)
	var samples []sample
	for end, next := time.Now().Add(over), time.Now().Add(20*time.Second); time.Now().Before(end); {
		if err := wait(ctx, 2*time.Second); err != nil {
			return errors.Join(err, l.wait())
		}
		s := nodes[0]
		samples = append(samples, sample{time.Now(), s.metric(ctx, resident), s.metric(ctx, goroutines), s.metric(ctx, openFiles)})
		if time.Now().After(next) {
			next = next.Add(20 * time.Second)
			if err := w.disturb(ctx, nodes[1]); err != nil {
				return errors.Join(err, l.wait())
			}
		}
	}
	if err := l.wait(); err != nil {
		return err
	}
	w.growth(samples)
	return w.finish(ctx, aim{}, 40*time.Second)
}

// disturb does one harmless thing.
func (w *world) disturb(ctx context.Context, peer *node) error {
	w.faulted()
	switch w.random.IntN(3) {
	case 0:
		return w.redis.flush()
	case 1:
		w.cutRedis.set(spoil{refuse: true}, true)
		err := wait(ctx, 2*time.Second)
		w.cutRedis.set(spoil{}, false)
		return err
	}
	if err := peer.kill(); err != nil {
		return err
	}
	return peer.start(ctx)
}

// growth compares the second half of the time with its beginning: a third of the time is for warming up.
func (w *world) growth(samples []sample) {
	settled := samples[len(samples)/3:]
	if len(settled) < 10 {
		return
	}
	slope := slopeOf(settled, func(s sample) float64 { return s.rss })
	w.count("rss_megabytes_per_minute", slope/(1<<20))
	w.count("rss_megabytes", float64(int(settled[len(settled)-1].rss)>>20))
	if slope > mostSlope && w.options.scale >= 0.5 {
		w.fail("the process grows by %.1f MB a minute", slope/(1<<20))
	}
	for name, of := range map[string]func(sample) float64{
		"goroutines": func(s sample) float64 { return s.goroutines }, "open_files": func(s sample) float64 { return s.openFile },
	} {
		w.count(name+"_per_minute", slopeOf(settled, of))
	}
}

// slopeOf is the rise per minute of the line that fits samples best.
func slopeOf(samples []sample, of func(sample) float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, s := range samples {
		x, y := s.at.Sub(samples[0].at).Minutes(), of(s)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d != 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}
