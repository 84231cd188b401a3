package notify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func TestEventBecomesMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(time.Second)
		stop()
		if len(r.sms.accepted) != 1 {
			t.Fatalf("%d texts were accepted, want 1", len(r.sms.accepted))
		}
		m := r.sms.accepted[0]
		if m.Address != "+14155550001" || m.Attempt != 1 || !strings.Contains(m.Body, "on the way") {
			t.Errorf("the text is %+v", m)
		}
		if len(r.live.shown) != 1 || !strings.Contains(r.live.shown[0], `"milestone":"driver_en_route_to_pickup"`) {
			t.Errorf("the live page shows %v", r.live.shown)
		}
		if got := r.log.committed(); got != 1 {
			t.Errorf("committed up to %d, want 1", got)
		}
	})
}

func TestTheSameEventAgainTellsNobody(t *testing.T) {
	tests := []struct {
		name  string
		again func(e notify.Event) notify.Event
	}{
		{"as it was", func(e notify.Event) notify.Event { return e }},
		{"under a new id", func(e notify.Event) notify.Event {
			e.Key = "evt-other"
			e.ID = notify.NewID(e.OccurredAt, e.Key)
			return e
		}},
		{"with another time", func(e notify.Event) notify.Event {
			e.OccurredAt = e.OccurredAt.Add(time.Minute)
			e.ID = notify.NewID(e.OccurredAt, e.Key)
			return e
		}},
		{"with another time and no sequence", func(e notify.Event) notify.Event {
			e.OccurredAt = e.OccurredAt.Add(time.Minute)
			e.ID = notify.NewID(e.OccurredAt, e.Key)
			return e
		}},
	}
	for i, tt := range tests {
		for _, forget := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, cache emptied %v", tt.name, forget), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t)
					stop := r.start()
					e := event(1, time.Now())
					if i == 3 {
						e.Sequence = 0
					}
					r.log.produce(e, e) // twice in one batch
					time.Sleep(time.Second)
					if forget {
						r.cache.Forget()
					}
					r.log.produce(tt.again(e))
					time.Sleep(time.Second)
					stop()
					if len(r.sms.accepted) != 1 {
						t.Errorf("%d texts were accepted, want 1", len(r.sms.accepted))
					}
				})
			})
		}
	}
}

func TestBadRecordGoesToTheDeadLettersAndHurtsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.log.produce(event(1, time.Now()))
		r.log.produceBroken(&notify.Invalid{Reason: "not_json", Problems: []notify.Problem{{Detail: "is no JSON"}}})
		r.log.produce(event(2, time.Now()))
		r.dead.refuse(errDown)
		stop := r.start()
		time.Sleep(time.Minute)
		if n := len(r.sms.counts()); n != 0 || r.log.committed() != 0 {
			t.Errorf("%d texts and offset %d while the dead-letter topic refuses: the partition has to wait", n, r.log.committed())
		}
		r.dead.refuse(nil)
		time.Sleep(time.Minute)
		stop()
		if n := len(r.sms.counts()); n != 2 {
			t.Errorf("%d texts, want those of both neighbours", n)
		}
		if len(r.dead.rs) != 1 || r.dead.rs[0].Reason != "not_json" || r.dead.rs[0].Record.Offset != 1 {
			t.Errorf("dead letters %+v, want the broken record", r.dead.rs)
		}
		if got := r.log.committed(); got != 3 {
			t.Errorf("committed up to %d, want 3", got)
		}
	})
}

func TestDataThatTheDatabaseRefusesStandsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for n := range 9 {
			e := event(n, time.Now())
			if n == 5 {
				e.OrderID = "CH-\x00"
			}
			r.log.produce(e)
		}
		stop := r.start()
		time.Sleep(time.Minute)
		stop()
		if n := len(r.sms.counts()); n != 8 {
			t.Errorf("%d texts, want 8", n)
		}
		if len(r.dead.rs) != 1 || r.dead.rs[0].Reason != "refused_by_database" || r.dead.rs[0].Record.Offset != 5 {
			t.Errorf("dead letters %+v, want the event at offset 5", r.dead.rs)
		}
		if got := r.log.committed(); got != 9 {
			t.Errorf("committed up to %d, want 9", got)
		}
	})
}

// Whatever fails, and however often the process dies, every event ends in exactly one text, apart from those whose end
// is unclear: they wait for a person in "verify" and were accepted once at most.
func TestNothingIsLostAndNothingDoubled(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { breakEverything(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func breakEverything(t *testing.T, dice *rand.Rand) {
	const events = 300
	r := newRig(t)
	r.queue = 40 // so that messages stay in SQL, too
	roll := rolls(dice)
	fail := func(string) error {
		if roll() < 0.05 {
			return errDown
		}
		return nil
	}
	r.store.Fail, r.store.Lose, r.cache.Fail = fail, fail, fail
	r.sms.latency = 3 * time.Millisecond
	r.sms.answer = func(m *notify.Message) (bool, notify.Answer) {
		switch x := roll(); {
		case x < 0.05:
			return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: time.Second}
		case x < 0.07:
			return true, notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}
		case x < 0.09:
			return false, notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}
		}
		return true, notify.Answer{Verdict: notify.Took, ProviderID: m.ID.String()}
	}
	for n := range events {
		r.log.produce(event(n, time.Now()))
	}
	for range 6 {
		stop := r.start()
		time.Sleep(time.Duration(roll() * float64(400*time.Millisecond)))
		stop()
		r.restart()
		r.log.mu.Lock()
		r.log.commit = max(r.log.commit-int64(roll()*100), 0) // the last commits never reached Kafka
		r.log.mu.Unlock()
		if roll() < 1./3 {
			r.cache.Forget()
		}
	}
	r.store.Fail, r.store.Lose, r.cache.Fail = nil, nil, nil
	stop := r.start()
	time.Sleep(10 * time.Minute)
	stop()
	verdict(t, r, events)
}

// verdict compares the provider's own record with what was produced.
func verdict(t *testing.T, r *rig, events int) {
	t.Helper()
	counts := r.sms.counts()
	unclear := map[notify.ID]bool{}
	found, err := r.store.Find(t.Context(), notify.Query{State: notify.Verify, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		unclear[e.ID] = true
	}
	arrived := 0
	for id, n := range counts {
		if n > 1 {
			t.Errorf("message %s was accepted %d times", id, n)
		}
		if !unclear[id] {
			arrived++
		}
	}
	if arrived+len(unclear) != events {
		t.Errorf("%d arrived and %d are unclear, of %d", arrived, len(unclear), events)
	}
}

// rolls makes a dice safe for concurrent use.
func rolls(dice *rand.Rand) func() float64 {
	ch := make(chan struct{}, 1)
	return func() float64 {
		ch <- struct{}{}
		defer func() { <-ch }()
		return dice.Float64()
	}
}

// An event that says nothing of its customer is told by what SQL knows, also when the cache knows nothing.
func TestWhatTheCacheDoesNotKnowComesFromSQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx := t.Context()
		notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: "+14155550001"}})
		if err := r.store.Subscribe(ctx, notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-2"}); err != nil { // is no customer yet
			t.Fatal(err)
		}
		stop := r.start()
		for i := range 2 {
			e := event(i+1, time.Now())
			e.Customer = nil
			r.log.produce(e)
		}
		time.Sleep(time.Second)
		stop()
		if len(r.sms.accepted) != 1 || len(r.push.accepted) != 1 {
			t.Errorf("%d texts and %d notifications were accepted, want one of each", len(r.sms.accepted), len(r.push.accepted))
		}
	})
}

// What the customer chose is in SQL; an empty cache must not hide it.
func TestChoicesHoldWithoutCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: "+14155550101"},
			Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
		stop := r.start()
		e := event(1, time.Now())
		e.Customer = nil
		r.log.produce(e)
		time.Sleep(time.Second)
		stop()
		if len(r.sms.accepted) != 0 {
			t.Errorf("%d texts went to somebody who turned them off", len(r.sms.accepted))
		}
		if len(r.live.shown) != 1 {
			t.Errorf("the live page shows %v", r.live.shown)
		}
	})
}

// What the cache says of an order or a customer is a guess. When it is wrong, SQL is asked and the batch decided again.
func TestAWrongCacheCostsOneMoreDecision(t *testing.T) {
	wrong := map[string]notify.Look{
		"an old head": {Heads: []notify.Head{{OrderID: "CH-1", Line: notify.CarHaul, CustomerID: "c-1", Milestone: "order_booked", Sequence: 0, Version: 7}}},
		"an old profile": {Profiles: []notify.Profile{{Customer: notify.Customer{ID: "c-1", Version: 9,
			Contact: notify.Contact{Phone: "+14155550001", Name: "Dana", Locale: "en-US", TimeZone: "America/Los_Angeles"}}}}},
	}
	for name, l := range wrong {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				if err := r.cache.Mark(t.Context(), &l); err != nil {
					t.Fatal(err)
				}
				stop := r.start()
				r.log.produce(event(1, time.Now()))
				time.Sleep(3 * time.Second)
				stop()
				if got := r.log.committed(); got != 1 {
					t.Errorf("committed up to %d, want 1", got)
				}
				if n := len(r.sms.accepted); n != 1 {
					t.Errorf("%d texts, want 1", n)
				}
			})
		})
	}
}
