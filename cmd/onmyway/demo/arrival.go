package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// arrival is one message that a receiver got: a line of the ledger of the simulated Twilio or push service, or a message
// that a live page showed.
type arrival struct {
	At       time.Time
	Channel  notify.Channel
	Address  string // phone number, subscription, or customer whose page it is
	ID       string // of the message, where the receiver is told; of the event on a live page
	Order    string
	Sequence int64
	Title    string
	Body     string
}

// tape is a ledger file that is heard while it is written.
type tape struct {
	file  *os.File
	parse func(line []byte) (arrival, error)
	heard func(arrival)
}

// Write appends one line, as the simulated providers do before they answer. A line that says nothing is refused, and with
// it the message.
func (t *tape) Write(line []byte) (int, error) {
	a, err := t.parse(line)
	if err != nil {
		return 0, err
	}
	n, err := t.file.Write(line)
	if err == nil {
		t.heard(a)
	}
	return n, err
}

// parseText reads a line of Twilio's ledger. What the text is about stands in its link, the message in its callback.
func parseText(line []byte) (arrival, error) {
	var e twiliotest.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return arrival{}, fmt.Errorf("read the ledger of texts: %w", err)
	}
	a := arrival{At: e.At, Channel: notify.SMS, Address: e.To, Body: e.Body}
	a.Order, a.Sequence = linked(e.Body)
	attempt := e.StatusCallback[strings.LastIndexByte(e.StatusCallback, '/')+1:]
	if i := strings.LastIndexByte(attempt, '-'); i > 0 {
		a.ID = attempt[:i]
	}
	return a, nil
}

// linked finds the tracking link of a text and reads which event it is of.
func linked(text string) (order string, sequence int64) {
	_, rest, found := strings.Cut(text, "onmyway.example/t/")
	if !found {
		return "", 0
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r == ' ' || r == '\n' })
	if end >= 0 {
		rest = rest[:end]
	}
	order, number, _ := strings.Cut(rest, ".")
	sequence, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return "", 0
	}
	return order, sequence
}

// parsePush reads a line of the push service's ledger: the notification as the browser decrypted it.
func parsePush(line []byte) (arrival, error) {
	var e struct {
		At           time.Time `json:"at"`
		Subscription string    `json:"subscription"`
		Payload      struct {
			ID           string `json:"id"`
			OrderID      string `json:"order_id"`
			Sequence     int64  `json:"sequence"`
			Notification struct {
				Title string `json:"title"`
				Body  string `json:"body"`
			} `json:"notification"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return arrival{}, fmt.Errorf("read the ledger of pushes: %w", err)
	}
	p := &e.Payload
	return arrival{At: e.At, Channel: notify.Push, Address: e.Subscription, ID: p.ID, Order: p.OrderID, Sequence: p.Sequence,
		Title: p.Notification.Title, Body: p.Notification.Body}, nil
}

// book keeps everything that arrived.
type book struct {
	mu       sync.Mutex
	arrivals []arrival
	keys     map[key]bool
}

func newBook() *book { return &book{keys: map[key]bool{}} }

func (b *book) add(a arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrivals = append(b.arrivals, a)
	b.keys[a.key()] = true
}

// all is everything so far.
func (b *book) all() []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrivals[:len(b.arrivals):len(b.arrivals)]
}

// missing counts those of due that have not arrived.
func (b *book) missing(due []key) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, k := range due {
		if !b.keys[k] {
			n++
		}
	}
	return n
}
