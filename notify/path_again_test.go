package notify_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// What is too much to be decided ahead goes on from what was, too, and is decided on what SQL says when that turns out otherwise.
func TestALargeFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := startMoved(t)
		r.log.produce(next(1, 2, "driver_arriving_pickup", time.Now()))
		time.Sleep(100 * time.Millisecond)
		late := next(1, 3, "picked_up", time.Now())
		crowd := []notify.Event{late}
		for n := range 300 {
			crowd = append(crowd, event(100+50*n, time.Now()))
		}
		r.log.produce(crowd...)
		time.Sleep(time.Minute)
		stop()
		heads, err := r.store.Order(t.Context(), "CH-1")
		if err != nil || heads[0].Sequence != 9 {
			t.Errorf("%v; the order is at %+v, want delivered, 9", err, heads)
		}
		for _, m := range r.sms.accepted {
			if m.EventID == late.ID {
				t.Errorf("a text about step 3 left after step 9: %s", m.Body)
			}
		}
	})
}

// A decision that waited for SQL is made again, whatever joins it: as the only one, and as one of several.
func TestOldDecisionsAreMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var down atomic.Bool
		r.store.Fail = func(method string) error {
			if method == "Add" && down.Load() {
				return errDown
			}
			return nil
		}
		stop := r.start()
		for n := 1; n < 4; n++ {
			r.log.produce(event(n, time.Now()))
		}
		time.Sleep(3 * time.Second)
		down.Store(true)
		at := time.Now()
		for n := 1; n < 4; n++ {
			if n == 3 {
				time.Sleep(5 * time.Minute)
			}
			r.log.produce(next(n, 2, "driver_arriving_pickup", time.Now()))
			time.Sleep(100 * time.Millisecond)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		stop()
		for _, m := range r.store.Messages() {
			if age := m.CreatedAt.Sub(at); m.Sequence == 2 && age < time.Minute {
				t.Errorf("what is stored 5 minutes after it was decided was decided %s after the first", age)
			}
		}
	})
}

// Batches that waited long are decided again, also when the last of those that are stored with them did not: the night may have begun.
func TestWhatWaitedIntoTheNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midnight := time.Now().UTC().Truncate(24 * time.Hour)
		r := newRig(t)
		for _, c := range []string{"c-2", "c-3"} {
			notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: c, Contact: notify.Contact{Phone: "+1415555000" + c[2:], TimeZone: "UTC", Locale: "en"},
				Preferences: notify.Preferences{Quiet: &notify.QuietHours{Start: 5, End: 60}}})
		}
		stop := r.startSlowly(10*time.Second, 1)
		for n, at := range map[int]time.Duration{1: 0, 2: 2 * time.Second, 3: 9 * time.Second} {
			go func() {
				time.Sleep(time.Until(midnight.Add(5*time.Minute - 10*time.Second + at)))
				r.log.produce(event(n, time.Now()))
			}()
		}
		time.Sleep(time.Until(midnight.Add(30 * time.Minute)))
		if n := len(r.sms.counts()); n != 1 {
			t.Errorf("%d texts left, want the first alone: the night of the others had begun", n)
		}
		time.Sleep(time.Until(midnight.Add(2 * time.Hour)))
		stop()
		if n := len(r.sms.counts()); n != 3 {
			t.Errorf("%d texts left by the morning, want 3", n)
		}
	})
}

// startMoved starts a rig that has stored the first news of CH-1. The next Add takes a second and finds that another process, whose
// partition has the order too, has moved it.
func startMoved(t *testing.T) (r *rig, stop func()) {
	r = newRig(t)
	var armed atomic.Bool
	r.store.Fail = func(method string) error {
		if method != "Add" || !armed.Swap(false) {
			return nil
		}
		time.Sleep(time.Second) // others come meanwhile
		other := next(1, 9, "delivered", time.Now())
		return r.store.Peer().Add(t.Context(), &notify.Batch{Now: time.Now(), Next: -1,
			Events: []notify.Stored{{Event: &other, State: notify.Sent}},
			Heads: []notify.Head{{OrderID: other.OrderID, Line: other.Line, CustomerID: other.CustomerID, Version: 1,
				Milestone: other.Milestone.Name, Sequence: other.Sequence, OccurredAt: other.OccurredAt}}})
	}
	stop = r.start()
	r.log.produce(event(1, time.Now()))
	time.Sleep(3 * time.Second)
	armed.Store(true)
	return r, stop
}

// Batches that were decided on an order as another one would leave it are decided again when that was left otherwise.
func TestFollowersOfABatchThatIsDecidedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := startMoved(t)
		for i, milestone := range []string{"driver_arriving_pickup", "picked_up", "in_transit"} {
			r.log.produce(next(1, int64(i+2), milestone, time.Now()))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop()
		heads, err := r.store.Order(t.Context(), "CH-1")
		if err != nil || heads[0].Milestone != "delivered" || heads[0].Sequence != 9 {
			t.Errorf("%v; the order is at %+v, want where the other process left it", err, heads)
		}
		stale := 0
		for _, e := range r.store.Events() {
			if e.Reason == notify.Stale {
				stale++
			}
		}
		if stale != 3 {
			t.Errorf("%d of 3 events that came after a newer one are stale", stale)
		}
	})
}
