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
	*Intake
	topic     string
	partition int

	records []Record // as they were read
	events  []Event  // decoded
	rejects []Reject // not decodable
	work    []*Event // events that SQL may not have yet, each once
	taken   map[ID]bool
	once    map[ID]bool // events that were stored once, be they in SQL or not
	place   *place
	lost    int64 // what lies before this offset was stored once
	ahead   int64 // where somebody else has left the partition, as long as that is ahead; else 0

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
	stored   int // events of the batch that were new
	messages int // of the batch
	shown    []Publication
	frames   []byte
}

func newRound(in *Intake) *round {
	return &round{Intake: in, taken: map[ID]bool{}, once: map[ID]bool{}, place: &place{}, customers: map[string]int{}, orders: map[OrderLine]int{}}
}

// run is the life of a batch. When it returns nil, everything in it is in SQL, shown to open sockets and handed to the
// dispatchers, and everything before next may be committed.
func (b *round) run(ctx context.Context, records []Record, next int64) error {
	started := b.Now()
	b.records, b.stored, b.messages = records, 0, 0
	b.decode(records, started)
	if err := b.bury(ctx, b.rejects); err != nil {
		return err
	}
	b.remember(ctx) // which did we have, who are they, how far are their orders
	b.remembered()
	if err := b.confirm(ctx); err != nil {
		return err
	}
	if err := b.store(ctx, b.work, next); err != nil {
		return err
	}
	b.report(started)
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

// remember asks the cache about the batch, once. A cache that fails remembers nothing.
func (b *round) remember(ctx context.Context) {
	l := &b.look
	l.Events, l.Customers, l.Orders = l.Events[:0], l.Customers[:0], l.Orders[:0]
	clear(b.customers)
	clear(b.orders)
	routes, waits := b.Rules().Routes, false
	for i := range b.events {
		e := &b.events[i]
		waits = waits || routes.waits(e.Milestone)
		l.Events = append(l.Events, e.ID)
		if _, there := b.customers[e.CustomerID]; !there {
			b.customers[e.CustomerID] = len(l.Customers)
			l.Customers = append(l.Customers, e.CustomerID)
		}
		if o := (OrderLine{e.OrderID, e.Line}); !b.has(o) {
			b.orders[o] = len(l.Orders)
			l.Orders = append(l.Orders, o)
		}
	}
	l.Seen = cleared(l.Seen, len(l.Events))
	l.Profiles = cleared(l.Profiles, len(l.Customers))
	l.Present = l.Present[:0]
	if waits { // nobody else wants to know who looks at a page
		l.Present = cleared(l.Present, len(l.Customers))
	}
	l.Heads = cleared(l.Heads, len(l.Orders))
	if len(l.Events) == 0 {
		return
	}
	b.cached = cleared(b.cached, len(l.Customers))
	if err := b.Cache.Look(ctx, l); err != nil {
		b.Redis.Failed(err, b.Now())
		clear(l.Seen)
		clear(l.Present)
		return
	}
	b.Redis.Answered(b.Now())
	for i := range l.Profiles {
		b.cached[i] = l.Profiles[i].Version > 0
	}
}

func (b *round) has(o OrderLine) bool { _, there := b.orders[o]; return there }

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
	b.publish(after)
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
		if err := b.lookup(ctx); err != nil {
			return err
		}
		b.decide(events, next)
		var verdict error
		err := again(ctx, b.SQL, b.Now, func() error {
			verdict = nil
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
		moved := (*HeadMoved)(nil)
		switch {
		case errors.As(verdict, &moved):
			b.forget(moved)
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

// forget makes the next lookup ask SQL for what has changed.
func (b *round) forget(m *HeadMoved) {
	for _, o := range m.Orders {
		if i, there := b.orders[o]; there {
			b.look.Heads[i] = Head{OrderID: o.OrderID, Line: o.Line}
		}
	}
	for _, c := range m.Customers {
		if i, there := b.customers[c]; there {
			b.look.Profiles[i], b.cached[i] = Profile{Customer: Customer{ID: c}}, false
		}
	}
}

// lookup fills from SQL what the cache does not know, which is what has no version. What SQL does not have either stays so
// and is asked for again if the batch is decided once more.
func (b *round) lookup(ctx context.Context) error {
	var customers []string
	var orders []OrderLine
	for i := range b.look.Profiles {
		if b.look.Profiles[i].Version == 0 {
			customers = append(customers, b.look.Customers[i])
		}
	}
	for i := range b.look.Heads {
		if b.look.Heads[i].Version == 0 {
			orders = append(orders, b.look.Orders[i])
		}
	}
	if len(customers)+len(orders) == 0 {
		return nil
	}
	profiles, heads := make([]Profile, len(customers)), make([]Head, len(orders))
	err := again(ctx, b.SQL, b.Now, func() error { return b.Store.Lookup(ctx, customers, profiles, orders, heads) })
	if err != nil {
		return fmt.Errorf("look up %d customers and %d orders: %w", len(customers), len(orders), err)
	}
	for i, c := range customers {
		b.look.Profiles[b.customers[c]] = profiles[i]
	}
	for i, o := range orders {
		b.look.Heads[b.orders[o]] = heads[i]
	}
	return nil
}

func cleared[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}
