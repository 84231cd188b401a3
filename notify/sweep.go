package notify

import (
	"context"
	"slices"
	"time"
)

// Sweep brings messages from SQL to the dispatchers when their time has come: retries, messages that were held or did
// not fit into memory, resends, and the work of processes that died.
type Sweep struct {
	Outbox      Outbox
	Dispatchers []*Dispatcher
	Digester    *Digester // nil: no limit of texts to one number
	SQL         *Outage
	Now         func() time.Time

	wake chan struct{}
}

const (
	sweepEvery   = time.Second     // how late a retry or held message may be
	reclaimEvery = 2 * time.Second // how long the work of a dead process lies
	claimBatch   = 500
)

// Prepare makes the bell. Call it before Wake and Run.
func (s *Sweep) Prepare() { s.wake = make(chan struct{}, 1) }

// Wake makes the next round start now.
func (s *Sweep) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sweeps until ctx ends. It begins with what dead processes left, which may be this one's former life.
func (s *Sweep) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var reclaimed, digested time.Time
	for ctx.Err() == nil {
		if now := s.Now(); now.Sub(reclaimed) >= reclaimEvery {
			s.try(ctx, func() error { _, err := s.Outbox.Reclaim(ctx, now); return err })
			reclaimed = now
		}
		if now := s.Now(); s.Digester != nil && now.Sub(digested) >= digestEvery {
			s.try(ctx, func() error { return s.digest(ctx) })
			digested = now
		}
		for _, d := range s.Dispatchers {
			s.try(ctx, func() error { return s.claim(ctx, d) })
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-tick.C:
		}
	}
	return nil
}

// try notes how SQL does. What failed is tried in the next round.
func (s *Sweep) try(ctx context.Context, f func() error) {
	err := f()
	s.SQL.Noted(ctx, err, s.Now())
}

// claim fills a dispatcher with what is due, the oldest first, as far as there is room.
func (s *Sweep) claim(ctx context.Context, d *Dispatcher) error {
	for {
		limit := min(d.Free(), claimBatch)
		if limit == 0 {
			return nil
		}
		ms, err := s.Outbox.Claim(ctx, s.Now(), d.Channel, limit)
		if err != nil {
			return err
		}
		ready := ms
		if s.Digester != nil {
			if ready, err = s.Digester.again(ctx, ms); err != nil {
				d.handBack(untouched(pointers(ready)))
				return err
			}
		}
		d.Take(ready)
		if len(ms) < limit {
			d.CaughtUp()
			return nil
		}
	}
}

// digest lets texts go that were held because their number had enough.
func (s *Sweep) digest(ctx context.Context) error {
	at := slices.IndexFunc(s.Dispatchers, func(d *Dispatcher) bool { return d.Channel == SMS })
	if at < 0 {
		return nil
	}
	for more := true; more && s.Dispatchers[at].Free() > 0; {
		var ready []Message
		var err error
		ready, more, err = s.Digester.round(ctx)
		s.Dispatchers[at].Take(ready)
		if err != nil {
			return err
		}
	}
	return nil
}

func pointers(ms []Message) []*Message {
	list := make([]*Message, len(ms))
	for i := range ms {
		list[i] = &ms[i]
	}
	return list
}
