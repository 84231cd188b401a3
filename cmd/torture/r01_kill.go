package main

import (
	"context"
	"errors"
	"time"
)

var killScenario = scenario{
	id: "R1", events: 50_000, gate: 0.3, within: 10 * time.Minute, lucky: false,
	promise: "no event is lost and no text is accepted twice, however often the process is killed",
	faults:  "100 × SIGKILL at work or while it starts; a provider that fails 14 requests of 100",
	knobs:   knobs{mix: mixM, latency: jitter},
	run:     runKill,
}

// strike is one fault of a schedule.
type strike struct {
	after time.Duration // of work
	early bool          // while the process starts
	node  int
	pause time.Duration // how long it stands still; 0 for a kill
}

// strikes draws a schedule. Everything about it follows from the seed.
func (w *world) strikes(n, nodes int) []strike {
	list := make([]strike, n)
	for i := range list {
		list[i] = strike{
			after: 60*time.Millisecond + time.Duration(w.random.Int64N(int64(180*time.Millisecond))),
			early: w.random.IntN(8) == 0,
			node:  w.random.IntN(nodes),
		}
	}
	return list
}

func runKill(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 200)
	events := single(n, max(n/5, 10))
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 20, 5); err != nil {
		return err
	}
	schedule := w.strikes(w.scaled(100, 5), 1)
	l := w.start(ctx, events, time.Duration(len(schedule))*400*time.Millisecond)
	for i, s := range schedule {
		if err := w.strikeDown(ctx, w.nodes[0], s); err != nil {
			return errors.Join(err, l.wait())
		}
		w.step("kill %d of %d", i+1, len(schedule))
	}
	if err := errors.Join(l.wait(), w.nodes[0].ready(ctx)); err != nil {
		return err
	}
	if err := w.finish(ctx, aim{}, 30*time.Second); err != nil {
		return err
	}
	w.count("unclear_answers", float64(w.sms.hits.Load()))
	w.settlements(ctx)
	return w.life(ctx)
}

// strikeDown kills a process when it has been at work for a while, or while it starts, and starts it again.
func (w *world) strikeDown(ctx context.Context, n *node, s strike) error {
	if s.early {
		if err := wait(ctx, s.after*2); err != nil {
			return err
		}
	} else if err := w.atWork(ctx, s.after); err != nil {
		return err
	}
	if err := n.kill(); err != nil {
		return err
	}
	w.faulted()
	return n.launch()
}

// atWork waits until texts flow, for at most five seconds, and then for a while more.
func (w *world) atWork(ctx context.Context, more time.Duration) error {
	from := w.sms.requests.Load()
	for late := time.Now().Add(5 * time.Second); w.sms.requests.Load() == from && time.Now().Before(late); {
		if err := wait(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return wait(ctx, more)
}

// audience gives browsers and open pages to the first customers.
func (w *world) audience(ctx context.Context, browsers, pages int) error {
	for c := range browsers {
		if err := w.browse(ctx, customerID(c)); err != nil {
			return err
		}
	}
	var customers []string
	for c := range pages {
		customers = append(customers, customerID(c))
	}
	return w.watch(ctx, customers...)
}

// settlements demands that unclear texts were settled in all the ways there are.
func (w *world) settlements(ctx context.Context) {
	if !w.settles() {
		w.count("settling", 0)
		return
	}
	w.sometimes("verify_to_accepted", w.metrics(ctx, reported)-w.metrics(ctx, returned))
	w.sometimes("verify_to_pending", w.metrics(ctx, returned))
	w.sometimes("callbacks_before_our_answer", float64(w.sms.early.Load()))
}
