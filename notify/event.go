package notify

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"onmyway/templates"
)

// Line is a line of business.
type Line string

// The three lines.
const (
	CarHaul           Line = "car_haul"
	DriveAway         Line = "drive_away"
	TitleRegistration Line = "title_registration"
)

// Lines lists them in the order in which people say them.
var Lines = []Line{CarHaul, DriveAway, TitleRegistration}

// Record is one record of a Kafka partition as it was read. Its byte slices are not written any more.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time // when the broker or producer stamped it
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Header is one header of a Record.
type Header struct {
	Key   string
	Value []byte
}

// Event is one fact about one order: a milestone that was reached.
type Event struct {
	ID         ID     // derived from Key and OccurredAt; also the id of its WebSocket message
	Key        string // its identity, see EventKey
	OrderID    string
	CustomerID string
	Line       Line
	Milestone  *Milestone
	Sequence   int64 // grows with every event of an order and line; 0 when the producer has none
	OccurredAt time.Time
	Customer   *Contact         // what the event itself says of the customer; nil when it says nothing
	Consents   map[Channel]bool // what it says of their consent; nil when it says nothing
	Data       []byte           // the raw JSON object under "data"; nil when there is none
	Facts      templates.Facts  // Data as templates see it
	Origin     Origin
	Trace      string // W3C traceparent from the record's headers; empty for none
}

// Origin tells where an event was read: lineage, never identity.
type Origin struct {
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time // the record's timestamp
}

// EventKey is the identity of an event: the producer's id, else (order, line, milestone, sequence). Topic, partition and
// offset are not part of it: topics are re-created, re-partitioned and mirrored.
func EventKey(id, orderID string, line Line, milestone string, sequence int64) string {
	if id != "" {
		return id
	}
	return strings.Join([]string{orderID, string(line), milestone, strconv.FormatInt(sequence, 10)}, "\x1f")
}

// Fact is the number that tells two occurrences of one milestone of one order apart: the producer's sequence, or a
// negative hash of the event's key where there is none. Together with order, line and milestone it is unique in SQL, which
// catches the same fact published under a new event id or with another time.
func (e *Event) Fact() int64 {
	if e.Sequence > 0 {
		return e.Sequence
	}
	sum := sha256.Sum256([]byte(e.Key))
	return -int64(binary.BigEndian.Uint64(sum[:8])>>1) - 1
}

// Problem is one thing that is wrong with an input, and what to do about it.
type Problem struct {
	Field  string `json:"field"`  // as the producer wrote it: "customer.phone"; empty for the whole input
	Detail string `json:"detail"` // what is wrong and the fix, never the value itself
}

// Invalid is the error of an input that can never be understood. It carries everything that is wrong with it.
type Invalid struct {
	Reason   string // a short stable code: not_json, unknown_milestone, …; see mapping
	Problems []Problem
}

// Error joins the problems.
func (e *Invalid) Error() string {
	var b strings.Builder
	b.WriteString(e.Reason)
	for i, p := range e.Problems {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		if p.Field != "" {
			b.WriteString(p.Field + " ")
		}
		b.WriteString(p.Detail)
	}
	return b.String()
}

// Reject is a record that became no event.
type Reject struct {
	Record   Record
	Reason   string
	Problems []Problem
	At       time.Time
}
