package notify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Kept is a table whose rows leave when they are old.
type Kept string

// What leaves. The heads of orders leave with the last of their events. Everything else stays for ever, however old: audit,
// stopped numbers, texts to us, consents, customers and their browsers, API keys, positions.
const (
	KeptMessages Kept = "messages"
	KeptEvents   Kept = "events"
	KeptLetters  Kept = "dead_letters"
	KeptAnswers  Kept = "idempotency" // what a call under an idempotency key made

	keptHeads = "order_heads"
)

// LeavingTables lists what leaves, in the order in which a round looks at it: an event can leave when its messages have.
var LeavingTables = []Kept{KeptMessages, KeptEvents, KeptLetters, KeptAnswers}

// LeastKept is for how long events and messages must be kept at least. An event that Kafka brings again after its row has
// left is taken for a new one. It tells nobody a second time, because Decide records it as expired: no milestone stays true
// for longer than half of this. A fact that is published anew, with a new time, is news.
const LeastKept = 30 * 24 * time.Hour

// Archive is the truth as Retention needs it. sqlstore implements it.
type Archive interface {
	// Forget looks at the next rows of a table behind the place from ("" is the start), up to limit of them in the order of
	// their keys, and deletes those that happened and were stored before a time. It leaves messages that may still be sent
	// (pending, sending, verify), events that a message is about, and the heads of orders that have an event.
	Forget(ctx context.Context, table Kept, before time.Time, from string, limit int) (Forgotten, error)
}

// Forgotten is what one step of Forget did.
type Forgotten struct {
	Rows  int           // that left
	Heads int           // heads of orders that left with their last event
	Next  string        // where the next step begins; "" when there is nothing more to look at
	Held  time.Duration // for how long the step was in the way of other writers
}

// Retention lets old rows leave, in steps so small that nobody waits for one for long, and with pauses so long that they
// take a tenth of the time at most. All processes do it, each at times of its own: what one has deleted the next one does
// not find.
type Retention struct {
	Store Archive
	Keep  map[Kept]time.Duration // for how long; 0 is for ever
	Hooks *Hooks
	Log   *slog.Logger
	SQL   *Outage
	Now   func() time.Time

	rows int // of the next step
}

const (
	forgetSoon  = 5 * time.Minute // the first round begins within: not while the process starts, and not all processes at once
	forgetEvery = time.Hour       // give or take a quarter
	forgetAgain = time.Minute     // after a failure
	// A step should hold the write lock of SQLite for stepHolds: its length follows from how long the last one did.
	stepHolds = 10 * time.Millisecond
	stepLeast = 50 // rows: a commit costs the same for one
	stepMost  = 500
	stepFirst = 100
	// stepShare is how many times as long as a step the pause after it is, and stepPause the least pause.
	stepShare = 9
	stepPause = 10 * time.Millisecond
)

// Run forgets until ctx ends.
func (r *Retention) Run(ctx context.Context) error {
	wait := rand.N(forgetSoon)
	for sleep(ctx, wait) {
		err := r.Round(ctx)
		r.SQL.Noted(ctx, err, r.Now())
		if wait = forgetAgain; err == nil {
			wait = forgetEvery*3/4 + rand.N(forgetEvery/2)
		}
	}
	return nil
}

// Round looks at all tables once, and logs what has left, also where it ends with an error.
func (r *Retention) Round(ctx context.Context) error {
	left := map[string]int{}
	defer r.tell(left)
	r.rows = cmp.Or(r.rows, stepFirst)
	for _, table := range LeavingTables {
		if r.Keep[table] == 0 {
			continue
		}
		if err := r.table(ctx, table, r.Now().Add(-r.Keep[table]), left); err != nil {
			return fmt.Errorf("delete old rows of %s: %w", table, err)
		}
	}
	return nil
}

// table looks at one table step by step, and adds to left what has left.
func (r *Retention) table(ctx context.Context, table Kept, before time.Time, left map[string]int) error {
	for from := ""; ; {
		f, err := r.Store.Forget(ctx, table, before, from, r.rows)
		if err != nil {
			return err
		}
		left[string(table)] += f.Rows
		left[keptHeads] += f.Heads
		r.count(string(table), f.Rows)
		r.count(keptHeads, f.Heads)
		r.adapt(f.Held)
		from = f.Next
		if !sleep(ctx, max(stepShare*f.Held, stepPause)) || from == "" {
			return ctx.Err()
		}
	}
}

// adapt makes the next step shorter or longer. A cold disk and an old index can make a row a hundred times as dear as usual.
func (r *Retention) adapt(held time.Duration) {
	switch {
	case held > stepHolds:
		r.rows = max(r.rows/2, stepLeast)
	case held < stepHolds/2:
		r.rows = min(r.rows*2, stepMost)
	}
}

func (r *Retention) count(table string, rows int) {
	if rows > 0 && r.Hooks != nil && r.Hooks.Forgotten != nil {
		r.Hooks.Forgotten(table, rows)
	}
}

// tell logs a round in which something has left.
func (r *Retention) tell(left map[string]int) {
	var counts []any
	for _, table := range append(LeavingTables[:len(LeavingTables):len(LeavingTables)], keptHeads) {
		if n := left[string(table)]; n > 0 {
			counts = append(counts, string(table), n)
		}
	}
	if len(counts) > 0 {
		r.Log.Info("old rows have left", counts...)
	}
}
