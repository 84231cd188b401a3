package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
	"onmyway/notify/kafkasource"
	"onmyway/notify/mapping"
)

// TestBadRecords: what can't be understood goes to the dead letters with its reason, and what stands beside it arrives.
func TestBadRecords(t *testing.T) {
	const rest = `"order_id":"o","customer_id":"c","line":"car_haul","milestone":"picked_up","occurred_at":"2026-01-02T03:04:05Z"`
	tests := []struct{ reason, value string }{
		{mapping.Tombstone, ``},
		{mapping.TooLarge, `{"id":"x",` + rest + `,"data":{"x":"` + strings.Repeat("x", mapping.MaxSize) + `"}}`},
		{mapping.NotJSON, `order picked up`},
		{mapping.InvalidUTF8, "{\"id\":\"\xff\"," + rest + `}`},
		{mapping.NULCharacter, `{"id":"\u0000",` + rest + `}`},
		{mapping.TooDeep, `{"id":"x",` + rest + `,"data":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 41)},
		{mapping.DuplicateKey, `{"id":"x","id":"y",` + rest + `}`},
		{mapping.WrongType, `{"id":"x",` + rest + `,"sequence":"seven"}`},
		{mapping.BadText, `{"id":"` + strings.Repeat("x", 200) + `",` + rest + `}`},
		{mapping.MissingField, `{"id":"x","order_id":"o"}`},
		{mapping.MissingIdentity, `{` + rest + `}`},
		{mapping.UnknownField, `{"id":"x",` + rest + `,"Sequence":7}`},
		{mapping.UnknownLine, `{"id":"x",` + strings.Replace(rest, "car_haul", "car_hail", 1) + `}`},
		{mapping.UnknownMilestone, `{"id":"x",` + strings.Replace(rest, "picked_up", "picked_in", 1) + `}`},
		{mapping.BadPhone, `{"id":"x",` + rest + `,"customer":{"phone":"+1415"}}`},
		{mapping.BadTime, `{"id":"x",` + strings.Replace(rest, "2026-01-02", "2026-13-02", 1) + `}`},
		{mapping.TimeInFuture, `{"id":"x",` + strings.Replace(rest, "2026-01-02", "2099-01-02", 1) + `}`},
		{mapping.BadLocale, `{"id":"x",` + rest + `,"customer":{"locale":"not a language"}}`},
		{mapping.BadTimeZone, `{"id":"x",` + rest + `,"customer":{"time_zone":"Mars/Olympus"}}`},
	}
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		var records []notify.Record
		var good []event
		for i, tt := range tests {
			e := onTheWay(i, 20)
			good = append(good, e)
			// The same key: in one partition bad and good stand side by side.
			bad := notify.Record{Key: []byte("o"), Value: []byte(tt.value), Headers: []notify.Header{{Key: "expect", Value: []byte(tt.reason)}}}
			records = append(records, bad, notify.Record{Key: []byte("o"), Value: e.json()})
		}
		w.write(20*time.Second, records)
		within(t, 20*time.Second, "the good ones arrive", func() error { return w.arrived(n, good) })
		letters := w.deadLetters(len(tests))
		for _, r := range letters {
			h := map[string]string{}
			for _, pair := range r.Headers {
				h[pair.Key] = string(pair.Value)
			}
			if h["x-reason"] != h["expect"] || h["x-original-topic"] != w.topic || h["x-original-offset"] == "" || !strings.Contains(h["x-problems"], "detail") {
				t.Errorf("a dead letter of reason %q has headers %v", h["expect"], h)
			}
		}
		if got := w.count(`SELECT count(*) FROM dead_letters`); got != len(tests) {
			t.Errorf("%d dead letters in SQL, want %d", got, len(tests))
		}
	})
}

// deadLetters reads so many records of the dead-letter topic.
func (w *world) deadLetters(want int) (letters []notify.Record) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	k, err := kafkasource.Open(ctx, kafkasource.Config{
		Brokers: []string{w.brokers}, Topics: []string{w.dead}, Group: "reader-of-" + w.dead, DeadTopic: w.topic,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	var mu sync.Mutex
	err = k.Run(ctx, func(ctx context.Context, p notify.Partition) error {
		records := make([]notify.Record, 100)
		for {
			got, err := p.Fetch(ctx, records)
			if err != nil {
				return err
			}
			mu.Lock()
			for _, r := range records[:got] {
				r.Headers = append([]notify.Header(nil), r.Headers...)
				for i := range r.Headers {
					r.Headers[i].Value = append([]byte(nil), r.Headers[i].Value...)
				}
				letters = append(letters, r)
			}
			if len(letters) >= want {
				cancel()
			}
			mu.Unlock()
		}
	})
	if err := errors.Join(err, k.Close()); err != nil {
		w.t.Error(err)
	}
	if len(letters) != want {
		w.t.Errorf("%d dead letters, want %d", len(letters), want)
	}
	return letters
}

// TestAgain: the same event, the same fact under another id, and the whole topic once more with an empty Redis tell
// nobody anything.
func TestAgain(t *testing.T) {
	const events = 200
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		sent := manyOnTheWay(events, 50)
		w.produce(20*time.Second, sent...)
		within(t, 30*time.Second, "all arrive", func() error { return w.arrived(n, sent) })
		stored := w.count(`SELECT count(*) FROM events`)

		again := append([]event(nil), sent...)
		for i := range sent {
			e := sent[i]
			e.ID = "other-" + e.ID
			again = append(again, e)
		}
		w.produce(20*time.Second, again...)
		w.repeated(n, 2*events)

		n.stop()
		if w.forget != nil {
			w.forget()
		}
		n.env = append(n.env, "ONMYWAY_KAFKA__GROUP=another-"+w.topic)
		n.start()
		w.repeated(n, 3*events)

		if got := w.sms.Requests(); got != events {
			t.Errorf("%d requests to the provider, want %d", got, events)
		}
		if got := w.count(`SELECT count(*) FROM events`); got != stored {
			t.Errorf("%d events are stored, there were %d", got, stored)
		}
	})
}

// repeated waits until a process has seen so many records that were known.
func (w *world) repeated(n *node, want int) {
	w.t.Helper()
	within(w.t, 20*time.Second, "all repeats are read", func() error {
		if got := int(n.metric(`onmyway_events_total{outcome="repeated"`)); got != want {
			return fmt.Errorf("%d of %d", got, want)
		}
		return nil
	})
}

// arrived is an error until each of the events, which have one order each, was accepted once as a text by the provider,
// or is shown to staff as unclear: then it must not have been accepted more than once.
func (w *world) arrived(n *node, events []event) error {
	accepted := map[string]int{}
	for _, m := range w.sms.Accepted() {
		_, order, _ := strings.Cut(m.Body, link(""))
		accepted[order]++
		if accepted[order] > 1 {
			w.t.Fatalf("order %s was told %d times", order, accepted[order])
		}
	}
	var missing []string
	for _, e := range events {
		if accepted[e.OrderID] == 0 {
			missing = append(missing, e.OrderID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if len(missing) > len(events)/2 {
		return fmt.Errorf("%d of %d texts are missing", len(missing), len(events))
	}
	unclear, err := n.tryMessages("channel=sms&state=verify")
	if err != nil {
		return err
	}
	shown := map[string]bool{}
	for _, m := range unclear {
		shown[m.OrderID] = true
	}
	for _, order := range missing {
		if !shown[order] {
			ms, _ := n.tryMessages("order_id=" + order)
			return fmt.Errorf("%d of %d texts are missing, %d are unclear; order %s: %+v", len(missing), len(events), len(unclear), order, ms)
		}
	}
	return nil
}
