package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrRewound means that the stored position of a partition is not where this process left it: the database was replaced by
// an older copy, as at a failover that lost commits, or another process works on the partition.
var ErrRewound = errors.New("the stored position of the partition is not the one that this process has stored")

// Place is how far a partition has been stored.
type Place struct {
	Next  int64
	Known bool
}

const (
	// rewindEvery is how often an idle partition is asked whether it still stands where we left it. A busy one notices with
	// its next batch.
	rewindEvery = 10 * time.Second
)

// place is how far a worker has stored its partition. The worker sets it; whoever watches reads it.
type place struct {
	mu sync.Mutex
	at Place
}

func (p *place) get() Place {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

func (p *place) set(next int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = Place{next, true}
}

// start finds where reading begins, which is where SQL stands if that is behind Kafka: a database that was restored from a
// backup reads again what it has lost. A partition of which SQL knows nothing is noted down, so that it can be missed later.
func (w *worker) start(ctx context.Context, p Partition) error {
	_, _, next := p.Name()
	var stored Place
	err := again(ctx, w.SQL, w.Now, func() (err error) {
		if stored, err = w.position(ctx); err != nil || stored.Known {
			return err
		}
		if err := w.Store.Add(ctx, &Batch{Topic: w.topic, Partition: w.partition, Next: next, Now: w.Now()}); err != nil {
			return fmt.Errorf("note where reading of %s/%d begins: %w", w.topic, w.partition, err)
		}
		stored.Next = next
		return nil
	})
	if err != nil {
		return err
	}
	w.place.set(stored.Next)
	w.ahead = stored.Next
	if stored.Next < next {
		p.StartAt(stored.Next)
		w.lost, w.ahead = next, 0
	}
	return nil
}

func (w *worker) position(ctx context.Context) (at Place, err error) {
	if at.Next, at.Known, err = w.Positions.Position(ctx, w.topic, w.partition); err != nil {
		return Place{}, fmt.Errorf("read the stored position of %s/%d: %w", w.topic, w.partition, err)
	}
	return at, nil
}

// watch calls rewound when the partition stands before where this worker left it. What SQL does not answer is asked again.
func (w *worker) watch(ctx context.Context, rewound func()) {
	tick := time.NewTicker(rewindEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		left := w.place.get() // before SQL is asked: meanwhile the worker may go on
		if at, err := w.position(ctx); err == nil && (!at.Known || at.Next < left.Next) {
			rewound()
			return
		}
	}
}

// follow goes on from where the partition stands when that is ahead of where this worker left it: the one that had the
// partition before has stored a last batch. Behind means that something is lost, and the worker has to end.
func (w *worker) follow(ctx context.Context) error {
	var at Place
	err := again(ctx, w.SQL, w.Now, func() (err error) {
		at, err = w.position(ctx)
		return err
	})
	switch left := w.place.get(); {
	case err != nil:
		return err
	case !at.Known || at.Next < left.Next:
		return fmt.Errorf("%s/%d: left at %d, found at %d: %w", w.topic, w.partition, left.Next, at.Next, ErrRewound)
	}
	w.place.set(at.Next)
	w.ahead = at.Next
	return nil
}

// upTo is where the partition stands when everything before next is stored: never before where it was found, because what lies
// between was stored by somebody else. A topic that was made anew was not found to be ahead, and begins at 0 again.
func (w *worker) upTo(next int64) int64 {
	if next >= w.ahead {
		w.ahead = 0
	}
	return max(next, w.ahead)
}

// doubt makes texts wait until the provider was asked, when their events were stored once and SQL has lost that: they may have
// left. That an event was stored once is known from Kafka, of which nothing is committed before it is stored, and from the
// cache, which hears of nothing before. The provider is asked about the time since the event came.
func (b *round) doubt() {
	for i := range b.batch.Messages {
		m := &b.batch.Messages[i]
		if m.Channel != SMS || m.State != Pending || !b.once[m.EventID] {
			continue
		}
		m.State, m.Reason = Verify, UnclearEnd
		if m.RecordedAt.Before(m.CreatedAt) && !m.RecordedAt.IsZero() {
			m.CreatedAt = m.RecordedAt
		}
	}
}

// remembered notes which events of the batch were stored once although SQL may say otherwise.
func (b *round) remembered() {
	clear(b.once)
	for i := range b.events {
		if e := &b.events[i]; b.look.Seen[i] || e.Origin.Offset < b.lost {
			b.once[e.ID] = true
		}
	}
}
