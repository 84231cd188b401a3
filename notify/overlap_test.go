package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/notify"
)

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

// runIntake reads events in their order, each some time after the one before, and returns when all are stored.
func (r *rig) runIntake(events []notify.Event, gap func(i int) time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.intake().Work(ctx, &partition{topic: r.log})
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
			many.store.Fail = func(method string) error {
				if method != "Add" {
					return nil
				}
				n := sql[int(call.Add(1))%len(sql)]
				time.Sleep(time.Duration(n) * time.Millisecond)
				if n%11 == 0 {
					return errDown
				}
				return nil
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
