package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/notify"
)

// What is about an order of a batch that is not stored yet goes on from there: its page does not wait for SQL.
func TestAnOrderGoesOnBeforeItIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := r.slowly()
		stop := r.start()
		r.log.produce(event(1, time.Now())) // its customer is known from here on
		time.Sleep(3 * time.Second)
		slow(2*time.Second, 9)
		var news []notify.Event
		for i, milestone := range []string{"driver_arriving_pickup", "picked_up", "in_transit"} {
			e := next(1, int64(i+2), milestone, time.Now())
			news = append(news, e)
			r.log.produce(e)
			time.Sleep(100 * time.Millisecond)
			if n := r.live.shownTimes(e); n != 1 {
				t.Errorf("%s is shown %d times before the news before it is stored, want once", milestone, n)
			}
		}
		if r.log.committed() != 1 {
			t.Errorf("committed up to %d: nothing of it is stored yet", r.log.committed())
		}
		time.Sleep(time.Minute)
		stop()
		for _, e := range news {
			if n := r.live.shownTimes(e); n != 1 {
				t.Errorf("%s is shown %d times in the end, want once", e.Milestone.Name, n)
			}
		}
		heads, err := r.store.Order(t.Context(), "CH-1")
		if err != nil || heads[0].Milestone != "in_transit" || heads[0].Version != 4 || r.log.committed() != 4 {
			t.Errorf("%v; the order is at %+v, committed up to %d", err, heads, r.log.committed())
		}
	})
}

// An event that comes again while it is stored is the same one: pages have it already.
func TestARepeatWaitsForWhatItRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := r.slowly()
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(3 * time.Second)
		slow(time.Second, 1)
		e := next(1, 2, "driver_arriving_pickup", time.Now())
		for range 3 {
			r.log.produce(e)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop()
		if n := r.live.shownTimes(e); n != 1 || r.log.committed() != 4 {
			t.Errorf("shown %d times, want once; committed up to %d", n, r.log.committed())
		}
	})
}

// Batches that were decided while another one was stored are stored as one.
func TestBatchesThatWaitAreStoredTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var adds atomic.Int64
		r.store.Fail = func(method string) error {
			if method == "Add" {
				adds.Add(1)
				time.Sleep(2 * time.Second)
			}
			return nil
		}
		stop := r.start()
		time.Sleep(3 * time.Second) // it has noted where reading begins
		for n := range 10 {
			r.log.produce(event(n, time.Now()))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop()
		if n := adds.Load(); n != 3 || len(r.sms.counts()) != 10 || r.log.committed() != 10 {
			t.Errorf("%d transactions, %d texts, committed up to %d; want 1 + 2, 10, 10", n, len(r.sms.counts()), r.log.committed())
		}
	})
}

// outcome is what is in SQL in the end, as far as it does not depend on when which batch was stored.
func (r *rig) outcome(t *rapid.T) (lines []string) {
	for _, e := range r.store.Events() {
		lines = append(lines, fmt.Sprintf("event %s %s %s", e.Key, e.State, e.Reason))
	}
	for _, m := range r.store.Messages() {
		lines = append(lines, fmt.Sprintf("message %s %s %s %s", m.EventID, m.Channel, m.State, m.Reason))
	}
	for n := range pathOrders {
		heads, err := r.store.Order(context.Background(), fmt.Sprintf("CH-%d", n))
		if err != nil && !errors.Is(err, notify.ErrNotFound) {
			t.Fatal(err)
		}
		for _, h := range heads {
			lines = append(lines, fmt.Sprintf("order %s %s %d %s %s %s", h.OrderID, h.Milestone, h.Sequence, h.OccurredAt, h.Facts, h.Told.Start))
		}
	}
	slices.Sort(lines)
	return lines
}

const pathOrders = 3

// run reads events in their order, each some time after the one before, and returns when all are stored.
func (r *rig) runIntake(events []notify.Event, gap func(i int) time.Duration) {
	outage := func(name string) *notify.Outage {
		return &notify.Outage{Engine: name, Log: slog.New(slog.DiscardHandler)}
	}
	in := &notify.Intake{Decode: r.log.decode, Cache: r.cache, Store: r.store, Positions: r.store, DeadLetters: r.dead, Live: r.live,
		Put: func([]notify.Message) {}, Rules: inForce(r.rules), Now: time.Now,
		Kafka: outage("Kafka"), Redis: outage("Redis"), SQL: outage("SQL"), Burial: outage("dead letters")}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = in.Work(ctx, &partition{topic: r.log})
	}()
	for i, e := range events {
		r.log.produce(e)
		time.Sleep(gap(i))
	}
	time.Sleep(time.Minute)
	cancel()
	<-ended
}

// storyOf draws events about few orders of few customers: out of order and repeated.
func storyOf(t *rapid.T, start time.Time) (events []notify.Event) {
	milestones := []string{"driver_en_route_to_pickup", "driver_arriving_pickup", "picked_up", "in_transit", "delivered"}
	for i := range rapid.IntRange(2, 20).Draw(t, "events") {
		if i > 0 && rapid.IntRange(0, 9).Draw(t, "what") == 0 {
			events = append(events, events[rapid.IntRange(0, i-1).Draw(t, "repeat")])
			continue
		}
		n := rapid.IntRange(0, pathOrders-1).Draw(t, "order")
		at := start.Add(time.Duration(i) * time.Second)
		e := event(n, at)
		e.CustomerID = fmt.Sprintf("c-%d", n/2)
		e.Customer.Phone = fmt.Sprintf("+1415555%04d", n/2)
		if rapid.IntRange(0, 7).Draw(t, "customer") == 0 {
			e.Customer.Name = fmt.Sprintf("Dana %d", i)
		}
		step := rapid.IntRange(0, len(milestones)-1).Draw(t, "milestone")
		e.Key = fmt.Sprintf("evt-%d", i)
		e.Sequence, e.Milestone = int64(step+1), notify.MilestoneOf(notify.CarHaul, milestones[step])
		e.ID = notify.NewID(e.OccurredAt, e.Key)
		events = append(events, e)
	}
	return events
}

// However batches overlap, and whatever SQL does meanwhile, the end is the same as if each event had waited for the one before.
func TestOverlapChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			start := time.Now().Add(-time.Minute)
			events := storyOf(rt, start)
			one, many := rigBy(rules(t)), rigBy(rules(t))
			one.runIntake(events, func(int) time.Duration { return time.Second })
			gaps := rapid.SliceOfN(rapid.IntRange(0, 120), len(events), len(events)).Draw(rt, "gaps")
			sql := rapid.SliceOfN(rapid.IntRange(0, 500), 60, 60).Draw(rt, "sql")
			var call atomic.Int64
			trouble := func(kinds ...error) error {
				n := sql[int(call.Add(1))%len(sql)]
				time.Sleep(time.Duration(n) * time.Millisecond)
				if n%11 == 0 {
					return kinds[n%len(kinds)]
				}
				return nil
			}
			many.store.Fail = func(method string) error {
				if method != "Add" {
					return nil
				}
				return trouble(errDown)
			}
			many.store.Lose = func(method string) error {
				if n := int(call.Load()); method == "Add" && sql[(n*7)%len(sql)]%13 == 0 {
					return errDown
				}
				return nil
			}
			many.runIntake(events, func(i int) time.Duration { return time.Duration(gaps[i]) * time.Millisecond })
			if diff := cmp.Diff(one.outcome(rt), many.outcome(rt)); diff != "" {
				rt.Errorf("one at a time (-) and overlapping (+) differ:\n%s", diff)
			}
		})
	})
}

// Batches that were decided on an order as another one would leave it are decided again when that was left otherwise.
func TestFollowersOfABatchThatIsDecidedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var armed, moved atomic.Bool
		r.store.Fail = func(method string) error {
			if method != "Add" || !armed.Swap(false) {
				return nil
			}
			time.Sleep(time.Second) // the others come meanwhile
			moved.Store(true)
			other := next(1, 9, "delivered", time.Now()) // as another process does, whose partition has the order, too
			return r.store.Peer().Add(t.Context(), &notify.Batch{Now: time.Now(), Next: -1,
				Events: []notify.Stored{{Event: &other, State: notify.Sent}},
				Heads: []notify.Head{{OrderID: other.OrderID, Line: other.Line, CustomerID: other.CustomerID, Version: 1,
					Milestone: other.Milestone.Name, Sequence: other.Sequence, OccurredAt: other.OccurredAt}}})
		}
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(3 * time.Second)
		armed.Store(true)
		for i, milestone := range []string{"driver_arriving_pickup", "picked_up", "in_transit"} {
			r.log.produce(next(1, int64(i+2), milestone, time.Now()))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop()
		heads, err := r.store.Order(t.Context(), "CH-1")
		if err != nil || !moved.Load() || heads[0].Milestone != "delivered" || heads[0].Sequence != 9 {
			t.Errorf("%v; moved: %v; the order is at %+v, want where the other process left it", err, moved.Load(), heads)
		}
		stale := 0
		for _, e := range r.store.Events() {
			if e.Reason == notify.Stale || strings.Contains(string(e.Reason), "supersed") {
				stale++
			}
		}
		if stale != 3 {
			t.Errorf("%d of 3 events that came after a newer one are stale", stale)
		}
	})
}
