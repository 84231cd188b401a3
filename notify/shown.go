package notify

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Shown says that a customer saw an event on a screen.
type Shown struct {
	CustomerID string // whose screen it was; empty where the ID is proof of it, as in a signed beacon
	ID         ID     // of the event, which is that of its live message, or of a push message about it
}

// Showings is the truth as Screens needs it. sqlstore implements it.
type Showings interface {
	// Known tells which events are stored, as that of Store does.
	Known(ctx context.Context, ids []ID, dst []bool) error
	// Shown notes when events were first seen, and suppresses texts about them that are Pending with UnlessShown, for
	// whatever reason they wait, in one transaction. A digest is left: it tells other news too. What is not stored, or is not
	// about that customer, changes nothing, and so does what comes again; a text that is being sent is left. It returns the
	// milestone of each text that stays unsent.
	Shown(ctx context.Context, now time.Time, seen []Shown) (spared []string, err error)
}

// screensFirst lets the text of an event wait where the customer has a screen that may show the news before: a browser that
// gets an alert, or an open page. A text that would not leave in time any more does not wait. Whatever holds a text, a screen
// that comes meanwhile spares it.
func (d *Decision) screensFirst(p *Profile, after time.Duration) {
	if after == 0 {
		return
	}
	alerted := slices.ContainsFunc(d.Messages, func(m Message) bool { return m.Channel == Push })
	watched := p.Present && d.Stored.State == Sent
	for i := range d.Messages {
		m := &d.Messages[i]
		m.UnlessShown = m.Channel == SMS
		if due := m.DueAt.Add(after); m.UnlessShown && (alerted || watched) && due.Before(m.ExpiresAt) {
			m.DueAt, m.Reason = due, ScreenFirst
		}
	}
}

// Screens gathers what customers have seen while the last write is under way, and writes all of it at once. Its queue is
// bounded and whoever adds never waits: what finds it full is dropped, and then a text leaves that could have been spared.
//
// A page may say that it shows what is not stored yet. Such a showing waits until SQL has its event.
type Screens struct {
	Store Showings
	Hooks *Hooks
	SQL   *Outage
	Now   func() time.Time

	in    chan Shown
	early []early
}

// early is a showing of an event that SQL does not have yet.
type early struct {
	Shown
	until time.Time // when it waits no more: perhaps there is no such event
}

const (
	shownQueue = 4096
	shownBatch = 500                    // that are written at once, and that may be early
	earlyPause = 200 * time.Millisecond // until SQL is asked again whether it has the events of early ones
	earlyFor   = 10 * time.Second       // how long a showing may be early, while SQL answers
)

// Prepare makes the queue. Call it before Add and Run.
func (s *Screens) Prepare() { s.in = make(chan Shown, shownQueue) }

// Add takes one thing that was seen.
func (s *Screens) Add(seen Shown) {
	select {
	case s.in <- seen:
	default:
	}
}

// Run writes until ctx ends, then what is there and not early, as far as SQL takes it within a grace time.
func (s *Screens) Run(ctx context.Context) error {
	writing, cancel := grace(ctx, finishGrace)
	defer cancel()
	var batch []Shown
	for {
		var pause <-chan time.Time
		if len(s.early) > 0 {
			pause = time.After(earlyPause)
		}
		batch = batch[:0]
		select {
		case first := <-s.in:
			batch = append(batch, first)
		case <-pause:
		case <-ctx.Done():
			select {
			case first := <-s.in:
				batch = append(batch, first)
			default:
				return nil
			}
		}
		s.write(writing, s.stored(writing, s.gather(batch)))
	}
}

// stored takes what is early out of the batch, and adds what was early and is not any more. An alert is never early: it leaves
// when its event is stored.
func (s *Screens) stored(ctx context.Context, batch []Shown) []Shown {
	asked := s.early
	for _, seen := range batch {
		if seen.CustomerID != "" {
			asked = append(asked, early{Shown: seen})
		}
	}
	batch = slices.DeleteFunc(batch, func(seen Shown) bool { return seen.CustomerID != "" })
	ids, known := make([]ID, len(asked)), make([]bool, len(asked))
	for i := range asked {
		ids[i] = asked[i].ID
	}
	s.early = asked[:0]
	if len(ids) == 0 || again(ctx, s.SQL, s.Now, func() error { return s.Store.Known(ctx, ids, known) }) != nil {
		return batch
	}
	now := s.Now()
	for i, e := range asked {
		if e.until.IsZero() {
			e.until = now.Add(earlyFor)
		}
		if known[i] || len(s.early) == shownBatch || !now.Before(e.until) {
			batch = append(batch, e.Shown)
		} else {
			s.early = append(s.early, e)
		}
	}
	return batch
}

// gather adds what is at hand.
func (s *Screens) gather(batch []Shown) []Shown {
	for len(batch) < shownBatch {
		select {
		case seen := <-s.in:
			batch = append(batch, seen)
		default:
			return batch
		}
	}
	return batch
}

func (s *Screens) write(ctx context.Context, batch []Shown) {
	if len(batch) == 0 {
		return
	}
	var spared []string
	err := again(ctx, s.SQL, s.Now, func() (err error) {
		if spared, err = s.Store.Shown(ctx, s.Now(), batch); err != nil {
			err = fmt.Errorf("store %d showings: %w", len(batch), err)
		}
		return err
	})
	if err == nil && len(spared) > 0 && s.Hooks != nil && s.Hooks.Spared != nil {
		s.Hooks.Spared(spared)
	}
}
