package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

var databaseScenario = scenario{
	id: "R5", events: 10_000, within: 6 * time.Minute, control: "postgres",
	promise: "a database that is away for half a minute costs time, and neither messages nor memory",
	faults:  "PostgreSQL stopped at once (immediate) for 30 s under load",
	run:     runDatabase,
}

const (
	mostHeap   = 256 << 20        // bytes, while the database is away
	mostDrain  = 30 * time.Second // from its start until everything is told
	fullOutage = 30 * time.Second
)

func runDatabase(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 500)
	nodes, err := w.up(ctx, 1)
	if err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	outage := max(time.Duration(float64(fullOutage)*w.options.scale), 3*time.Second)
	l := w.start(ctx, single(n, max(n/5, 10)), outage*4/3)
	if err := wait(ctx, outage/6); err != nil {
		return err
	}
	w.postgres.stop(true)
	w.faulted()
	away, stop := context.WithTimeout(ctx, outage)
	heap, answers := w.observe(away, nodes[0])
	stop()
	if err := w.postgres.start(ctx); err != nil {
		return err
	}
	back := time.Now()
	if err := errors.Join(l.wait(), w.finish(ctx, aim{}, 40*time.Second)); err != nil {
		return err
	}
	w.count("heap_megabytes", heap/(1<<20))
	if heap > mostHeap {
		w.fail("the heap grew to %.0f MB", heap/(1<<20))
	}
	_, last := w.sms.told()
	drained := last.Sub(back)
	w.count("drained_seconds", drained.Round(time.Millisecond).Seconds())
	if drained > mostDrain {
		w.fail("everything was told %s after the database was back, want %s", drained.Round(time.Second), mostDrain)
	}
	w.sometimes("answers_503", float64(answers[http.StatusServiceUnavailable]))
	for status, n := range answers {
		if status >= 500 && status != http.StatusServiceUnavailable {
			w.fail("%d calls were answered %d while the database was away, want 503", n, status)
		}
	}
	return nil
}

// observe looks at memory and asks the REST API twice a second until ctx ends.
func (w *world) observe(ctx context.Context, n *node) (heap float64, answers map[int]int) {
	answers = map[int]int{}
	direct := client{url: n.address}
	for wait(ctx, 500*time.Millisecond) == nil {
		heap = max(heap, n.metric(ctx, heapInUse))
		asked, cancel := context.WithTimeout(ctx, 10*time.Second)
		if status, _, err := direct.try(asked, http.MethodGet, "/v1/messages?limit=1", nil); err == nil {
			answers[status]++
		}
		cancel()
	}
	w.step("while the database was away: %v", fmt.Sprint(answers))
	return heap, answers
}
