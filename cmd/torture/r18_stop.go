package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/cmd/torture/ledger"
)

var stopScenario = scenario{
	id: "R18", events: 20_000, gate: 0.25, within: 6 * time.Minute,
	promise: "no text to a number starts later than a second after its STOP was confirmed",
	faults:  "STOP and START from 2,000 numbers under load, Redis emptied every second, a process killed every 3 s",
	knobs:   knobs{latency: jitter, env: map[string]string{"SMS__LANES": "16"}},
	run:     runStop,
}

const (
	inbound   = "/hooks/twilio/inbound"
	stopGrace = time.Second
)

func runStop(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 600)
	customers := n / 5
	nodes, err := w.up(ctx, 2)
	if err != nil {
		return err
	}
	if status, _, err := w.rest.try(ctx, http.MethodPost, inbound, nil); err != nil || status == http.StatusNotFound {
		return errors.Join(err, skip("this program has no hook for texts to us"))
	}
	stops, err := ledger.Open(w.path("stops.jsonl"))
	if err != nil {
		return err
	}
	defer func() { _ = stops.Close() }()
	over := max(time.Duration(n/1000)*time.Second, 5*time.Second)
	l := w.start(ctx, single(n, customers), over)
	disturbing, calm := context.WithCancel(ctx)
	done := make(chan error, 2)
	go func() { done <- w.flushAgain(disturbing, time.Second) }()
	go func() { done <- w.killAgain(disturbing, nodes[1], 3*time.Second) }()
	err = w.revoke(ctx, stops, customers, over)
	calm()
	if err := errors.Join(err, <-done, <-done, l.wait(), nodes[1].ready(ctx)); err != nil {
		return err
	}
	if err := w.finish(ctx, aim{}, 20*time.Second); err != nil {
		return err
	}
	return w.violations()
}

// revoke makes half of the customers answer STOP at some moment of the load, and some of those START later.
func (w *world) revoke(ctx context.Context, stops *ledger.File, customers int, over time.Duration) error {
	who := w.random.Perm(customers)[:customers/2]
	for i, c := range who {
		if err := w.answer(ctx, stops, c, "STOP"); err != nil {
			return err
		}
		if i%10 == 9 { // somebody who changed their mind
			if err := w.answer(ctx, stops, who[w.random.IntN(i)], "START"); err != nil {
				return err
			}
		}
		if err := wait(ctx, over/time.Duration(len(who))); err != nil {
			return err
		}
	}
	return nil
}

// answer sends a text of a customer to the service, as the provider does: again until it is taken.
func (w *world) answer(ctx context.Context, stops *ledger.File, c int, word string) error {
	sid := fmt.Sprintf("SM%032x", w.random.Uint64())
	err := until(ctx, 20*time.Second, func() error {
		status, _, err := w.sms.Receive(ctx, w.front.url+inbound, twiliotest.Text{From: phoneOf(c), To: "+15005550006", Body: word, SID: sid})
		if err == nil && status/100 != 2 {
			err = fmt.Errorf("the hook for a text answers %d", status)
		}
		return err
	})
	if err != nil {
		return err
	}
	w.excused[customerID(c)] = true
	return stops.Add(ledger.Stop{At: time.Now(), Phone: phoneOf(c), On: word == "STOP"})
}

func (w *world) killAgain(ctx context.Context, n *node, every time.Duration) error {
	for wait(ctx, every) == nil {
		if err := n.kill(); err != nil {
			return err
		}
		w.faulted()
		if err := n.launch(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) violations() error {
	stops, err := ledger.Read[ledger.Stop](w.path("stops.jsonl"))
	requests, err2 := ledger.Read[ledger.Text](w.path("requests.jsonl"))
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	late := ledger.AfterStop(stops, requests, stopGrace)
	w.count("violations", float64(len(late)))
	w.sometimes("stops", float64(len(stops)))
	if len(late) > 0 {
		f, _ := late[0].Fact()
		w.fail("%d requests more than %s after a STOP was confirmed, such as that for %v", len(late), stopGrace, f)
	}
	return nil
}
