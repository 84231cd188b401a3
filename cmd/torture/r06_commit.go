package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

var commitScenario = scenario{
	id: "R6", events: 5_000, within: 5 * time.Minute, control: "postgres",
	promise: "a commit whose answer is lost is neither repeated wrongly nor forgotten",
	faults:  "the connection is cut inside COMMIT 200 times: before it is heard, or before its answer",
	knobs:   knobs{cutSQL: true, latency: jitter},
	run:     runCommit,
}

func runCommit(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 500)
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	cuts := int64(w.scaled(200, 20))
	var before, after atomic.Int64
	random := &dice{rand: rand.New(rand.NewPCG(w.seed, 13))}
	w.cutSQL.set(spoil{request: func(piece []byte) verdictOnPiece {
		if !bytes.Contains(piece, []byte("commit\x00")) || before.Load()+after.Load() >= cuts {
			return pass
		}
		switch x := random.float(); {
		case x < 0.10:
			before.Add(1)
			return cutBefore
		case x < 0.25:
			after.Add(1)
			return cutAfter
		}
		return pass
	}}, false)
	events := single(n, max(n/5, 10))
	if err := w.pour(ctx, events, time.Duration(cuts)*150*time.Millisecond); err != nil {
		return err
	}
	if err := w.settle(ctx, aim{}, 30*time.Second); err != nil {
		return err
	}
	w.cutSQL.set(spoil{}, false)
	w.result.Faults = int(before.Load() + after.Load())
	w.sometimes("cut_before_commit", float64(before.Load()))
	w.sometimes("cut_after_commit", float64(after.Load()))
	return w.finish(ctx, aim{}, 30*time.Second)
}
