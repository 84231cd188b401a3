package notify

import (
	"errors"
	"strconv"
	"time"
)

// ErrNotFound means that nothing is stored under that name.
var ErrNotFound = errors.New("not found")

// Query asks for messages, newest first. Zero fields ask nothing.
type Query struct {
	OrderID    string
	CustomerID string
	Phone      string // E.164: messages that went to this number
	Channel    Channel
	State      State
	Milestone  string
	Since      time.Time // the event happened at or after, to the millisecond
	Until      time.Time // the event happened before
	Before     ID        // only messages older than this one: the cursor
	Limit      int       // 1 to 100
}

// Entry is a message with everything that explains it. A WebSocket message is read from its event's own row and has the
// event's id.
type Entry struct {
	Message
	Attempts []Attempt
	History  []Step    // what became of it besides our attempts: reports, settlements, a STOP; the oldest first
	NotSent  []NotSent // WebSocket only: the other channels of the event that got no message
	ShownAt  time.Time // WebSocket only: when a screen first said that it showed the event; zero: none has
	EventKey string    // the producer's name of the event
	Data     []byte    // the event's facts, a JSON object
	Origin   Origin
	Resends  []ID   // messages that were made from this one
	By       string // who asked for it, for a resend
	Why      string // and why
}

// Step is a change of a message that no attempt of ours made.
type Step struct {
	At     time.Time // when we heard of it
	State  State     // that it went to; of an older attempt, what became of that
	Reason Reason    // empty for none
	Code   int       // the provider's own error code; 0 for none
	Detail string    // in words, without address and text
}

// DeadLetter is a record that became no event, as staff see it.
type DeadLetter struct {
	ID ID
	Reject
}

// LetterID is the id of the dead letter of a record: the same record gives the same id. A topic that was made anew has
// other records under the same offsets.
func LetterID(r *Record) ID {
	return NewID(r.Time, r.Topic, strconv.Itoa(r.Partition), strconv.FormatInt(r.Offset, 10), string(r.Key), string(r.Value))
}

// Idempotent names a call that may be repeated: the same principal and key give the same answer.
type Idempotent struct {
	Principal string
	Key       string
	BodyHash  [32]byte // SHA-256 of what was asked: another one under the same key is a mistake
}

// ErrKeyReused means that an idempotency key came again with another body.
var ErrKeyReused = errors.New("this idempotency key was used for another request")
