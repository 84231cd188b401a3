package notify_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
	"onmyway/notify/sqlstore"
)

func next(n int, seq int64, milestone string, at time.Time) notify.Event {
	e := event(n, at)
	e.Key += milestone
	e.Sequence, e.Milestone = seq, notify.MilestoneOf(notify.CarHaul, milestone)
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

// a browser of a customer that has no row, over the real store
func TestBrowserWithoutCustomer(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1", Endpoint: "https://x", CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	o := func(n string) *notify.Outage { return &notify.Outage{Engine: n, Log: log} }
	put := 0
	in := &notify.Intake{Decode: r.log.decode, Cache: r.cache, Store: s, Positions: s, DeadLetters: r.dead, Live: r.live,
		Put: func(ms []notify.Message) { put += len(ms) }, Rules: inForce(r.rules), Now: time.Now, Kafka: o("K"), Redis: o("R"), SQL: o("S"), Burial: o("B")}
	e := event(1, time.Now())
	e.Customer = nil
	r.log.produce(e)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_ = in.Work(ctx, &partition{topic: r.log})
	if put != 1 || r.log.committed() != 1 {
		t.Errorf("put %d, committed %d; want 1, 1", put, r.log.committed())
	}
}

// Sweep claims a message, newer news supersedes it in SQL, and only then the dispatcher gets it: the older one must not leave
// and the newer one must, whether that waits in the lane or has left already.
func TestOlderTakenAfterNewer(t *testing.T) {
	for _, ch := range []notify.Channel{notify.SMS, notify.Push} {
		for name, latency := range map[string]time.Duration{"newer waits": time.Second, "newer has left": 0} {
			t.Run(string(ch)+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { takenAfter(t, ch, latency) })
			})
		}
	}
}

func takenAfter(t *testing.T, ch notify.Channel, latency time.Duration) {
	r := newRig(t)
	_ = r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1"})
	o := &notify.Outage{Engine: "x", Log: slog.New(slog.DiscardHandler)}
	fin := &notify.Finisher{Ledger: r.store, SQL: o, Now: time.Now}
	fin.Prepare()
	p := &provider{latency: latency}
	d := &notify.Dispatcher{Channel: ch, Sender: p, Ledger: r.store, Finish: fin, Lanes: 1, Queue: 100, Timeout: 5 * time.Second, Outage: o,
		Durable: ch == notify.SMS, SQL: o, Now: time.Now, Room: func() {}}
	d.Prepare()
	var put relay
	in := &notify.Intake{Decode: r.log.decode, Cache: r.cache, Store: r.store, Positions: r.store, DeadLetters: r.dead, Live: r.live,
		Put: put.put, Rules: inForce(r.rules), Now: time.Now, Kafka: o, Redis: o, SQL: o, Burial: o}
	ctx, cancel := context.WithCancel(t.Context())
	var running, finishing sync.WaitGroup
	running.Go(func() { _ = in.Work(ctx, &partition{topic: r.log}) })
	running.Go(func() { _ = d.Run(ctx) })
	finishing.Go(func() { _ = fin.Run(ctx) })
	tell := func(e notify.Event) {
		r.log.produce(e)
		time.Sleep(100 * time.Millisecond)
	}

	put.to(func(ms []notify.Message) { // as after a refusal: nobody's
		for _, m := range ms {
			_ = r.store.HandBack(ctx, time.Now(), []notify.Handback{{Message: m.ID}})
		}
	})
	now := time.Now()
	tell(next(1, 1, "driver_en_route_to_pickup", now))
	claimed, err := r.store.Claim(ctx, time.Now(), ch, 10) // Sweep is here ...
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	put.to(notify.Dispatchers{ch: d}.Put)
	tell(next(51, 1, "driver_en_route_to_pickup", now)) // another order of the customer keeps the lane busy, if it can
	tell(next(1, 2, "picked_up", now))
	d.Take(claimed) // ... and only now here
	time.Sleep(time.Hour)
	cancel()
	running.Wait()
	fin.Close()
	finishing.Wait()

	var got []string
	for _, m := range p.accepted {
		if m.OrderID == "CH-1" {
			got = append(got, m.Milestone)
		}
	}
	if len(got) != 1 || got[0] != "picked_up" {
		t.Errorf("sent %v, want picked_up alone", got)
	}
}

// the order goes to another customer; both are in one lane
func TestOtherCustomerSameLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.sms.latency = 900 * time.Millisecond
		stop := r.start()
		now := time.Now()
		for i := range 20 { // 8 lanes: many pairs share one
			x := next(100+i, 1, "driver_en_route_to_pickup", now)
			x.CustomerID = "c-same"
			r.log.produce(x)
		}
		var a []notify.Event
		for i := range 30 {
			e := next(200+i, 1, "driver_en_route_to_pickup", now)
			e.CustomerID = "c-same"
			f := next(200+i, 2, "picked_up", now)
			f.CustomerID = "c-other-" + string(rune('a'+i))
			f.Customer = &notify.Contact{Phone: "+14155559999"}
			a = append(a, e, f)
		}
		r.log.produce(a...)
		time.Sleep(3 * time.Hour)
		lost := 0
		for _, m := range r.store.Messages() {
			if m.Channel == notify.SMS && m.State == notify.Pending {
				lost++
			}
		}
		stop()
		if lost > 0 {
			t.Errorf("%d texts are pending after three hours (they expired after two) in a process that lives", lost)
		}
	})
}

// opt-out while the text is being sent and is refused for now
func TestOptOutDuringSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.sms.latency = 500 * time.Millisecond
		first := true
		r.sms.answer = func(*notify.Message) (bool, notify.Answer) {
			if first {
				first = false
				return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: time.Minute}
			}
			return true, notify.Answer{Verdict: notify.Took, ProviderID: "SM1"}
		}
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(200 * time.Millisecond)
		notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: "+14155550001"},
			Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(r.sms.accepted); n != 0 {
			t.Errorf("%d texts left a minute after the opt-out", n)
		}
	})
}

// opt-out of push while it waits in the lane
func TestPushOptOutInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		_ = r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1"})
		r.push.latency = 900 * time.Millisecond
		stop := r.start()
		now := time.Now()
		for i := range 20 {
			r.log.produce(next(1+50*i, 1, "driver_en_route_to_pickup", now))
		}
		time.Sleep(100 * time.Millisecond)
		notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: "+14155550001"},
			Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.Push: false}}})
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(r.push.accepted); n > 1 {
			t.Errorf("%d pushes left after the opt-out", n-1)
		}
	})
}

// repeats must not make the cache believe in versions that SQL has not
func TestCacheOfRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		now := time.Now()
		first := event(1, now) // order CH-1 says phone ...0001
		second := event(51, now.Add(time.Second))
		second.CustomerID = "c-1"
		second.Customer = &notify.Contact{Name: "Dana", Phone: "+14155550999", Locale: "en-US", TimeZone: "America/Los_Angeles"}
		second.ID = notify.NewID(second.OccurredAt, second.Key)
		stop := r.start()
		r.log.produce(first)
		time.Sleep(time.Second)
		r.log.produce(second)
		time.Sleep(time.Second)
		r.cache.Forget()
		r.log.produce(first) // read again after a rebalance
		time.Sleep(time.Second)
		l := notify.Look{Customers: []string{"c-1"}, Profiles: make([]notify.Profile, 1)}
		_ = r.cache.Look(t.Context(), &l)
		p := make([]notify.Profile, 1)
		_ = r.store.Lookup(t.Context(), []string{"c-1"}, p, nil, nil)
		if l.Profiles[0].Version > p[0].Version {
			t.Errorf("cache: version %d, phone %s; SQL: version %d, phone %s", l.Profiles[0].Version, l.Profiles[0].Phone, p[0].Version, p[0].Phone)
		}
		// the customer opts out; Redis does not hear of it
		notifytest.PutCustomer(t, r.store, time.Now(), notify.Customer{ID: "c-1", Contact: p[0].Contact,
			Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
		before := len(r.sms.accepted)
		third := event(101, time.Now())
		third.Customer = nil
		r.log.produce(third)
		time.Sleep(time.Second)
		stop()
		if n := len(r.sms.accepted) - before; n != 0 {
			t.Errorf("%d texts after the opt-out, to %s", n, r.sms.accepted[before].Address)
		}
	})
}

// relay hands messages to whom a test says.
type relay struct {
	mu   sync.Mutex
	next func([]notify.Message)
}

func (r *relay) to(next func([]notify.Message)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = next
}

func (r *relay) put(ms []notify.Message) {
	r.mu.Lock()
	next := r.next
	r.mu.Unlock()
	next(ms)
}

// TestStaleProfile has a cache that missed a write: a browser that was added, a channel that was turned on again. What is not
// sent is decided on what SQL says, like what is sent.
func TestStaleProfile(t *testing.T) {
	for _, test := range []struct {
		name   string
		before notify.Preferences
	}{
		{"the cache does not know the browser", notify.Preferences{}},
		{"the cache has push turned off", notify.Preferences{Channels: map[notify.Channel]bool{notify.Push: false}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				e := event(1, time.Now())
				e.Customer = nil // no number: push is all there is
				edit := func(p notify.Preferences) notify.Customer {
					c, err := r.store.EditCustomer(t.Context(), notifytest.By("ann", time.Now()), e.CustomerID, func(c *notify.Customer) error {
						c.Name, c.Preferences = "Dana", p
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					return c
				}
				stale := notify.Profile{Customer: edit(test.before)}
				edit(notify.Preferences{Categories: map[notify.Category]map[notify.Channel]bool{notify.Papers: {notify.SMS: false}}})
				sub := notify.Subscription{ID: "browser", CustomerID: e.CustomerID, Endpoint: "https://push.example/1", CreatedAt: time.Now()}
				if err := r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), sub); err != nil {
					t.Fatal(err)
				}
				l := &notify.Look{Customers: []string{e.CustomerID}, Profiles: []notify.Profile{stale}}
				if err := r.cache.Mark(t.Context(), l); err != nil {
					t.Fatal(err)
				}
				stop := r.start()
				r.log.produce(e)
				time.Sleep(time.Minute)
				stop()
				if n := len(r.push.accepted); n != 1 {
					t.Errorf("%d pushes, want 1", n)
				}
			})
		})
	}
}
