package notify_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

func TestSlowChannelDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.queue = 16
		r.sms.latency = 900 * time.Millisecond
		stop := r.start()
		for n := range 500 {
			r.log.produce(event(n, time.Now()))
		}
		time.Sleep(2 * time.Second)
		if shown := r.live.count(); shown != 500 || r.log.committed() != 500 {
			t.Errorf("live page shows %d and %d are committed while texts are slow, want all 500", shown, r.log.committed())
		}
		time.Sleep(20 * time.Minute)
		stop()
		if n := len(r.sms.counts()); n != 500 {
			t.Errorf("%d texts in the end, want 500", n)
		}
	})
}

func TestFirstAttemptsOfACustomerLeaveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.sms.latency = 20 * time.Millisecond
		stop := r.start()
		for n := range 60 { // sixty orders of one customer
			e := event(n, time.Now().Add(time.Duration(n)*time.Millisecond))
			e.CustomerID = "c-1"
			r.log.produce(e)
		}
		time.Sleep(time.Minute)
		stop()
		for i, m := range r.sms.accepted {
			if want := fmt.Sprintf("CH-%d", i); m.OrderID != want {
				t.Fatalf("text %d is about %s, want %s", i, m.OrderID, want)
			}
		}
	})
}

func TestNewerNewsReplacesWhatHasNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.sms.answer = func(*notify.Message) (bool, notify.Answer) {
			return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable, RetryAfter: time.Minute}
		}
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(time.Second)
		newer := event(1, time.Now())
		newer.Sequence, newer.Milestone = 2, notify.MilestoneOf(notify.CarHaul, "picked_up")
		newer.Key = "evt-newer"
		newer.ID = notify.NewID(newer.OccurredAt, newer.Key)
		r.log.produce(newer)
		time.Sleep(time.Second)
		r.sms.mu.Lock()
		r.sms.answer = nil
		r.sms.mu.Unlock()
		time.Sleep(5 * time.Minute)
		stop()
		if len(r.sms.accepted) != 1 || r.sms.accepted[0].Milestone != "picked_up" {
			t.Errorf("accepted %+v, want only the newer news", r.sms.accepted)
		}
	})
}

func TestRetriesComeWhenTheProviderAsksAndEndWithTheText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var tries []time.Duration
		start := time.Now()
		r.sms.answer = func(*notify.Message) (bool, notify.Answer) {
			tries = append(tries, time.Since(start))
			return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: 30 * time.Minute}
		}
		stop := r.start()
		r.log.produce(event(1, start)) // true for two hours
		time.Sleep(5 * time.Hour)
		stop()
		if len(tries) != 4 {
			t.Fatalf("tried at %v, want four times in two hours", tries)
		}
		for i := 1; i < len(tries); i++ {
			if gap := tries[i] - tries[i-1]; gap < 30*time.Minute {
				t.Errorf("attempt %d came %s after the one before, asked was for 30m", i+1, gap)
			}
		}
		found, err := r.store.Find(t.Context(), notify.Query{State: notify.Suppressed, Channel: notify.SMS, Limit: 10})
		if err != nil || len(found) != 1 || found[0].Reason != notify.Expired {
			t.Errorf("in the end %+v, %v; want one text suppressed as expired", found, err)
		}
	})
}

func TestStopFinishesWhatHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.sms.latency = 700 * time.Millisecond
		stop := r.start()
		for n := range 100 {
			r.log.produce(event(n, time.Now()))
		}
		time.Sleep(300 * time.Millisecond)
		began := time.Now()
		stop()
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("stopping took %s", d)
		}
		found, err := r.store.Find(t.Context(), notify.Query{State: notify.Sending, Limit: 10})
		if err != nil || len(found) != 0 {
			t.Errorf("%d messages are left as sending, %v", len(found), err)
		}
		r.restart()
		stop = r.start()
		time.Sleep(time.Minute)
		stop()
		for id, n := range r.sms.counts() {
			if n != 1 {
				t.Errorf("message %s was accepted %d times", id, n)
			}
		}
		if n := len(r.sms.counts()); n != 100 {
			t.Errorf("%d texts, want 100", n)
		}
	})
}
