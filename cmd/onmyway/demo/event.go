package demo

import (
	"encoding/json"
	"fmt"
	"time"

	"onmyway/notify"
)

// event is one fact about an order, as a line of business publishes it.
type event struct {
	ID        string
	Order     string
	Buyer     *buyer
	Milestone string
	Sequence  int64
	At        time.Time // to the millisecond
	Data      map[string]any
}

// contact is what events say of a customer.
type contact struct {
	Name     string `json:"name,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Locale   string `json:"locale,omitempty"`
	TimeZone string `json:"time_zone,omitempty"`
}

// record is the event as Kafka carries it: canonical JSON, with the order as key so that its events stay in order.
func (e *event) record() (notify.Record, error) {
	value, err := json.Marshal(struct {
		ID         string         `json:"id"`
		OrderID    string         `json:"order_id"`
		CustomerID string         `json:"customer_id"`
		Line       notify.Line    `json:"line"`
		Milestone  string         `json:"milestone"`
		Sequence   int64          `json:"sequence"`
		OccurredAt time.Time      `json:"occurred_at"`
		Customer   contact        `json:"customer"`
		Data       map[string]any `json:"data"`
	}{e.ID, e.Order, e.Buyer.ID, e.Buyer.Line, e.Milestone, e.Sequence, e.At,
		contact{e.Buyer.Name, e.Buyer.Phone, e.Buyer.Locale, e.Buyer.Zone}, e.Data})
	if err != nil {
		return notify.Record{}, fmt.Errorf("write event %s: %w", e.ID, err)
	}
	return notify.Record{Key: []byte(e.Order), Value: value}, nil
}

// link is the tracking link of an event. It names the event, so that a text tells by its own words what it is about.
func (e *event) link() string {
	return fmt.Sprintf("https://onmyway.example/t/%s.%d", e.Order, e.Sequence)
}
