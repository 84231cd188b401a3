package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"onmyway/notify"
)

// event is what a producer writes.
type event struct {
	ID         string            `json:"id,omitempty"`
	OrderID    string            `json:"order_id"`
	CustomerID string            `json:"customer_id"`
	Line       string            `json:"line"`
	Milestone  string            `json:"milestone"`
	Sequence   int               `json:"sequence,omitempty"`
	OccurredAt time.Time         `json:"occurred_at"`
	Customer   map[string]string `json:"customer,omitempty"`
	Data       map[string]any    `json:"data,omitempty"`
}

// onTheWay is event i of a run: a driver is on the way to the car of order i, which is of one of so many customers. Each
// order has one event, so no message gives way to another. The link in the text names the order.
func onTheWay(i, customers int) event {
	c := i % customers
	order := fmt.Sprintf("CH-%05d", i)
	return event{
		ID: "evt-" + order, OrderID: order, CustomerID: fmt.Sprintf("c-%d", c), Line: "car_haul",
		Milestone: "driver_en_route_to_pickup", Sequence: 1, OccurredAt: time.Now().UTC(),
		Customer: map[string]string{"name": canary + " Reyes", "phone": fmt.Sprintf("+1415%07d", 5_550_000+c)},
		Data:     map[string]any{"driver_name": canary + " Sam", "tracking_url": link(order)},
	}
}

func manyOnTheWay(n, customers int) []event {
	events := make([]event, n)
	for i := range events {
		events[i] = onTheWay(i, customers)
	}
	return events
}

func link(order string) string { return "https://track.example/" + order }

func (e event) json() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and times
	}
	return b
}

func (e event) record() notify.Record { return notify.Record{Key: []byte(e.OrderID), Value: e.json()} }

// produce writes events to Kafka. Like any good producer it writes again what was not acknowledged, for up to d. It may be
// called from any goroutine once producer was.
func (w *world) produce(d time.Duration, events ...event) {
	w.t.Helper()
	records := make([]notify.Record, len(events))
	for i, e := range events {
		records[i] = e.record()
	}
	w.write(d, records)
}

func (w *world) write(d time.Duration, records []notify.Record) {
	w.t.Helper()
	k := w.producer()
	err := asked(d, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return k.Produce(ctx, w.topic, records)
	})
	if err != nil {
		w.t.Errorf("not within %s: %v", d, err)
	}
}

// try makes one REST call. Header are pairs.
func (n *node) try(method, path string, body any, header ...string) (status int, answer []byte, err error) {
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		in = bytes.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			return 0, nil, err
		}
		in = bytes.NewReader(j)
	}
	req, err := http.NewRequest(method, n.url+path, in)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := n.web.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// call makes one REST call that must answer with a status, and reads the answer into dst unless that is nil.
func (n *node) call(want int, dst any, method, path string, body any, header ...string) {
	n.t.Helper()
	status, answer, err := n.try(method, path, body, header...)
	if err == nil && status == want && dst != nil {
		err = json.Unmarshal(answer, dst)
	}
	if err != nil || status != want {
		n.t.Fatalf("%s %s: %d %s, %v; want %d", method, path, status, answer, err, want)
	}
}

// message is one of GET /v1/messages.
type message struct {
	ID        string           `json:"id"`
	OrderID   string           `json:"order_id"`
	Line      notify.Line      `json:"line"`
	Milestone string           `json:"milestone"`
	Sequence  int              `json:"sequence"`
	Channel   notify.Channel   `json:"channel"`
	State     notify.State     `json:"state"`
	Reason    notify.Reason    `json:"reason"`
	Address   string           `json:"address"`
	Title     string           `json:"title"`
	Body      string           `json:"body"`
	CreatedAt time.Time        `json:"created_at"`
	DueAt     time.Time        `json:"due_at"`
	ShownAt   time.Time        `json:"shown_at"`
	Why       string           `json:"why"`
	ResendOf  string           `json:"resend_of"`
	Resends   []string         `json:"resends"`
	Attempts  []notify.Attempt `json:"attempts"`
	NotSent   []notify.NotSent `json:"not_sent"`
	Lineage   struct {
		Topic          string `json:"topic"`
		Partition      int    `json:"partition"`
		Offset         int64  `json:"offset"`
		EventID        string `json:"event_id"`
		Template       string `json:"template"`
		TemplateLocale string `json:"template_locale"`
		ProviderID     string `json:"provider_id"`
	} `json:"lineage"`
}

// tryMessages reads all pages of a query such as "state=verify".
func (n *node) tryMessages(query string) (all []message, err error) {
	for cursor := ""; ; {
		status, answer, err := n.try(http.MethodGet, "/v1/messages?limit=100&"+query+cursor, nil)
		var page struct {
			Items []message
			Next  string
		}
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, answer)
		}
		if err == nil {
			err = json.Unmarshal(answer, &page)
		}
		if err != nil {
			return nil, fmt.Errorf("messages with %s: %w", query, err)
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}

func (n *node) messages(query string) []message {
	n.t.Helper()
	all, err := n.tryMessages(query)
	if err != nil {
		n.t.Fatal(err)
	}
	return all
}

// subscribe gives a customer a browser.
func (w *world) subscribe(n *node, customer string) (id string) {
	w.t.Helper()
	sub, err := w.push.Subscribe()
	if err != nil {
		w.t.Fatal(err)
	}
	n.call(http.StatusCreated, nil, http.MethodPost, "/v1/customers/"+customer+"/push-subscriptions", map[string]any{
		"endpoint": sub.Endpoint, "keys": map[string]string{"p256dh": sub.P256dh, "auth": sub.Auth},
	})
	return sub.ID
}

// orderOf is the order that a notification is about.
func orderOf(payload []byte) string {
	var p struct {
		OrderID string `json:"order_id"`
	}
	_ = json.Unmarshal(payload, &p) // what is no notification is about no order
	return p.OrderID
}
