package notify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// newDigestRig is a rig that texts every milestone, six in an hour to one number.
func newDigestRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	routes, err := notify.CompileRoutes([]notify.Route{{Name: "all", Channels: []notify.Channel{notify.WebSocket, notify.SMS}}})
	if err != nil {
		t.Fatal(err)
	}
	r.rules.Routes = routes
	r.limit(6)
	return r
}

// limit is how many texts go to one number in an hour.
func (r *rig) limit(perHour int) {
	r.rules.TextsPerHour = perHour
	r.shape = func(d *notify.Dispatcher) {
		if d.Channel == notify.SMS {
			d.PerHour = perHour
		}
	}
}

// news is that of an order of one customer with one number.
func news(order int, milestone string, sequence int64, at time.Time) notify.Event {
	e := event(order, at)
	e.CustomerID, e.Customer = "c-1", &notify.Contact{Name: "Dana", Phone: "+14155550123", Locale: "en-US", TimeZone: "America/Los_Angeles"}
	e.Milestone, e.Sequence = notify.MilestoneOf(notify.CarHaul, milestone), sequence
	e.Key += fmt.Sprint(milestone, sequence)
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

// bodies are the texts that the provider took, in their order.
func (r *rig) bodies() (bodies []string) {
	r.sms.mu.Lock()
	defer r.sms.mu.Unlock()
	for _, m := range r.sms.accepted {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

// states counts where messages stand.
func (r *rig) states() map[string]int {
	counts := map[string]int{}
	for _, m := range r.store.Messages() {
		counts[strings.TrimSuffix(string(m.State)+" "+string(m.Reason), " ")]++
	}
	return counts
}

func sameCounts(t *testing.T, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("messages stand at %v, want %v", got, want)
	}
}

func TestTooManyTextsBecomeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDigestRig(t)
		stop := r.start()
		start := time.Now()
		for n := range 20 {
			r.log.produce(news(n, "order_confirmed", 1, time.Now()))
			time.Sleep(3 * time.Second)
		}
		time.Sleep(time.Minute)
		sameCounts(t, r.states(), map[string]int{"accepted": 6, "pending capped": 14})
		r.log.produce(news(40, "driver_at_delivery", 1, time.Now())) // at the door: it can't wait
		time.Sleep(2 * time.Second)
		if got := r.bodies(); len(got) != 7 {
			t.Errorf("%d texts after urgent news, want 7", len(got))
		}
		time.Sleep(time.Until(start.Add(59 * time.Minute)))
		if got := r.bodies(); len(got) != 7 {
			t.Errorf("%d texts within the hour, want 7", len(got))
		}
		// That one counts, too: seven texts in the hour, so the second one has to leave it first.
		time.Sleep(2 * time.Minute)
		stop()
		got := r.bodies()
		if len(got) != 8 {
			t.Fatalf("%d texts in the end, want 8: %q", len(got), got)
		}
		if want := "14 updates on your orders: CH-19: "; !strings.HasPrefix(got[7], want) || !strings.Contains(got[7], "more.") {
			t.Errorf("the digest says %q, want %q first", got[7], want)
		}
		sameCounts(t, r.states(), map[string]int{"accepted": 8, "suppressed digested": 13})
	})
}

func TestHeldTextLeavesAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDigestRig(t)
		r.limit(1)
		stop := r.start()
		r.log.produce(news(1, "order_confirmed", 1, time.Now()))
		time.Sleep(time.Minute)
		r.log.produce(news(2, "order_confirmed", 1, time.Now()))
		time.Sleep(time.Hour)
		stop()
		got := r.bodies()
		if len(got) != 2 || strings.Contains(got[1], "update") || got[1] != got[0] {
			t.Errorf("texts are %q, want the second one as it was", got)
		}
		sameCounts(t, r.states(), map[string]int{"accepted": 2})
	})
}

func TestStopEndsTheDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDigestRig(t)
		stop := r.start()
		for n := range 10 {
			r.log.produce(news(n, "order_confirmed", 1, time.Now()))
		}
		time.Sleep(10 * time.Minute)
		if _, _, err := r.store.Stop(t.Context(), time.Now(), notify.Inbound{ProviderID: "SM-in", From: "+14155550123", Text: "STOP"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		stop()
		sameCounts(t, r.states(), map[string]int{"accepted": 6, "suppressed stopped": 4})
	})
}

// Several held texts of one order are one: the latest. So it is over the limit and in quiet hours.
func TestHeldTextsOfAnOrderGiveWay(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		t.Run(fmt.Sprintf("quiet hours %v", quiet), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newDigestRig(t)
				r.limit(1)
				if quiet {
					quietFrom(t, r, 0, "en-US")
				}
				stop := r.start()
				if !quiet {
					r.log.produce(news(9, "order_confirmed", 1, time.Now()))
					time.Sleep(time.Second)
				}
				before := len(r.bodies())
				for i, milestone := range []string{"order_booked", "order_confirmed", "carrier_matched"} {
					r.log.produce(news(1, milestone, int64(i+1), time.Now()))
					time.Sleep(time.Minute)
				}
				if n := len(r.bodies()); n != before {
					t.Errorf("%d texts left at once", n-before)
				}
				time.Sleep(125 * time.Minute)
				stop()
				if n := len(r.bodies()); n != before+1 {
					t.Fatalf("%d texts of the order left, want 1", n-before)
				}
				if m := r.sms.accepted[before]; m.Milestone != "carrier_matched" {
					t.Errorf("%s left, want the latest", m.Milestone)
				}
			})
		})
	}
}

// quietFrom gives the customer two quiet hours that begin in a while.
func quietFrom(t *testing.T, r *rig, in time.Duration, locale string) {
	t.Helper()
	now := time.Now().UTC()
	start := notify.Clock((now.Hour()*60 + now.Minute() + int(in.Minutes())) % 1440)
	if _, err := r.store.EditCustomer(t.Context(), notifytest.By("ann", now), "c-1", func(c *notify.Customer) error {
		c.Contact = notify.Contact{Name: "Dana", Phone: "+14155550123", Locale: locale, TimeZone: "UTC"}
		c.Preferences.Quiet = &notify.QuietHours{Start: start, End: (start + 120) % 1440}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// In the night nothing leaves, and what was held for the number until then is one text in the morning.
func TestDigestWaitsForTheMorning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDigestRig(t)
		r.limit(1)
		quietFrom(t, r, 30*time.Minute, "es")
		stop := r.start()
		for n := range 4 {
			r.log.produce(news(n, "order_confirmed", 1, time.Now()))
			time.Sleep(time.Minute)
		}
		time.Sleep(100 * time.Minute)
		if got := r.bodies(); len(got) != 1 {
			t.Errorf("%d texts in the night, want the one from before", len(got))
		}
		sameCounts(t, r.states(), map[string]int{"accepted": 1, "pending quiet_hours": 3})
		time.Sleep(time.Hour)
		stop()
		want := "3 novedades de sus pedidos: CH-3: Su pedido está confirmado."
		if got := r.bodies(); len(got) != 2 || !strings.HasPrefix(got[1], want[:50]) {
			t.Errorf("texts are %q, want one more that begins %q", got, want)
		}
	})
}

// A digest that the provider did not take is written anew: newer news of an order is not in it twice.
func TestDigestIsWrittenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newDigestRig(t)
		r.limit(1)
		down := false
		r.sms.answer = func(m *notify.Message) (bool, notify.Answer) {
			if down {
				return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: 10 * time.Minute}
			}
			return true, notify.Answer{Verdict: notify.Took, ProviderID: "SM" + m.ID.String()}
		}
		stop := r.start()
		for n := range 4 {
			r.log.produce(news(n, "order_booked", 1, time.Now()))
			time.Sleep(time.Second)
		}
		time.Sleep(50 * time.Minute)
		r.sms.mu.Lock()
		down = true
		r.sms.mu.Unlock()
		time.Sleep(11 * time.Minute) // the digest of CH-1, CH-2 and CH-3 was tried
		if got := r.states(); got["suppressed digested"] != 2 {
			t.Fatalf("messages stand at %v, want two in a digest", got)
		}
		r.log.produce(news(1, "driver_assigned", 2, time.Now()), news(3, "driver_assigned", 2, time.Now())) // urgent
		r.sms.mu.Lock()
		down = false
		r.sms.mu.Unlock()
		time.Sleep(3 * time.Hour)
		stop()
		got := r.bodies()
		last := got[len(got)-1]
		if !strings.HasPrefix(last, "1 update on your order: CH-2: ") || strings.Contains(last, "CH-1:") || strings.Contains(last, "CH-3:") {
			t.Errorf("the digest says %q, want the news of CH-2 alone", last)
		}
		sameCounts(t, r.states(), map[string]int{"accepted": 4, "suppressed digested": 1, "suppressed superseded": 1})
	})
}

// Whatever comes when: no hour has more texts than the limit but for urgent ones, and nothing is lost.
func TestTextsPerHour(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { textsPerHour(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func textsPerHour(t *testing.T, random *rand.Rand) {
	milestones := []string{"order_booked", "order_confirmed", "carrier_matched", "in_transit", "driver_en_route_to_pickup"}
	r, limit := newDigestRig(t), 1+random.IntN(2)
	r.limit(limit)
	var left []time.Time // when texts that are not urgent did
	r.sms.answer = func(m *notify.Message) (bool, notify.Answer) {
		if m.Urgency != notify.High {
			left = append(left, time.Now())
		}
		return true, notify.Answer{Verdict: notify.Took, ProviderID: "SM" + m.ID.String()}
	}
	stop := r.start()
	for i := range 25 {
		r.log.produce(news(random.IntN(8), milestones[random.IntN(len(milestones))], int64(i+1), time.Now()))
		time.Sleep(time.Duration(random.IntN(240)) * time.Second)
	}
	time.Sleep(2*time.Hour + time.Minute)
	stop()
	for i := limit; i < len(left); i++ {
		if d := left[i].Sub(left[i-limit]); d < time.Hour {
			t.Errorf("%d texts within %s, the limit is %d", limit+1, d, limit)
		}
	}
	if len(left) <= limit {
		t.Errorf("%d texts, so the limit of %d was not met", len(left), limit)
	}
	ends := []notify.Reason{notify.Digested, notify.Superseded}
	for _, m := range r.store.Messages() {
		if m.State != notify.Accepted && (m.State != notify.Suppressed || !slices.Contains(ends, m.Reason)) {
			t.Errorf("%s of %s ended as %s (%s)", m.Milestone, m.OrderID, m.State, m.Reason)
		}
	}
}
