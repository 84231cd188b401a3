package notify_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// change is one of many changes of an order.
func change(n int, at time.Time) notify.Event {
	e := event(1, at)
	e.Milestone = notify.MilestoneOf(notify.CarHaul, []string{"pickup_window_changed", "delayed", "rescheduled"}[n%3])
	e.Key, e.Sequence = fmt.Sprintf("change-%d", n), int64(n+1)
	e.Customer.TimeZone = "UTC"
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

// storm is an order that changes often while a provider needs most of a second for a message. It returns what customers got.
func storm(t *testing.T, changes int, pauses func(n int) time.Duration) (r *rig) {
	t.Helper()
	rs := *simRules(t)
	rs.Settle = 2 * time.Second
	r = rigBy(&rs)
	r.sms.latency, r.push.latency = 900*time.Millisecond, 900*time.Millisecond
	_ = r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1"})
	stop := r.start()
	for n := range changes {
		r.log.produce(change(n, time.Now()))
		if d := pauses(n); d > 0 {
			time.Sleep(d)
		}
	}
	time.Sleep(20 * time.Second)
	stop()
	return r
}

// calmly says what is wrong with what a channel told of a storm; empty for nothing.
func calmly(p *provider, changes int) string {
	switch n := len(p.accepted); {
	case n == 0 || n > 2:
		return fmt.Sprintf("%d messages about one order, want 1 or 2", n)
	case p.accepted[n-1].Sequence != int64(changes):
		return fmt.Sprintf("the last one tells change %d of %d", p.accepted[n-1].Sequence, changes)
	}
	return ""
}

// TestStorm lets one order change thousands of times within half a second, 10,000 times with ONMYWAY_TEST_LONG: every channel
// tells at most two of it, the last one last.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := 2500
		if os.Getenv("ONMYWAY_TEST_LONG") != "" {
			changes = 10_000
		}
		r := storm(t, changes, func(n int) time.Duration {
			if n%(changes/5) == changes/5-1 {
				return 100 * time.Millisecond
			}
			return 0
		})
		for ch, p := range map[notify.Channel]*provider{notify.SMS: r.sms, notify.Push: r.push} {
			if wrong := calmly(p, changes); wrong != "" {
				t.Errorf("%s: %s", ch, wrong)
			}
		}
		if n := r.live.count(); n != changes {
			t.Errorf("the live page shows %d changes of %d", n, changes)
		}
		for _, m := range r.store.Messages() {
			if m.State == notify.Suppressed && m.Reason != notify.Superseded {
				t.Fatalf("a message that gave way says %q", m.Reason)
			}
		}
	})
}

// TestLongStorm is TestStorm with changes all through 20 seconds: several messages could leave meanwhile, and none may.
func TestLongStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const changes = 1000
		r := storm(t, changes, func(int) time.Duration { return 20 * time.Millisecond })
		for ch, p := range map[notify.Channel]*provider{notify.SMS: r.sms, notify.Push: r.push} {
			if wrong := calmly(p, changes); wrong != "" {
				t.Errorf("%s: %s", ch, wrong)
			}
		}
	})
}

// TestNewsWaitsForACalmOrder says whose news waits, and for how long.
func TestNewsWaitsForACalmOrder(t *testing.T) {
	const calm = 2 * time.Second
	for _, tt := range []struct {
		name   string
		before time.Duration // how long before the event the order changed last; 0: it is new, below 0: that was the event itself
		quiet  *notify.QuietHours
		due    time.Time
		reason notify.Reason
	}{
		{"a new order", 0, nil, noon, ""},
		{"a calm order", calm, nil, noon, ""},
		{"an order that has just changed", calm - time.Millisecond, nil, noon.Add(calm), notify.Settling},
		{"an event that is read again", -1, nil, noon, ""},
		{"at night", time.Millisecond, &notify.QuietHours{Start: 18 * 60, End: 20 * 60}, noon.Add(time.Hour), notify.Quiet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := event(2, noon)
			e.Customer = nil
			e.Milestone = notify.MilestoneOf(notify.CarHaul, "picked_up")
			var h notify.Head
			if tt.before > 0 {
				h = notify.Head{OrderID: e.OrderID, Line: e.Line, CustomerID: e.CustomerID, Milestone: "pickup_scheduled", OccurredAt: noon.Add(-tt.before)}
			}
			if tt.before < 0 {
				h = notify.Head{OrderID: e.OrderID, Line: e.Line, CustomerID: e.CustomerID, Milestone: e.Milestone.Name, Sequence: e.Sequence, OccurredAt: e.OccurredAt}
			}
			p := notify.Profile{Customer: notify.Customer{ID: e.CustomerID, Contact: notify.Contact{Phone: "+14155550123", TimeZone: "UTC"},
				Preferences: notify.Preferences{Quiet: tt.quiet}}}
			r := rules(t)
			r.Settle = calm
			var d notify.Decision
			notify.Decide(&e, &h, &p, r, noon, &d)
			if len(d.Messages) != 1 {
				t.Fatalf("%d messages, not sent: %v", len(d.Messages), d.Stored.NotSent)
			}
			if m := d.Messages[0]; !m.DueAt.Equal(tt.due) || m.Reason != tt.reason {
				t.Errorf("the text waits until %s (%q), want %s (%q)", m.DueAt, m.Reason, tt.due, tt.reason)
			}
		})
	}
}

// TestAnyStorm is TestStorm with changes at any moments of half a second.
func TestAnyStorm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		changes := rapid.IntRange(1, 60).Draw(rt, "changes")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 8), changes, changes).Draw(rt, "milliseconds")
		inBubble(t, func() {
			r := storm(t, changes, func(n int) time.Duration { return time.Duration(gaps[n]) * time.Millisecond })
			for ch, p := range map[notify.Channel]*provider{notify.SMS: r.sms, notify.Push: r.push} {
				if wrong := calmly(p, changes); wrong != "" {
					rt.Fatalf("%s: %s", ch, wrong)
				}
			}
		})
	})
}

// TestQuietHoursCollapse holds what happens at night and tells the latest of it in the morning, once per channel.
func TestQuietHoursCollapse(t *testing.T) {
	for _, changes := range []int{1, 2, 3, 9} {
		t.Run(fmt.Sprint(changes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { collapse(t, changes) })
		})
	}
}

// collapse lets an order change in a night that lasts from midnight to one o'clock.
func collapse(t *testing.T, changes int) {
	midnight := time.Now().UTC().Truncate(24 * time.Hour)
	r := newRig(t)
	notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: "c-1",
		Contact:     notify.Contact{Phone: "+14155550001", TimeZone: "UTC", Locale: "en"},
		Preferences: notify.Preferences{Quiet: &notify.QuietHours{Start: 0, End: 60}}})
	_ = r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1"})
	stop := r.start()
	for n := range changes {
		time.Sleep(5 * time.Minute)
		r.log.produce(change(n, time.Now()))
	}
	morning := midnight.Add(time.Hour)
	time.Sleep(time.Until(morning.Add(-time.Second)))
	if early := len(r.sms.counts()) + len(r.push.counts()); early != 0 {
		t.Errorf("%d messages left in the night", early)
	}
	time.Sleep(time.Minute)
	stop()
	for ch, p := range map[notify.Channel]*provider{notify.SMS: r.sms, notify.Push: r.push} {
		if len(p.accepted) != 1 || p.accepted[0].Sequence != int64(changes) {
			t.Errorf("%s: %d messages in the morning, want the last of %d changes alone", ch, len(p.accepted), changes)
		}
	}
}
