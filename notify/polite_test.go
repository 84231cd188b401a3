package notify_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// guarded gives the dispatcher of texts what the service gives it.
func guarded(d *notify.Dispatcher) {
	if d.Channel == notify.SMS {
		d.Breaker, d.Budget = notify.NewBreaker(0.5), &notify.Budget{}
	}
}

// change changes what the provider answers.
func (p *provider) change(answer func(*notify.Message) (bool, notify.Answer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// smsStored are all texts that were stored.
func (r *rig) smsStored() (list []notify.Message) {
	for _, m := range r.store.Messages() {
		if m.Channel == notify.SMS {
			list = append(list, m)
		}
	}
	return list
}

// TestProviderDown: a provider that is down for five minutes is asked a few times a minute. Nothing is lost, what was handed
// back has no attempt, and everything leaves once, in its order.
func TestProviderDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.shape = guarded
		calls := 0
		r.sms.answer = func(*notify.Message) (bool, notify.Answer) {
			calls++
			return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable}
		}
		stop := r.start()
		const events = 600
		for n := range events {
			r.log.produce(event(n, time.Now()))
			if n%2 == 1 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Second)
		// Twenty open the breaker, at most one more for each lane; then one at the end of each of nine pauses.
		if calls > 20+8+10 {
			t.Errorf("the provider was asked %d times in five minutes", calls)
		}
		waiting, tried := 0, 0
		for _, m := range r.smsStored() {
			if m.State != notify.Pending {
				t.Errorf("%s is %s (%s)", m.OrderID, m.State, m.Reason)
			}
			if tried += m.Attempt; m.Attempt == 0 && m.Reason == notify.ProviderDown {
				waiting++
			}
		}
		if tried != calls {
			t.Errorf("%d attempts are counted, the provider saw %d", tried, calls)
		}
		if waiting < events-calls-8 {
			t.Errorf("%d of %d texts say that they wait for the provider", waiting, events-calls)
		}
		r.sms.change(nil)
		time.Sleep(6 * time.Minute) // the last pause, and the last retry of what was tried
		stop()
		if n := len(r.sms.counts()); n != events || len(r.sms.accepted) != events {
			t.Errorf("%d texts were accepted %d times, want all %d once", n, len(r.sms.accepted), events)
		}
		last := map[string]string{}
		for _, m := range r.sms.accepted {
			if m.Attempt > 1 {
				continue // its own retry came when it was due
			}
			if m.OrderID < last[m.CustomerID] && len(m.OrderID) == len(last[m.CustomerID]) {
				t.Errorf("%s left after %s of the same customer", m.OrderID, last[m.CustomerID])
			}
			last[m.CustomerID] = m.OrderID
		}
	})
}

// TestRetriesAreBounded: a provider that takes first attempts and refuses all that comes again is not pressed.
func TestRetriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.queue = 2000
		r.shape = func(d *notify.Dispatcher) { d.Budget = &notify.Budget{} } // no breaker: it would come first
		var retries atomic.Int64
		down := func(m *notify.Message) (bool, notify.Answer) {
			if m.Attempt > 1 {
				retries.Add(1)
			}
			return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited}
		}
		r.sms.answer = down
		stop := r.start()
		const events = 700
		for n := range events {
			r.log.produce(event(n, time.Now()))
		}
		time.Sleep(time.Minute)
		if most := int64(600 + events/10 + 60*10); retries.Load() > most || retries.Load() < 600 {
			t.Errorf("%d retries in a minute, want 600 to %d", retries.Load(), most)
		}
		r.sms.change(nil)
		time.Sleep(15 * time.Minute)
		stop()
		if n := len(r.sms.counts()); n != events {
			t.Errorf("%d texts in the end, want %d", n, events)
		}
	})
}

// stopwatch is a provider that notes when each text came, and takes as long as it is told.
type stopwatch struct {
	mu    sync.Mutex
	began time.Time
	came  map[string]time.Duration // by order
	order []string
	takes func(*notify.Message) time.Duration
}

func newStopwatch() *stopwatch {
	return &stopwatch{began: time.Now(), came: map[string]time.Duration{}, takes: func(*notify.Message) time.Duration { return 0 }}
}

func (s *stopwatch) Send(_ context.Context, m *notify.Message) notify.Answer {
	s.mu.Lock()
	s.came[m.OrderID] = time.Since(s.began)
	s.order = append(s.order, m.OrderID)
	s.mu.Unlock()
	time.Sleep(s.takes(m))
	return notify.Answer{Verdict: notify.Took, ProviderID: "SM" + m.ID.String()}
}

// TestSlowRecipientDelaysNoOther: three recipients whose texts take ten seconds each hold three lanes and nobody else.
func TestSlowRecipientDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := newRig(t), newStopwatch()
		slow := map[string]bool{"c-0": true, "c-1": true, "c-2": true}
		w.takes = func(m *notify.Message) time.Duration {
			if slow[m.CustomerID] {
				return 10 * time.Second
			}
			return 10 * time.Millisecond
		}
		r.shape = func(d *notify.Dispatcher) {
			if d.Channel == notify.SMS {
				d.Sender, d.Lanes, d.Timeout = w, 4, 15*time.Second
			}
		}
		stop := r.start()
		for n := range 200 { // four texts to each of fifty customers
			r.log.produce(event(n, time.Now()))
		}
		time.Sleep(time.Minute)
		stop()
		for n := range 200 {
			order, customer := fmt.Sprintf("CH-%d", n), fmt.Sprintf("c-%d", n%50)
			most := 3 * time.Second // 188 texts of 10 ms each in the one lane that is left
			if slow[customer] {
				most = time.Duration(n/50)*10*time.Second + time.Second // one after the other
			}
			if at, came := w.came[order]; !came || at > most {
				t.Errorf("%s of %s left after %s (%v), want %s at most", order, customer, at, came, most)
			}
		}
	})
}

// TestThrottledTexts: no span of time has more texts than the sender may send, urgent ones go first, a customer's own order stays.
func TestThrottledTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := newRig(t), newStopwatch()
		rate := notify.Rate{PerSecond: 5, Burst: 5}
		var waited time.Duration
		r.shape = func(d *notify.Dispatcher) {
			if d.Channel == notify.SMS {
				d.Sender, d.Throttle = w, &notify.Throttle{Rate: rate, Now: time.Now}
				d.Hooks = &notify.Hooks{Throttled: func(_ notify.Channel, took time.Duration) { waited += took }}
			}
		}
		r.rules.Routes = routesFor(t, "driver_en_route_to_pickup", "title_requested_from_lienholder")
		stop := r.start()
		var calm []notify.Event
		for n := range 45 {
			e := event(n, time.Now())
			e.Line, e.Milestone = notify.TitleRegistration, notify.MilestoneOf(notify.TitleRegistration, "title_requested_from_lienholder")
			calm = append(calm, e)
		}
		r.log.produce(calm...)
		time.Sleep(2 * time.Second)
		r.log.produce(event(145, time.Now()), event(146, time.Now()))
		time.Sleep(time.Minute)
		stop()
		if len(w.came) != 47 {
			t.Fatalf("%d texts, want 47", len(w.came))
		}
		var at []time.Duration
		for _, order := range w.order {
			at = append(at, w.came[order])
		}
		withinRate(t, at, rate)
		if first := w.came["CH-146"]; first > 4*time.Second {
			t.Errorf("an urgent text waited behind what is not urgent: it left after %s", first)
		}
		if w.came["CH-145"] < w.came["CH-45"] {
			t.Error("an urgent text overtook an earlier one of its own customer")
		}
		if waited < 5*time.Second {
			t.Errorf("%s of waiting were told", waited)
		}
	})
}

// routesFor takes milestones to texts.
func routesFor(t *testing.T, milestones ...string) notify.Routes {
	t.Helper()
	routes, err := notify.CompileRoutes([]notify.Route{{Name: "all", Milestones: milestones, PierceQuiet: true, Channels: []notify.Channel{notify.SMS}}})
	if err != nil {
		t.Fatal(err)
	}
	return routes
}

// TestStopEndsTheWait: what waits for its turn when the process is told to stop is anybody's at once.
func TestStopEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.shape = func(d *notify.Dispatcher) {
			d.Throttle = &notify.Throttle{Rate: notify.Rate{PerSecond: 0.01, Burst: 1}, Now: time.Now}
		}
		stop := r.start()
		for n := range 20 {
			r.log.produce(event(n, time.Now()))
		}
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("stopping took %s", took)
		}
		r.restart()
		ms, err := r.store.Claim(t.Context(), time.Now(), notify.SMS, 100)
		if err != nil || len(ms) != 19 {
			t.Errorf("%d texts can be claimed (%v), want the 19 that did not leave", len(ms), err)
		}
	})
}

// TestSkippedIsNoAttempt: a push service that is left alone by the Sender costs its messages no attempt.
func TestSkippedIsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		if err := r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1"}); err != nil {
			t.Fatal(err)
		}
		var asked []time.Duration
		began := time.Now()
		r.push.answer = func(*notify.Message) (bool, notify.Answer) {
			if asked = append(asked, time.Since(began)); len(asked) <= 3 {
				return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.ProviderDown, Skipped: true, RetryAfter: 10 * time.Second}
			}
			return true, notify.Answer{Verdict: notify.Took}
		}
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(5 * time.Second)
		for _, m := range r.store.Messages() {
			if m.Channel == notify.Push && (m.State != notify.Pending || m.Reason != notify.ProviderDown || m.Attempt != 0) {
				t.Errorf("the push is %s (%s) after %d attempts", m.State, m.Reason, m.Attempt)
			}
		}
		time.Sleep(time.Minute)
		stop()
		if len(r.push.accepted) != 1 || len(asked) != 4 || asked[3] < 30*time.Second {
			t.Fatalf("asked at %v, accepted %d; want three pauses of ten seconds", asked, len(r.push.accepted))
		}
		e, err := r.store.Entry(t.Context(), r.push.accepted[0].ID)
		if err != nil || e.Attempt != 1 || len(e.Attempts) != 1 {
			t.Errorf("%d attempts, %d on record (%v), want 1", e.Attempt, len(e.Attempts), err)
		}
	})
}
