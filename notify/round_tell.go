package notify

import (
	"context"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// decide fills the batch with what follows from events. It works on copies of heads and profiles: the looked-up ones must
// survive for another try.
func (b *round) decide(events []*Event) {
	now, rules := b.Now(), b.Rules()
	b.since = now
	t := &b.batch
	t.reset(b.partition, now)
	t.Heads = append(t.Heads, b.look.Heads...)
	for i := range b.look.Profiles {
		t.Customers = append(t.Customers, b.look.Profiles[i].Customer)
	}
	b.moved = cleared(b.moved, len(t.Heads))
	b.learned = cleared(b.learned, len(t.Customers))
	b.told, b.refused = cleared(b.told, len(t.Customers)), cleared(b.refused, len(t.Customers))
	for _, e := range events {
		h, c := b.orders[OrderLine{e.OrderID, e.Line}], b.customers[e.CustomerID]
		profile := Profile{Customer: t.Customers[c], Subscriptions: b.look.Profiles[c].Subscriptions,
			Present: len(b.look.Present) > 0 && b.look.Present[c]}
		d := &b.decision
		Decide(e, &t.Heads[h], &profile, rules, now, d)
		t.Events = append(t.Events, d.Stored)
		t.Messages = append(t.Messages, d.Messages...)
		t.Supersede = append(t.Supersede, d.Supersede...)
		t.Heads[h], t.Customers[c] = d.Head, d.Customer
		b.moved[h] = b.moved[h] || d.HeadMoved
		b.learned[c] = b.learned[c] || d.Learned
		b.told[c] = b.told[c] || len(d.Messages) > 0
		b.refused[c] = b.refused[c] || d.refused()
	}
	for c := range t.Customers {
		switch stored := t.Customers[c].Version > 0; {
		case b.learned[c]:
		case stored && (b.told[c] || b.refused[c]):
			t.Told = append(t.Told, t.Customers[c])
		case b.told[c]: // there is no row that could be held on to: the transaction makes it
			b.learned[c] = true
		}
	}
	t.Heads = kept(t.Heads, b.moved)
	t.Customers = kept(t.Customers, b.learned)
	b.doubt()
}

// stand says where the partition stands with the batch, which it does when the batch before is stored, and whether storing may wait.
func (b *round) stand(next int64) {
	t := &b.batch
	if t.Next = next; next >= 0 { // else this is a part of a batch, and the last part carries the position and the rejects
		t.Topic, t.Rejects, t.Since = b.topic, b.rejects, b.place.get()
		t.Next = b.upTo(next)
	}
	t.Hurry = nil
	if b.foreseen && len(t.Messages) == 0 { // open pages have it, and nobody else is told
		t.Hurry = b.hurry
	}
}

// foresee decides about a batch and shows it to open sockets, before it is stored: a page that sees an id twice shows it once.
// What is not stored because the process dies is read and shown again; what not all nodes got is shown again when it is stored.
// Old events, of a backlog or a topic that is read again, may be known to SQL alone, so they are shown when that has spoken.
func (b *round) foresee(ctx context.Context) error {
	if len(b.work) > showAhead {
		return nil
	}
	for _, e := range b.work {
		if b.started.Sub(e.Origin.Time) > repeatLive {
			return nil
		}
	}
	if err := b.lookup(ctx); err != nil {
		return err
	}
	b.decide(b.work)
	b.foreseen, b.messages = true, len(b.batch.Messages)
	if !b.publish(ctx, false) {
		return nil
	}
	for i := range b.batch.Events {
		if s := &b.batch.Events[i]; s.State == Sent {
			b.glimpsed[s.ID] = true
		}
	}
	return nil
}

// kept moves the elements that are wanted to the front.
func kept[T any](s []T, want []bool) []T {
	n := 0
	for i := range s {
		if want[i] {
			s[n] = s[i]
			n++
		}
	}
	return s[:n]
}

// publish shows the batch to open sockets. An event that was stored before is shown again while it is young: the
// process that stored it may have died before it showed it, and a page that sees an id twice shows it once. It tells whether
// all nodes were reached.
func (b *round) publish(ctx context.Context, stored bool) (everywhere bool) {
	b.shown, b.frames, b.showed = b.shown[:0], b.frames[:0], b.showed[:0]
	for i := range b.batch.Events {
		s := &b.batch.Events[i]
		if s.State != Sent || b.glimpsed[s.ID] || !s.New && b.batch.Now.Sub(s.Origin.Time) > repeatLive {
			continue
		}
		start := len(b.frames)
		b.frames = appendLive(b.frames, s)
		if s.New || !stored {
			b.showed = append(b.showed, s.Origin.Time)
		}
		b.shown = append(b.shown, Publication{Customer: s.CustomerID, OrderID: s.OrderID, Data: b.frames[start:len(b.frames):len(b.frames)]})
	}
	if len(b.shown) == 0 {
		return true
	}
	// A node that can't be reached is told to reload by the bus itself. Of what is stored there is nothing to repeat here.
	if err := b.Live.Publish(ctx, b.shown); err != nil {
		b.Redis.Failed(err, b.Now())
		return false
	}
	if b.Hooks != nil && b.Hooks.Published != nil {
		b.Hooks.Published(b.showed)
	}
	return true
}

// due are the messages of the batch that leave now. Their rows are this process's own.
func (b *round) due() []Message {
	fresh := make(map[ID]bool, len(b.batch.Messages))
	for i := range b.batch.Events {
		if s := &b.batch.Events[i]; s.New {
			fresh[s.ID] = true
		}
	}
	var ms []Message
	for _, m := range b.batch.Messages {
		if fresh[m.EventID] && m.Leaves(b.batch.Now) {
			ms = append(ms, m)
		}
	}
	return ms
}

// mark lets the cache remember what is in SQL now: events, heads that moved, and customers that it did not know as they are.
func (b *round) mark(ctx context.Context) {
	l := Look{Events: b.look.Events[:0:0]}
	for i := range b.batch.Events {
		l.Events = append(l.Events, b.batch.Events[i].ID)
	}
	// What only repeats have touched was not written: its next version does not exist.
	orders, customers := map[OrderLine]bool{}, map[string]bool{}
	for i := range b.batch.Events {
		if e := &b.batch.Events[i]; e.New {
			orders[OrderLine{e.OrderID, e.Line}], customers[e.CustomerID] = true, true
		}
	}
	for _, h := range b.batch.Heads {
		if !orders[OrderLine{h.OrderID, h.Line}] {
			continue
		}
		h = h.Stored()
		l.Orders, l.Heads = append(l.Orders, OrderLine{h.OrderID, h.Line}), append(l.Heads, h)
	}
	learned := make(map[string]Customer, len(b.batch.Customers))
	for _, c := range b.batch.Customers {
		if !customers[c.ID] {
			continue
		}
		c.Version++
		learned[c.ID] = c
	}
	for i, p := range b.look.Profiles {
		c, changed := learned[p.ID]
		if changed {
			p.Customer = c
		}
		if p.Version > 0 && (changed || !b.cached[i]) {
			l.Customers, l.Profiles = append(l.Customers, b.look.Customers[i]), append(l.Profiles, p)
		}
	}
	if len(l.Events)+len(l.Orders)+len(l.Customers) == 0 {
		return
	}
	if err := b.Cache.Mark(ctx, &l); err != nil {
		b.Redis.Failed(err, b.Now())
	}
}

// count adds a part of the batch that is stored to what is reported.
func (b *round) count() {
	b.messages += len(b.batch.Messages)
	for i := range b.batch.Events {
		if b.batch.Events[i].New {
			b.stored++
		}
	}
}

// report tells what became of a batch.
func (b *round) report(started time.Time) {
	if b.Hooks == nil || b.Hooks.Batch == nil {
		return
	}
	now := b.Now()
	b.Hooks.Batch(BatchStats{
		Topic: b.topic, Partition: b.partition, Records: len(b.records), Rejected: len(b.rejects), Stored: b.stored,
		Repeated: len(b.records) - len(b.rejects) - b.stored, Messages: b.messages,
		Took: now.Sub(started), Lag: now.Sub(b.records[0].Time),
	})
}

// appendLive appends what the live page gets of an event: a JSON object on one line.
func appendLive(b []byte, s *Stored) []byte {
	b = append(b, `{"type":"message","id":"`...)
	b = s.ID.append(b)
	b = append(b, `","order_id":`...)
	b = appendString(b, s.OrderID)
	b = append(b, `,"line":"`...)
	b = append(b, s.Line...)
	b = append(b, `","milestone":"`...)
	b = append(b, s.Milestone.Name...)
	b = append(b, `","sequence":`...)
	b = strconv.AppendInt(b, s.Sequence, 10)
	b = append(b, `,"title":`...)
	b = appendString(b, s.Title)
	b = append(b, `,"body":`...)
	b = appendString(b, s.Body)
	b = append(b, `,"occurred_at":"`...)
	b = s.OccurredAt.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","data":`...)
	if len(s.Data) == 0 {
		return append(b, "{}}"...)
	}
	b = append(b, s.Data...)
	return append(b, '}')
}

// appendString appends a JSON string; without encoding/json where nothing has to be escaped, which is nearly always.
func appendString(b []byte, s string) []byte {
	for i, r := range s {
		if r < ' ' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			quoted, err := json.Marshal(s[i:])
			if err != nil {
				return append(b, `""`...) // can't be: json.Marshal takes every string
			}
			b = append(append(b, '"'), s[:i]...)
			return append(b, quoted[1:]...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
