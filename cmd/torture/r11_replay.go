package main

import (
	"context"
	"fmt"
	"time"

	"onmyway/cmd/torture/ledger"
)

var replayScenario = scenario{
	id: "R11", events: 50_000, gate: 0.25, within: 6 * time.Minute,
	promise: "a topic that is read again from its beginning makes no call to a provider",
	faults:  "a new consumer group and an empty Redis",
	run:     runReplay,
}

func runReplay(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 500)
	nodes, err := w.up(ctx, 1)
	if err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 0); err != nil {
		return err
	}
	if err := w.pour(ctx, single(n, max(n/5, 10)), 0); err != nil {
		return err
	}
	if err := w.settle(ctx, aim{}, 30*time.Second); err != nil {
		return err
	}
	texts, pushes, err := w.calls()
	if err != nil {
		return err
	}
	node := nodes[0]
	if _, err := node.stop(); err != nil {
		return err
	}
	if err := w.redis.flush(); err != nil {
		return err
	}
	node.env = append(node.env, "ONMYWAY_KAFKA__GROUP="+w.kafka.group+"-again")
	w.faulted()
	if err := node.start(ctx); err != nil {
		return err
	}
	began := time.Now()
	err = until(ctx, 2*time.Minute, func() error {
		if seen := int(node.metric(ctx, repeats)); seen < n {
			return fmt.Errorf("%d of %d events were read again", seen, n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.count("events_per_second_again", float64(int(float64(n)/time.Since(began).Seconds())))
	if err := wait(ctx, 2*time.Second); err != nil { // what was to be sent would be on its way
		return err
	}
	textsAfter, pushesAfter, err := w.calls()
	if err != nil {
		return err
	}
	w.count("provider_calls_again", float64(textsAfter-texts+pushesAfter-pushes))
	if textsAfter != texts || pushesAfter != pushes {
		w.fail("%d texts and %d notifications were asked for again", textsAfter-texts, pushesAfter-pushes)
	}
	return w.judge(ctx, aim{})
}

// calls counts what providers were asked for so far.
func (w *world) calls() (texts, pushes int, err error) {
	taken, err := ledger.Read[ledger.Push](w.path("push.jsonl"))
	return int(w.sms.requests.Load()), len(taken), err
}
