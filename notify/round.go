package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// round is one batch on its way from records to durable messages. It belongs to one worker, and its memory is reused.
type round struct {
	*worker
	started time.Time

	records []Record // as they were read
	events  []Event  // decoded
	rejects []Reject // not decodable
	work    []*Event // events that SQL may not have yet, each once
	taken   map[ID]bool
	once    map[ID]bool // events that were stored once, be they in SQL or not

	look      Look
	customers map[string]int    // -> look.Profiles
	orders    map[OrderLine]int // -> look.Heads
	cached    []bool            // profiles that the cache knew
	moved     []bool            // heads that the batch moves
	learned   []bool            // profiles that the batch changes
	told      []bool            // profiles that the batch has messages for
	refused   []bool            // profiles because of which something is not sent

	decision Decision
	batch    Batch
	since    time.Time   // when the oldest decision in it was made
	foreseen bool        // batch is decided before its turn to be stored
	glimpsed map[ID]bool // events that were shown before they were stored
	after    []*queued   // batches that are not stored and from whose decisions this one goes on, the newest first
	stored   int         // events of the batch that were new
	messages int         // of the batch
	shown    []Publication
	showed   []time.Time // when the records of new events among them were made
	frames   []byte
}

func newRound(w *worker) *round {
	return &round{worker: w, taken: map[ID]bool{}, once: map[ID]bool{}, glimpsed: map[ID]bool{}, customers: map[string]int{}, orders: map[OrderLine]int{}}
}

// run is the first part of the life of a batch: it is read, decided and shown while others are still on their way into SQL.
// It goes on from what those have decided, and waits only where it can't. The second part is finish.
func (b *round) run(ctx context.Context, records []Record, p *path) error {
	b.started, b.records = b.Now(), append(b.records[:0], records...)
	b.stored, b.messages, b.foreseen = 0, 0, false
	clear(b.glimpsed)
	b.decode(b.records, b.started)
	if err := b.bury(ctx, b.rejects); err != nil {
		return err
	}
	b.ask() // which did we have, who are they, how far are their orders
	if err := p.await(b); err != nil {
		return err
	}
	b.remember(ctx)
	b.proceed()
	b.remembered()
	if err := b.confirm(ctx); err != nil {
		return err
	}
	if err := b.foresee(ctx); err != nil || b.foreseen {
		return err
	}
	if err := p.clear(); err != nil { // pages wait for SQL anyway: what comes meanwhile makes the next batch larger
		return err
	}
	if b.outdated() {
		for i, o := range b.look.Orders { // SQL is asked about them
			b.look.Heads[i] = Head{OrderID: o.OrderID, Line: o.Line}
		}
	}
	return nil
}

// finish is the second part: it runs on the path, when all before is stored. When it returns nil, everything in the batch is in SQL,
// shown to open sockets and handed to the dispatchers, and everything up to its end may be committed.
func (b *round) finish(ctx context.Context) error {
	next := b.records[len(b.records)-1].Offset + 1
	if err := b.store(ctx, b.work, next); err != nil {
		return err
	}
	b.report(b.started)
	b.commits.upTo(next)
	return nil
}

// decode turns records into events and rejects.
func (b *round) decode(records []Record, now time.Time) {
	b.events, b.rejects = slices.Grow(b.events[:0], len(records)), b.rejects[:0]
	for i := range records {
		b.events = append(b.events, Event{})
		err := b.Decode(&records[i], now, &b.events[len(b.events)-1])
		if err == nil {
			continue
		}
		b.events = b.events[:len(b.events)-1]
		b.reject(&records[i], err, now)
	}
}

func (b *round) reject(r *Record, err error, now time.Time) {
	reject := Reject{Record: *r, Reason: undecodable, At: now}
	var invalid *Invalid
	if errors.As(err, &invalid) {
		reject.Reason, reject.Problems = invalid.Reason, invalid.Problems
	}
	b.rejects = append(b.rejects, reject)
}

// Reasons of rejects that Decode does not give.
const (
	undecodable = "undecodable"
	refused     = "refused_by_database"
)

// RejectReasons lists them.
var RejectReasons = []string{undecodable, refused}

// bury writes rejects to the dead-letter topic. A topic that refuses them holds the partition: nothing is skipped.
func (b *round) bury(ctx context.Context, rs []Reject) error {
	if len(rs) == 0 {
		return nil
	}
	return again(ctx, b.Burial, b.Now, func() error {
		if err := b.DeadLetters.Bury(ctx, rs); err != nil {
			return fmt.Errorf("write %d dead letters: %w", len(rs), err)
		}
		return nil
	})
}

// store decides about events and makes the decisions durable, then lets the world know. Data that the database itself
// refuses is halved until the one bad event stands alone, which becomes a dead letter.
func (b *round) store(ctx context.Context, events []*Event, next int64) error {
	err := b.add(ctx, events, next)
	switch {
	case err == nil:
	case errors.Is(err, ErrBadRow) && len(events) > 1:
		half := len(events) / 2
		if err := b.store(ctx, events[:half], -1); err != nil {
			return err
		}
		return b.store(ctx, events[half:], next)
	case errors.Is(err, ErrBadRow) && len(events) == 1:
		return b.refuse(ctx, events[0], next)
	default:
		return err
	}
	if b.Hooks != nil && b.Hooks.Stored != nil {
		b.Hooks.Stored(&b.batch)
	}
	after := context.WithoutCancel(ctx) // what is stored is shown and remembered, also when the partition goes elsewhere
	if b.Now().Sub(b.started) > showAgain {
		clear(b.glimpsed)
	}
	b.publish(after, true)
	b.Put(b.due())
	b.mark(after)
	b.count()
	return nil
}

// refuse makes a dead letter of an event that the database does not take. It is stored with the last part of the batch.
func (b *round) refuse(ctx context.Context, e *Event, next int64) error {
	i := slices.IndexFunc(b.records, func(r Record) bool { return r.Offset == e.Origin.Offset })
	b.rejects = append(b.rejects, Reject{
		Record: b.records[i], Reason: refused, At: b.Now(),
		Problems: []Problem{{Detail: "the database does not take a value of this event"}},
	})
	if err := b.bury(ctx, b.rejects[len(b.rejects)-1:]); err != nil {
		return err
	}
	if next < 0 {
		return nil
	}
	return b.add(ctx, nil, next)
}

// add decides and stores until SQL has it. When heads or customers were not what the cache said, it decides again on
// what SQL says.
func (b *round) add(ctx context.Context, events []*Event, next int64) error {
	for {
		if !b.foreseen {
			if err := b.lookup(ctx); err != nil {
				return err
			}
			b.decide(events)
		}
		b.stand(next)
		var verdict error
		err := again(ctx, b.SQL, b.Now, func() error {
			if verdict = b.young(); verdict != nil {
				return nil
			}
			err := b.Store.Add(ctx, &b.batch)
			if moved := (*HeadMoved)(nil); errors.Is(err, ErrBadRow) || errors.Is(err, ErrRewound) || errors.As(err, &moved) {
				verdict = err
				return nil
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("store %d events: %w", len(events), err)
		}
		b.foreseen = b.foreseen && verdict == nil
		moved := (*HeadMoved)(nil)
		switch {
		case errors.As(verdict, &moved):
			b.forget(moved)
		case errors.Is(verdict, errOld):
		case errors.Is(verdict, ErrRewound):
			if err := b.follow(ctx); err != nil {
				return err
			}
		default:
			if verdict == nil && next >= 0 {
				b.place.set(b.batch.Next)
			}
			return verdict
		}
	}
}

// errOld means that a batch was decided too long ago to be stored as it is.
var errOld = errors.New("the batch was decided some time ago")

// young refuses a batch that waited for SQL: quiet hours may have begun since it was decided.
func (b *round) young() error {
	if b.Now().Sub(b.since) > showAgain {
		return errOld
	}
	return nil
}
