package ledger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Fact names what one message tells: the step of an order. The first step is 1.
type Fact struct {
	Order string `json:"order"`
	Step  int    `json:"step"`
}

// Less orders facts by their orders, then by their steps.
func (f Fact) Less(g Fact) bool {
	return f.Order < g.Order || f.Order == g.Order && f.Step < g.Step
}

func (f Fact) String() string { return fmt.Sprintf("%s/%d", f.Order, f.Step) }

// Input is one event that a producer wrote to Kafka and had acknowledged.
type Input struct {
	At       time.Time `json:"at"`
	Customer string    `json:"customer"`
	Phone    string    `json:"phone"` // E.164
	Fact
}

// Text is one text message that the provider accepted, or a request for one.
type Text struct {
	At   time.Time `json:"at"`
	SID  string    `json:"sid"`
	To   string    `json:"to"`
	Body string    `json:"body"`
}

// linkBase is in every text: what follows it is the fact.
const linkBase = "https://track.example/"

// Link is the address by which a text names its fact.
func (f Fact) Link() string { return linkBase + f.String() }

var linked = regexp.MustCompile(regexp.QuoteMeta(linkBase) + `([^/\s]+)/(\d+)`)

// Fact reads what the text tells; false when it holds no link of ours.
func (t Text) Fact() (Fact, bool) { return factIn(t.Body) }

func factIn(body string) (Fact, bool) {
	m := linked.FindStringSubmatch(body)
	if m == nil {
		return Fact{}, false
	}
	step, err := strconv.Atoi(m[2])
	return Fact{Order: m[1], Step: step}, err == nil
}

// Push is one notification that the push service accepted.
type Push struct {
	At           time.Time       `json:"at"`
	Subscription string          `json:"subscription"`
	Payload      json.RawMessage `json:"payload"`
}

// Shown reads what the browser shows: the fact, and the tag by which it shows a repeated notification only once.
func (p Push) Shown() (f Fact, tag string, err error) {
	var body struct {
		OrderID      string `json:"order_id"`
		Sequence     int    `json:"sequence"`
		Notification struct {
			Tag string `json:"tag"`
		} `json:"notification"`
	}
	if err := json.Unmarshal(p.Payload, &body); err != nil {
		return Fact{}, "", fmt.Errorf("read a notification: %w", err)
	}
	return Fact{body.OrderID, body.Sequence}, body.Notification.Tag, nil
}

// Live is one message that the page of a customer showed.
type Live struct {
	At       time.Time `json:"at"`
	Customer string    `json:"customer"`
	Session  int       `json:"session"` // of the page: a new socket is a new one
	ID       string    `json:"id"`      // of the message: the page shows each once
	Reloaded bool      `json:"reloaded"`
	Fact
}

// Stop is an opt-out that the service had confirmed at a time.
type Stop struct {
	At    time.Time `json:"at"` // when the answer was there
	Phone string    `json:"phone"`
	On    bool      `json:"on"` // false for a START
}
