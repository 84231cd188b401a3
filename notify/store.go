package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Store is the truth as Intake needs it. sqlstore implements it over PostgreSQL and SQLite.
//
// Batch calls fill the caller's memory: dst[i] answers in[i]. An error means that nothing is decided: try the whole batch
// again.
type Store interface {
	// Known tells which events are stored already.
	Known(ctx context.Context, ids []ID, dst []bool) error
	// Lookup fills profiles and heads. What is not stored gets the zero value with its key (CustomerID, OrderID, Line) set.
	Lookup(ctx context.Context, customers []string, profiles []Profile, orders []OrderLine, heads []Head) error
	// Add stores the batch in one transaction and sets New on every event that was not there. Messages of events that
	// are not new are not stored. A message may be unclear from the start: then its provider is asked about it. It returns
	// *HeadMoved when a head or customer was not what Decide thought, ErrRewound when the partition stands neither at Since
	// nor, from a try whose answer was lost, at Next, and ErrBadRow when the database refuses the data itself; all stored
	// nothing.
	Add(ctx context.Context, b *Batch) error
}

// Cache remembers what is in SQL. It may forget everything at any moment, and may fail.
type Cache interface {
	// Look asks, in one round trip, which events were marked, what is remembered of customers and orders and, where
	// Present has places, who has a live page open on any node. A miss leaves Version 0 in the profile or head. With an
	// error everything is a miss.
	Look(ctx context.Context, l *Look) error
	// Mark remembers events that are in SQL, profiles and heads, under their own ids. An older Version of a profile never
	// replaces a newer; a head is only a guess that Store.Add checks, so there the last one stays.
	Mark(ctx context.Context, m *Look) error
}

// Look is one question to the cache and its answer, or one thing to remember. Slices are parallel: Seen answers Events,
// Profiles and Present answer Customers, Heads answers Orders. An empty Present asks nothing; Mark does not look at it.
type Look struct {
	Events    []ID
	Seen      []bool
	Customers []string
	Profiles  []Profile
	Present   []bool
	Orders    []OrderLine
	Heads     []Head
}

// Live shows publications to the sockets that are open now, on every node.
type Live interface {
	Publish(ctx context.Context, ps []Publication) error
}

// Publication is one message to the sockets of one customer.
type Publication struct {
	Customer string
	OrderID  string // a socket that was opened for one order sees only that order's
	Data     []byte // a JSON object on one line; good until Publish returns
}

// Batch is what one round of Intake stores.
type Batch struct {
	Topic     string
	Partition int
	Next      int64 // the offset after the last record of the batch
	Since     Place // where the partition has to stand; not Known: anywhere
	Now       time.Time

	Events    []Stored
	Messages  []Message
	Heads     []Head          // as they shall be; Version is that of the row to replace, 0 to insert
	Customers []Customer      // as they shall be; Version as for Heads
	Told      []Customer      // those that decisions follow: only ID and Version count. One may be here twice, and in Customers: each Version must be the stored one
	Hurry     <-chan struct{} // when set, storing may wait for other batches until it gives something
	Supersede []Supersede
	Rejects   []Reject
}

// reset empties the batch and keeps its memory.
func (t *Batch) reset(partition int, now time.Time) {
	*t = Batch{Partition: partition, Now: now, Events: t.Events[:0], Messages: t.Messages[:0], Supersede: t.Supersede[:0],
		Heads: t.Heads[:0], Customers: t.Customers[:0], Told: t.Told[:0]}
}

// Stored is an event with what was decided about it: one row. It is also the record of its WebSocket message.
type Stored struct {
	*Event
	State    State // of the WebSocket message: Sent, or Suppressed with Reason
	Reason   Reason
	Title    string
	Body     string
	Locale   string
	Asked    string // as in Message
	Template string
	NotSent  []NotSent       // channels that the route names and that got no message
	Consents []ConsentRecord // what the event says of consent, as far as that is news: stored with it
	New      bool            // set by Add
}

// Supersede makes the older pending messages of one order, customer and channel give way to those of the event Keep.
// Resends stay: somebody asked for them.
type Supersede struct {
	OrderID    string
	Line       Line
	CustomerID string
	Channel    Channel
	Keep       ID   // an event: its own messages stay; without effect when the event is not new
	Standing   bool // also replaces messages that stand until they are answered
}

// ErrBadRow means that the database refuses the data itself: trying again is useless.
var ErrBadRow = errors.New("the database refuses the data")

// HeadMoved means that heads in SQL were not those that the batch was decided on: decide again on what is stored.
type HeadMoved struct {
	Orders    []OrderLine // heads that have another version
	Customers []string    // customers that have another version: they may have made another choice
}

// Error counts them.
func (e *HeadMoved) Error() string {
	return fmt.Sprintf("%d order heads and %d customers have changed meanwhile", len(e.Orders), len(e.Customers))
}

// Ledger is the truth as sending needs it. sqlstore implements it.
type Ledger interface {
	// Begin makes "sending" durable for messages that are pending, ours, due and not expired, counts the attempt in
	// ms[i].Attempt and sets ok[i]; for all others ok[i] is false: somebody else has them, or they were suppressed
	// meanwhile, or a report came before them. It suppresses texts to numbers that answered STOP. A text does not begin
	// while an earlier one of its order to the same number is being sent, or is unclear and may be sent again: it stays
	// pending and is due a second later. A text with PerHour whose number had as many in the last hour does not begin either:
	// it is held, with the reason Capped in ms[i] and in SQL, until the hour has a place again. Processes that begin texts to one
	// number at the same moment may exceed the limit by as many.
	Begin(ctx context.Context, now time.Time, ms []*Message, ok []bool) error
	// Ours tells which messages are pending and ours still: not suppressed meanwhile, and nobody else's.
	Ours(ctx context.Context, ms []*Message, ok []bool) error
	// Finish stores outcomes. A row moves only from pending, sending or verify, and only for the same attempt; any
	// other outcome is dropped, but where a report has settled the message before, the attempt is still recorded. A
	// message that goes back to pending is nobody's until it is claimed. A provider that refuses texts to a number,
	// because the recipient opted out there, stops the number.
	Finish(ctx context.Context, now time.Time, done []Outcome) error
	// HandBack makes messages that are pending and ours nobody's, so that any process may claim them when they are due. It
	// counts no attempt.
	HandBack(ctx context.Context, now time.Time, back []Handback) error
}

// Outbox is the truth as Sweep needs it. sqlstore implements it.
type Outbox interface {
	// Claim makes up to limit messages of a channel ours: pending, nobody's, due, and with no earlier text in the way, as
	// for Begin. It first suppresses those that have expired. The oldest come first. Fewer than limit means that there
	// are no more.
	Claim(ctx context.Context, now time.Time, ch Channel, limit int) ([]Message, error)
	// Reclaim takes what dead processes left: pending becomes nobody's, and what was being sent on a channel that must
	// not repeat goes to verify. A process is dead when the lock that it held is free. Now and then it does the same to
	// what this process itself has had for longer than it ever should.
	Reclaim(ctx context.Context, now time.Time) (n int, err error)
}
