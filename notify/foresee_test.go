package notify_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

// shownTimes is how often the live page was shown an event.
func (p *page) shownTimes(e notify.Event) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.shown {
		if strings.Contains(s, e.ID.String()) {
			n++
		}
	}
	return n
}

// slowly makes SQL take its time to store something, as often as the func that it returns says. Call it before start.
func (r *rig) slowly() (next func(each time.Duration, times int)) {
	var left, took atomic.Int64
	r.store.Fail = func(method string) error {
		if method == "Add" && left.Add(-1) >= 0 {
			time.Sleep(time.Duration(took.Load()))
		}
		return nil
	}
	return func(each time.Duration, times int) {
		took.Store(int64(each))
		left.Store(int64(times))
	}
}

// startSlowly starts a rig whose SQL takes its time for the next batches.
func (r *rig) startSlowly(each time.Duration, times int) (stop func()) {
	slow := r.slowly()
	stop = r.start()
	time.Sleep(time.Second) // it has noted where reading begins
	slow(each, times)
	return stop
}

// Pages don't wait for SQL: neither for that of their own event nor for that of others.
func TestPagesDoNotWaitForSQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.startSlowly(2*time.Second, 9)
		events := []notify.Event{event(1, time.Now()), event(2, time.Now())}
		for _, e := range events {
			r.log.produce(e)
			time.Sleep(200 * time.Millisecond)
			if n := r.live.shownTimes(e); n != 1 {
				t.Errorf("%s is shown %d times before it is stored, want once", e.OrderID, n)
			}
			if r.log.committed() != 0 || len(r.sms.counts()) != 0 {
				t.Errorf("committed up to %d, %d texts left: nothing is stored yet", r.log.committed(), len(r.sms.counts()))
			}
		}
		time.Sleep(time.Minute)
		stop()
		for _, e := range events {
			if n := r.live.shownTimes(e); n != 1 {
				t.Errorf("%s is shown %d times in the end, want once", e.OrderID, n)
			}
		}
		if len(r.sms.counts()) != 2 || r.log.committed() != 2 {
			t.Errorf("committed up to %d, %d texts left, want 2 and 2", r.log.committed(), len(r.sms.counts()))
		}
	})
}

// What is about a customer that a batch on its way changes waits until SQL has that.
func TestAChangedCustomerWaitsForSQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.startSlowly(2*time.Second, 1)
		first, second := event(1, time.Now()), event(1, time.Now().Add(time.Second))
		second.Milestone, second.Sequence, second.Key = notify.MilestoneOf(notify.CarHaul, "picked_up"), 2, "evt-later"
		second.ID = notify.NewID(second.OccurredAt, second.Key)
		r.log.produce(first)
		time.Sleep(200 * time.Millisecond)
		r.log.produce(second)
		time.Sleep(200 * time.Millisecond)
		if n := r.live.shownTimes(second); n != 0 {
			t.Errorf("it is shown %d times before its customer is stored", n)
		}
		time.Sleep(time.Minute)
		stop()
		if r.live.shownTimes(first) != 1 || r.live.shownTimes(second) != 1 {
			t.Errorf("shown %d and %d times, want once", r.live.shownTimes(first), r.live.shownTimes(second))
		}
	})
}

// What SQL has stored long after it was shown is shown again: a page that opened meanwhile has it from nowhere.
func TestWhatIsStoredLateIsShownAgain(t *testing.T) {
	for _, late := range []time.Duration{time.Second, 10 * time.Second} {
		t.Run(fmt.Sprint(late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				stop := r.startSlowly(late, 1)
				e := event(1, time.Now())
				r.log.produce(e)
				time.Sleep(time.Minute)
				stop()
				if n, again := r.live.shownTimes(e), late > 4*time.Second; n != 1 && !again || n != 2 && again {
					t.Errorf("shown %d times", n)
				}
			})
		})
	}
}

// A batch that was decided on an order as it was before another process moved it is decided again. Pages get each of its events
// once.
func TestForeseenOnSomethingOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var armed, moved atomic.Bool
		r.store.Fail = func(method string) error {
			if method == "Add" && armed.Swap(false) { // as another process does
				moved.Store(true)
				other := event(1, time.Now().Add(-time.Second))
				other.Key, other.Sequence = "evt-other", 0
				other.ID = notify.NewID(other.OccurredAt, other.Key)
				return r.store.Peer().Add(t.Context(), &notify.Batch{Now: time.Now(), Next: -1,
					Events: []notify.Stored{{Event: &other, State: notify.Sent}},
					Heads: []notify.Head{{OrderID: other.OrderID, Line: other.Line, CustomerID: other.CustomerID,
						Milestone: other.Milestone.Name, OccurredAt: other.OccurredAt}}})
			}
			return nil
		}
		stop := r.start()
		time.Sleep(time.Second)
		armed.Store(true)
		e := event(1, time.Now())
		r.log.produce(e)
		time.Sleep(time.Minute)
		stop()
		if n := r.live.shownTimes(e); n != 1 || !moved.Load() {
			t.Errorf("shown %d times, want once; moved: %v", n, moved.Load())
		}
		if len(r.sms.counts()) != 1 {
			t.Errorf("%d texts, want 1", len(r.sms.counts()))
		}
	})
}

// Many events at once are a backlog, perhaps a topic that is read again: pages hear of them when SQL has spoken.
func TestABacklogIsShownWhenItIsStored(t *testing.T) {
	for name, tt := range map[string]struct{ events, before int }{"few": {3, 3}, "many": {300, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				stop := r.startSlowly(2*time.Second, 1)
				events := make([]notify.Event, tt.events)
				for n := range events {
					events[n] = event(n, time.Now())
				}
				r.log.produce(events...)
				time.Sleep(time.Second)
				if got := r.live.count(); got != tt.before {
					t.Errorf("%d events are shown before they are stored, want %d", got, tt.before)
				}
				time.Sleep(time.Minute)
				stop()
				if got := r.live.count(); got != tt.events {
					t.Errorf("%d events are shown, want %d", got, tt.events)
				}
			})
		})
	}
}

// A partition that went elsewhere is left when its last batch has ended, and not before.
func TestFencedWhileSomethingIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := r.slowly()
		stop := r.start()
		time.Sleep(time.Second)
		r.log.fenceOnce()
		r.log.produce(event(1, time.Now()))
		time.Sleep(time.Second)
		slow(2*time.Second, 1)
		r.log.produce(event(2, time.Now()))
		time.Sleep(time.Minute)
		stop()
		if len(r.sms.counts()) != 2 || r.log.committed() != 2 {
			t.Errorf("committed up to %d, %d texts left, want 2 and 2", r.log.committed(), len(r.sms.counts()))
		}
		if len(r.gaveUp) != 1 || !errors.Is(r.gaveUp[0], notify.ErrFenced) {
			t.Errorf("the worker ended with %v, want %v", r.gaveUp, notify.ErrFenced)
		}
	})
}

// Whoever starts a worker hears why it could not store what it had read.
func TestWhyStoringEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var refuses atomic.Bool
		r.store.Fail = func(method string) error {
			if method == "Add" && refuses.Load() {
				return notify.ErrBadRow // even of a batch without events
			}
			return nil
		}
		stop := r.start()
		time.Sleep(time.Second)
		refuses.Store(true)
		r.log.produce(event(1, time.Now()))
		time.Sleep(75 * time.Millisecond) // it is read within 50, and a worker starts again after 100
		refuses.Store(false)
		time.Sleep(time.Minute)
		stop()
		if len(r.gaveUp) != 1 || !errors.Is(r.gaveUp[0], notify.ErrBadRow) {
			t.Errorf("the worker ended with %v, want %v", r.gaveUp, notify.ErrBadRow)
		}
		if len(r.sms.counts()) != 1 {
			t.Errorf("%d texts, want 1", len(r.sms.counts()))
		}
	})
}

// What other nodes could not be shown before it was stored is shown again then: they may have loaded their pages meanwhile.
func TestWhatReachedNoOtherNodeIsShownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.startSlowly(2*time.Second, 1)
		r.live.cut(true)
		e := event(1, time.Now())
		r.log.produce(e)
		time.Sleep(time.Second)
		r.live.cut(false)
		time.Sleep(time.Minute)
		stop()
		if n := r.live.shownTimes(e); n != 2 {
			t.Errorf("shown %d times, want twice", n)
		}
	})
}

// A page may say that it shows what is not stored yet.
func TestSeenBeforeItIsStored(t *testing.T) {
	for _, late := range []time.Duration{50 * time.Millisecond, 3 * time.Second} {
		t.Run(fmt.Sprint(late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.rules = screenFirst(t, 20*time.Second, notify.WebSocket, notify.SMS)
				_ = r.cache.Here(t.Context(), []string{"c-1"})
				stop := r.startSlowly(late, 1)
				e := event(1, time.Now())
				r.log.produce(e)
				for r.live.shownTimes(e) == 0 {
					time.Sleep(time.Millisecond)
				}
				r.screens.Add(notify.Shown{CustomerID: "c-1", ID: e.ID})
				time.Sleep(time.Minute)
				stop()
				live, err := r.store.Entry(t.Context(), e.ID)
				if n := len(r.sms.counts()); n != 0 || err != nil || live.ShownAt.IsZero() {
					t.Errorf("%v, %d texts, want none; seen at %s", err, n, live.ShownAt)
				}
			})
		})
	}
}
