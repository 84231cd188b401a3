package notify

import (
	"errors"
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
	Since      time.Time // created at or after
	Until      time.Time // created before
	Before     ID        // only messages older than this one: the cursor
	Limit      int       // 1 to 100
}

// Entry is a message with everything that explains it. A WebSocket message is read from its event's own row and has the
// event's id.
type Entry struct {
	Message
	Attempts []Attempt
	NotSent  []NotSent // WebSocket only: the other channels of the event that got no message
	EventKey string    // the producer's name of the event
	Data     []byte    // the event's facts, a JSON object
	Origin   Origin
	Resends  []ID   // messages that were made from this one
	By       string // who asked for it, for a resend
	Why      string // and why
}

// Idempotent names a call that may be repeated: the same principal and key give the same answer.
type Idempotent struct {
	Principal string
	Key       string
	BodyHash  [32]byte // SHA-256 of what was asked: another one under the same key is a mistake
}

// ErrKeyReused means that an idempotency key came again with another body.
var ErrKeyReused = errors.New("this idempotency key was used for another request")
