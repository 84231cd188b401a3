package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

var rollingScenario = scenario{
	id: "R9", events: 20_000, gate: 0.25, within: 8 * time.Minute, database: "postgres",
	promise: "a rolling restart loses nothing, and no caller hears of it",
	faults:  "3 processes told to stop and started again, one after the other, 10 times; 200 calls a second, 1,000 open pages",
	knobs:   knobs{latency: jitter},
	run:     runRolling,
}

func runRolling(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 600)
	nodes, err := w.up(ctx, processes)
	if err != nil {
		return err
	}
	if err := w.audience(ctx, 10, w.scaled(1000, 20)); err != nil {
		return err
	}
	rounds := w.scaled(10, 1)
	calling, stop := context.WithCancel(ctx)
	calls := &callers{answers: map[string]int{}}
	calls.start(calling, w, 200)
	l := w.start(ctx, single(n, max(n/5, 20)), time.Duration(rounds)*8*time.Second)
	var longest time.Duration
	for range rounds {
		for _, node := range nodes {
			took, err := node.stop()
			longest = max(longest, took)
			if err == nil {
				err = node.start(ctx)
			}
			if err != nil {
				stop()
				return errors.Join(err, l.wait())
			}
			w.faulted()
		}
	}
	err = l.wait()
	stop()
	calls.working.Wait()
	if err != nil {
		return err
	}
	w.count("longest_stop_seconds", longest.Seconds())
	for answer, n := range calls.answers {
		w.count("calls_"+answer, float64(n))
		if answer != "2xx" && answer != "404" {
			w.fail("%d calls ended as %s, such as %s", n, answer, calls.example)
		}
	}
	w.sometimes("calls_2xx", float64(calls.answers["2xx"]))
	return w.finish(ctx, aim{}, 30*time.Second)
}

// callers are partners and staff who call all the time.
type callers struct {
	working sync.WaitGroup
	mu      sync.Mutex
	answers map[string]int
	example string // of a bad answer
}

// start makes so many calls a second until ctx ends, half of them reads and a tenth events.
func (c *callers) start(ctx context.Context, w *world, perSecond int) {
	const lanes = 10
	for lane := range lanes {
		c.working.Go(func() {
			for i := 0; wait(ctx, lanes*time.Second/time.Duration(perSecond)) == nil; i++ {
				path := "/v1/orders/" + orderID(i*lanes+lane)
				if i%2 == 0 {
					path = "/v1/messages?limit=5&customer_id=" + customerID(lane)
				}
				status, answer, err := w.rest.try(ctx, http.MethodGet, path, nil)
				if ctx.Err() == nil {
					c.note(path, status, answer, err)
				}
			}
		})
	}
}

func (c *callers) note(path string, status int, answer []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	how := fmt.Sprintf("%dxx", status/100)
	switch {
	case err != nil:
		how = "error"
	case status == http.StatusNotFound: // an order that is yet to come
		how = "404"
	case status >= 500:
		how = fmt.Sprint(status)
	}
	c.answers[how]++
	if how != "2xx" && how != "404" {
		c.example = fmt.Sprintf("GET %s: %d %s %v", path, status, answer, err)
	}
}
