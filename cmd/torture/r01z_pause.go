package main

import (
	"context"
	"errors"
	"time"
)

var pauseScenario = scenario{
	id: "R1z", events: 40_000, gate: 0.2, within: 10 * time.Minute, database: "postgres", lucky: true,
	promise: "a process that stands still is not taken for dead, and one that is dead is not waited for",
	faults:  "60 × SIGSTOP for 0.7 to 3 s and 60 × SIGKILL among 3 processes, one with GOGC=1",
	knobs:   knobs{mix: mixM, latency: jitter},
	run:     runPause,
}

const processes = 3

func runPause(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 500)
	nodes, err := w.up(ctx, processes-1)
	if err != nil {
		return err
	}
	hasty := w.node("GOGC=1") // its garbage collector runs all the time: what nobody holds is closed at once
	if err := hasty.start(ctx); err != nil {
		return err
	}
	nodes = append(nodes, hasty)
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	schedule := w.standstills(w.scaled(120, 12), processes)
	events := single(n, max(n/5, 10))
	if err := w.still(ctx, nodes, schedule, events[:n/4]); err != nil {
		return err
	}
	l := w.start(ctx, events[n/4:], time.Duration(len(schedule))*300*time.Millisecond)
	err = errors.Join(w.strikeAll(ctx, nodes, schedule), l.wait())
	for _, n := range nodes {
		err = errors.Join(err, n.resume())
	}
	for _, n := range nodes {
		err = errors.Join(err, n.ready(ctx))
	}
	if err != nil {
		return err
	}
	if err := w.finish(ctx, aim{}, 40*time.Second); err != nil {
		return err
	}
	w.settlements(ctx)
	return nil
}

// strikeAll pauses and kills as a schedule says. Nobody is asleep any more a few seconds after it returns.
func (w *world) strikeAll(ctx context.Context, nodes []*node, schedule []strike) error {
	for _, s := range schedule {
		if err := wait(ctx, s.after); err != nil {
			return err
		}
		victim := nodes[s.node]
		w.faulted()
		if s.pause > 0 {
			_ = victim.pause()
			time.AfterFunc(s.pause, func() { _ = victim.resume() })
			continue
		}
		if err := errors.Join(victim.kill(), victim.launch()); err != nil {
			return err
		}
	}
	return nil
}

// still lets processes only stand still while events flow, one after the other: none of them may be taken for dead, which
// shows in the story of its texts.
func (w *world) still(ctx context.Context, nodes []*node, schedule []strike, events []event) error {
	l := w.start(ctx, events, 12*time.Second)
	for i, n := range nodes {
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		w.faulted()
		_ = n.pause()
		err := wait(ctx, 3*time.Second+schedule[i].after)
		if err := errors.Join(err, n.resume()); err != nil {
			return err
		}
	}
	if err := l.wait(); err != nil {
		return err
	}
	if err := w.settle(ctx, aim{}, 30*time.Second); err != nil {
		return err
	}
	taken, err := w.rest.mention(ctx, "owner_died")
	if err != nil {
		return err
	}
	w.count("living_taken_for_dead", float64(taken))
	if taken > 0 {
		w.fail("%d texts were taken from a process that lives", taken)
	}
	return nil
}

// standstills draws kills and pauses, half of each.
func (w *world) standstills(n, nodes int) []strike {
	list := w.strikes(n, nodes)
	for i := range list {
		list[i].after += time.Duration(w.random.Int64N(int64(200 * time.Millisecond)))
		if i%2 == 0 {
			list[i].pause = 700*time.Millisecond + time.Duration(w.random.Int64N(int64(2300*time.Millisecond)))
		}
	}
	w.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
