package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// Two partitions: each learns of one customer and tells the other's.
func TestDeadlock(t *testing.T) {
	s := open(t, newPostgres(t))
	now := time.Now().Truncate(time.Millisecond)
	for _, c := range []string{"c-1", "c-2"} {
		notifytest.PutCustomer(t, s, now, notify.Customer{ID: c})
	}
	var dead, moved atomic.Int64
	var slow atomic.Int64
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			learned, told := "c-1", "c-2"
			if w == 1 {
				learned, told = told, learned
			}
			for i := range 60 {
				p := make([]notify.Profile, 2)
				_ = s.Lookup(t.Context(), []string{learned, told}, p, nil, nil)
				b, _ := reviewBatch(1, fmt.Sprintf("O-%d-%d", w, i), learned, notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), now, now)
				b.Topic = ""
				b.Customers = []notify.Customer{p[0].Customer}
				b.Told = []notify.Customer{p[1].Customer}
				began := time.Now()
				err := s.Add(t.Context(), b)
				var hm *notify.HeadMoved
				switch {
				case errors.As(err, &hm):
					moved.Add(1)
				case err != nil && strings.Contains(err.Error(), "40P01"):
					dead.Add(1)
				case err != nil:
					t.Error(err)
				}
				if d := time.Since(began); d > 900*time.Millisecond {
					slow.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if dead.Load() > 0 {
		t.Errorf("%d deadlocks in 120 batches (%d moved, %d took about a second)", dead.Load(), moved.Load(), slow.Load())
	}
}

// Finish forgets a browser while Add tells its customer and supersedes its message.
func TestDeadlockForget(t *testing.T) {
	s := open(t, newPostgres(t))
	now := time.Now().Truncate(time.Millisecond)
	notifytest.PutCustomer(t, s, now, notify.Customer{ID: "c-1"})
	var dead atomic.Int64
	for i := range 25 {
		order := fmt.Sprintf("O-%d", i)
		sub := fmt.Sprintf("b-%d", i)
		if err := s.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: sub, CustomerID: "c-1", CreatedAt: now}); err != nil {
			t.Fatal(err)
		}
		var ms []*notify.Message
		b, m := reviewBatch(1, order, "c-1", notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), now, now)
		b.Topic = ""
		if err := s.Add(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		ms = append(ms, m)
		p := make([]notify.Profile, 1)
		_ = s.Lookup(t.Context(), []string{"c-1"}, p, nil, nil)
		var wg sync.WaitGroup
		note := func(err error) {
			if err != nil && strings.Contains(err.Error(), "40P01") {
				dead.Add(1)
			}
		}
		wg.Go(func() {
			note(s.Finish(t.Context(), now, []notify.Outcome{{Message: ms[0].ID, Channel: notify.SMS, State: notify.Failed, Forget: sub, Attempt: notify.Attempt{No: 1, StartedAt: now}}}))
		})
		wg.Go(func() {
			b, _ := reviewBatch(2, order, "c-1", notify.MilestoneOf(notify.CarHaul, "picked_up"), now, now)
			b.Topic = ""
			b.Told = []notify.Customer{p[0].Customer}
			b.Supersede = []notify.Supersede{{OrderID: order, Line: notify.CarHaul, CustomerID: "c-1", Channel: notify.SMS, Keep: b.Events[0].ID}}
			note(s.Add(t.Context(), b))
		})
		wg.Wait()
	}
	if dead.Load() > 0 {
		t.Errorf("%d deadlocks in 25", dead.Load())
	}
}
