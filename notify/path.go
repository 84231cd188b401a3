package notify

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// path is where the batches of a partition are on their way into SQL, in the order in which they were read. Those that were
// decided while others were stored become one batch.
type path struct {
	*worker
	underway []*stage // the oldest first
	spare    []*round
	size     int // records that the next batch should have at most
	queue    chan *stage
	ended    sync.WaitGroup
}

// stages is how many batches of a partition are on their way at most: beyond, the worker waits.
const stages = 64

// stage is a batch on the path. What the worker reads of it does not change any more.
type stage struct {
	round   *round
	decided bool
	done    chan struct{}
	err     error // when done
	amended bool  // when done: it did not become what it was thought to become
}

// newPath stores beside the worker, which is stopped when that fails.
func newPath(ctx context.Context, w *worker) *path {
	p := &path{worker: w, size: batchSize, queue: make(chan *stage, stages)}
	p.ended.Go(func() { p.store(ctx) })
	return p
}

// close waits for the end of all that is on the path.
func (p *path) close() {
	close(p.queue)
	p.ended.Wait()
}

// store lets one batch after the other come to its end.
func (p *path) store(ctx context.Context) {
	all := newRound(p.worker)
	var err error
	for first := range p.queue {
		train, b := p.train(first), first.round
		if first.decided {
			b = all
			b.join(train)
		}
		if err == nil { // else it comes after one that failed
			err = b.finish(ctx)
		}
		if err != nil {
			p.stop(err)
		}
		for _, s := range train {
			s.err, s.amended = err, !b.foreseen || b.stored < len(b.work)
			close(s.done)
		}
	}
}

// train is a batch with those that were decided behind it meanwhile, as far as they fit.
func (p *path) train(first *stage) []*stage {
	train := []*stage{first}
	for rows := first.round.rows(); first.decided && rows < batchSize; {
		select {
		case s, open := <-p.queue:
			if !open {
				return train
			}
			train = append(train, s) // decided, too: one that is not waits for those before it
			rows += s.round.rows()
		default:
			return train
		}
	}
	return train
}

// free gives a batch that nobody uses any more, and how many records it should have at most.
func (p *path) free() (*round, int, error) {
	for len(p.underway) > 0 && (p.underway[0].over() || len(p.underway) == stages) {
		oldest := p.underway[0]
		if err := oldest.wait(); err != nil {
			return nil, 0, err
		}
		p.size = oldest.round.fit()
		p.spare, p.underway = append(p.spare, oldest.round), p.underway[1:]
	}
	if len(p.spare) == 0 {
		return newRound(p.worker), p.size, nil
	}
	last := len(p.spare) - 1
	b := p.spare[last]
	p.spare = p.spare[:last]
	return b, p.size, nil
}

// put sends a batch on its way. There is a place for it, since there was a free one.
func (p *path) put(b *round) {
	s := &stage{round: b, decided: b.foreseen, done: make(chan struct{})}
	p.underway = append(p.underway, s)
	p.queue <- s
}

// clear waits for all that is on the path.
func (p *path) clear() error {
	if len(p.underway) == 0 {
		return nil
	}
	return p.underway[len(p.underway)-1].wait()
}

// lead lets a batch go on from those on the path that are about the same orders, or wait until it can.
func (p *path) lead(b *round) error {
	b.after = b.after[:0]
	for i := len(p.underway) - 1; i >= 0 && !p.underway[i].over(); i-- {
		s := p.underway[i]
		switch s.before(b) {
		case itself:
			return s.wait()
		case foreseen:
			b.after = append(b.after, s)
		}
	}
	return nil
}

func (s *stage) wait() error {
	<-s.done
	return s.err
}

func (s *stage) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// What a batch has to wait for before another one is decided.
type awaited int

const (
	nothing  awaited = iota
	foreseen         // its decision, which there is
	itself           // that SQL has it
)

// before tells what of this batch, which is not stored yet, a later one follows from.
func (s *stage) before(later *round) awaited {
	same := false
	for o := range later.orders {
		same = same || s.round.has(o)
	}
	for c := range later.customers {
		if i, there := s.round.customers[c]; there && (!s.decided || s.round.learned[i]) {
			return itself
		}
	}
	switch {
	case !same:
		return nothing
	case !s.decided || later.repeats(s.round):
		return itself
	}
	return foreseen
}

// repeats tells whether an event of an earlier batch comes again.
func (b *round) repeats(earlier *round) bool {
	return slices.ContainsFunc(b.events, func(e Event) bool { return earlier.taken[e.ID] })
}

// proceed makes orders stand where the batches before will have left them.
func (b *round) proceed() {
	for i := len(b.after) - 1; i >= 0; i-- { // the newest last
		earlier := b.after[i].round
		for o, at := range b.orders {
			if head, there := earlier.head(o); there {
				b.look.Heads[at] = head
			}
		}
	}
}

// head is where a decided batch leaves an order.
func (b *round) head(o OrderLine) (h Head, there bool) {
	at, there := b.orders[o]
	if !there {
		return h, false
	}
	for i := range b.batch.Heads {
		if h = b.batch.Heads[i]; h.OrderID == o.OrderID && h.Line == o.Line {
			h.Version, h.Steps = h.Next(), 0
			return h, true
		}
	}
	return b.look.Heads[at], true
}

// misled tells whether the batch was decided on something that came otherwise.
func (b *round) misled() bool {
	return slices.ContainsFunc(b.after, func(s *stage) bool { return s.amended })
}

// rows is about how many a decided batch has in SQL.
func (b *round) rows() int { return len(b.records) + b.messages }

// fit is how many records like those of this batch make batchSize rows.
func (b *round) fit() int {
	return max(batchSize*len(b.records)/b.rows(), batchSize/8)
}

// join makes a decided batch of several.
func (b *round) join(train []*stage) {
	b.started, b.foreseen = train[0].round.started, true
	b.records, b.rejects, b.work = b.records[:0], b.rejects[:0], b.work[:0]
	b.stored, b.messages = 0, 0
	clear(b.once)
	clear(b.glimpsed)
	clear(b.customers)
	clear(b.orders)
	l, t := &b.look, &b.batch
	l.Customers, l.Profiles, l.Present, l.Orders, l.Heads, b.cached = l.Customers[:0], l.Profiles[:0], l.Present[:0], l.Orders[:0], l.Heads[:0], b.cached[:0]
	*t = Batch{
		Partition: b.partition, Events: t.Events[:0], Messages: t.Messages[:0], Supersede: t.Supersede[:0],
		Heads: t.Heads[:0], Customers: t.Customers[:0], Told: t.Told[:0],
	}
	for _, s := range train {
		b.absorb(s.round)
	}
}

// absorb adds a batch. Of an order that both are about, the head that the later one leaves replaces the row that the earlier
// one was to replace.
func (b *round) absorb(o *round) {
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
	misled := o.misled()
	b.foreseen = b.foreseen && !misled
	l := &b.look
	for i, h := range o.look.Heads {
		key := o.look.Orders[i]
		if b.has(key) {
			continue
		}
		if misled {
			h = Head{OrderID: key.OrderID, Line: key.Line}
		}
		b.orders[key] = len(l.Orders)
		l.Orders, l.Heads = append(l.Orders, key), append(l.Heads, h)
	}
	for i, p := range o.look.Profiles {
		b.absorbProfile(o.look.Customers[i], p, o.cached[i], len(o.look.Present) > 0 && o.look.Present[i])
	}
}

// leaveAt lets the batch leave an order at a head, whatever it was to leave it at before.
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

// absorbProfile adds what a decision was made on. Where two of one customer differ, SQL refuses the older one.
func (b *round) absorbProfile(id string, p Profile, cached, present bool) {
	l := &b.look
	i, there := b.customers[id]
	if !there {
		i = len(l.Customers)
		b.customers[id] = i
		l.Customers, l.Profiles, l.Present = append(l.Customers, id), append(l.Profiles, p), append(l.Present, false)
		b.cached = append(b.cached, cached)
	}
	l.Present[i] = l.Present[i] || present
}
