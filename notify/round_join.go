package notify

import (
	"maps"
	"slices"
	"time"
)

// proceed makes orders stand where the batches before will have left them.
func (b *round) proceed() {
	for _, s := range slices.Backward(b.after) { // the oldest first: newer ones go on from it
		earlier := s.round
		for i, h := range earlier.look.Heads { // where it found them
			b.standAt(earlier.look.Orders[i], h)
		}
		for _, h := range earlier.batch.Heads { // where it leaves them
			b.standAt(OrderLine{h.OrderID, h.Line}, h.Stored())
		}
	}
}

func (b *round) standAt(o OrderLine, h Head) {
	if at, there := b.orders[o]; there {
		b.look.Heads[at] = h
	}
}

// outdated tells whether the batch was decided on something that came otherwise.
func (b *round) outdated() bool {
	return slices.ContainsFunc(b.after, func(s *queued) bool { return s.amended })
}

// rows is about how many rows of SQL the batch makes, known once it is decided.
func (b *round) rows() int { return len(b.records) + b.messages }

// fit is how many records like those of this batch make batchSize rows.
func (b *round) fit() int {
	return max(batchSize*len(b.records)/b.rows(), batchSize/8)
}

// merge makes one decided batch of several, in memory of its own. When one of them was decided on something that came otherwise,
// all are decided again.
func (b *round) merge(group []*queued) {
	b.started, b.since, b.foreseen = group[0].round.started, group[0].round.since, true
	b.records, b.rejects, b.work = b.records[:0], b.rejects[:0], b.work[:0]
	b.stored, b.messages = 0, 0
	clear(b.once)
	clear(b.glimpsed)
	clear(b.customers)
	clear(b.orders)
	l := &b.look
	l.Customers, l.Profiles, l.Present = l.Customers[:0], l.Profiles[:0], l.Present[:0]
	l.Orders, l.Heads, b.cached = l.Orders[:0], l.Heads[:0], b.cached[:0]
	b.batch.reset(b.partition, time.Time{})
	for _, s := range group {
		b.mergeOne(s.round)
	}
}

// mergeOne adds a batch. Where both move an order, the later head is written over the row that the earlier batch started from.
func (b *round) mergeOne(o *round) {
	b.records, b.rejects, b.work = append(b.records, o.records...), append(b.rejects, o.rejects...), append(b.work, o.work...)
	maps.Copy(b.once, o.once)
	maps.Copy(b.glimpsed, o.glimpsed)
	t := &b.batch
	t.Now = o.batch.Now
	t.Events, t.Messages = append(t.Events, o.batch.Events...), append(t.Messages, o.batch.Messages...)
	t.Supersede = append(t.Supersede, o.batch.Supersede...)
	t.Customers, t.Told = append(t.Customers, o.batch.Customers...), append(t.Told, o.batch.Told...)
	for _, h := range o.batch.Heads {
		b.leaveAt(h)
	}
	outdated := o.outdated()
	b.foreseen = b.foreseen && !outdated
	l := &b.look
	for i, h := range o.look.Heads {
		key := o.look.Orders[i]
		if b.has(key) {
			continue
		}
		if outdated { // forgotten here and not there: the worker may read that
			h = Head{OrderID: key.OrderID, Line: key.Line}
		}
		b.orders[key] = len(l.Orders)
		l.Orders, l.Heads = append(l.Orders, key), append(l.Heads, h)
	}
	for i, p := range o.look.Profiles {
		b.mergeProfile(o.look.Customers[i], p, o.cached[i], len(o.look.Present) > 0 && o.look.Present[i])
	}
}

// leaveAt sets where the batch leaves an order. An earlier head gives way, and its decisions are counted.
func (b *round) leaveAt(h Head) {
	t := &b.batch
	if b.has(OrderLine{h.OrderID, h.Line}) {
		at := slices.IndexFunc(t.Heads, func(e Head) bool { return e.OrderID == h.OrderID && e.Line == h.Line })
		if at >= 0 {
			h.Steps, h.Version = h.Next()-t.Heads[at].Version, t.Heads[at].Version
			t.Heads[at] = h
			return
		}
	}
	t.Heads = append(t.Heads, h)
}

// mergeProfile adds what a decision was made on. Of two the newer one goes to the cache; SQL refuses an older one that something was
// decided on.
func (b *round) mergeProfile(id string, p Profile, cached, present bool) {
	l := &b.look
	i, there := b.customers[id]
	if !there {
		i = len(l.Customers)
		b.customers[id] = i
		l.Customers, l.Profiles, l.Present = append(l.Customers, id), append(l.Profiles, p), append(l.Present, false)
		b.cached = append(b.cached, cached)
	} else if p.Version > l.Profiles[i].Version {
		l.Profiles[i], b.cached[i] = p, cached
	}
	l.Present[i] = l.Present[i] || present
}
