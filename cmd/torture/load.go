package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"onmyway/cmd/torture/ledger"
)

// event is what a producer writes.
type event struct {
	ID         string            `json:"id"`
	OrderID    string            `json:"order_id"`
	CustomerID string            `json:"customer_id"`
	Line       string            `json:"line"`
	Milestone  string            `json:"milestone"`
	Sequence   int               `json:"sequence"`
	OccurredAt time.Time         `json:"occurred_at"`
	Customer   map[string]string `json:"customer"`
	Data       map[string]any    `json:"data"`
}

// onTheWay tells that a driver is on the way to the car of an order, for the step-th time, with a link that names both.
func onTheWay(order, step, customers int) event {
	c := order % customers
	f := ledger.Fact{Order: orderID(order), Step: step}
	return event{
		ID: "evt-" + f.String(), OrderID: f.Order, CustomerID: customerID(c), Line: "car_haul",
		Milestone: "driver_en_route_to_pickup", Sequence: step, OccurredAt: time.Now().UTC().Truncate(time.Millisecond),
		Customer: map[string]string{"name": "Dana Reyes", "phone": phoneOf(c)},
		Data:     map[string]any{"driver_name": "Sam", "tracking_url": f.Link()},
	}
}

func orderID(i int) string    { return fmt.Sprintf("CH-%06d", i) }
func customerID(c int) string { return fmt.Sprintf("c-%d", c) }

// phoneOf is the number of a customer; phonePattern is how all of them look.
func phoneOf(c int) string { return fmt.Sprintf("+1415%07d", 5_000_000+c) }

const phonePattern = `\+1415[5-6]\d{6}`

func (e event) input(at time.Time) ledger.Input {
	return ledger.Input{At: at, Customer: e.CustomerID, Phone: e.Customer["phone"], Fact: ledger.Fact{Order: e.OrderID, Step: e.Sequence}}
}

func (e event) record() *kgo.Record {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and times
	}
	return &kgo.Record{Key: []byte(e.OrderID), Value: b}
}

// produce writes events to Kafka and, when they are acknowledged, to the ledger of inputs.
func (w *world) produce(ctx context.Context, events ...event) error {
	at := time.Now()
	records := make([]*kgo.Record, len(events))
	for i, e := range events {
		records[i] = e.record()
	}
	if err := w.kafka.produce(ctx, records); err != nil {
		return err
	}
	inputs := make([]any, len(events))
	for i, e := range events {
		inputs[i] = e.input(at)
	}
	w.mu.Lock()
	w.result.Events += len(events)
	w.mu.Unlock()
	return w.inputs.Add(inputs...)
}

// load is a producer that runs beside the faults.
type load struct {
	done chan struct{}
	err  error
}

// start produces events evenly over a time.
func (w *world) start(ctx context.Context, events []event, over time.Duration) *load {
	l := &load{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.err = w.pour(ctx, events, over)
	}()
	return l
}

// wait returns when all events are written.
func (l *load) wait() error {
	<-l.done
	return l.err
}

// pour writes events in portions, evenly over a time, or as fast as it goes when over is 0.
func (w *world) pour(ctx context.Context, events []event, over time.Duration) error {
	began := time.Now()
	const portions = 200
	for i := range portions {
		from, to := len(events)*i/portions, len(events)*(i+1)/portions
		if from < to {
			now := time.Now().UTC().Truncate(time.Millisecond)
			for j := from; j < to; j++ {
				events[j].OccurredAt = now
			}
			if err := w.produce(ctx, events[from:to]...); err != nil {
				return err
			}
		}
		if err := wait(ctx, time.Until(began.Add(over*time.Duration(i+1)/portions))); err != nil {
			return err
		}
	}
	return nil
}

// single are events of one step each: no message gives way to another, so each must be told.
func single(n, customers int) []event {
	events := make([]event, n)
	for i := range events {
		events[i] = onTheWay(i, 1, customers)
	}
	return events
}
