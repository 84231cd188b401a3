package notify_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
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

// What the cache learns of a customer when several batches are stored as one is what the newest of them knew.
func TestTheCacheLearnsTheNewestBrowsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := r.slowly()
		stop := r.start()
		defer stop()
		r.log.produce(event(1, time.Now()), event(2, time.Now()))
		time.Sleep(3 * time.Second)
		slow(2*time.Second, 1)
		r.log.produce(next(2, 2, "driver_arriving_pickup", time.Now())) // the others wait behind it
		time.Sleep(100 * time.Millisecond)
		internal := next(1, 2, "posted_to_carriers", time.Now()) // tells nobody
		internal.Customer = nil
		r.log.produce(internal)
		time.Sleep(100 * time.Millisecond)
		sub := notify.Subscription{ID: "browser", CustomerID: "c-1", Endpoint: "https://push.example/1"}
		if err := r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), sub); err != nil {
			t.Fatal(err)
		}
		stored := make([]notify.Profile, 1)
		lookup := func() {
			if err := r.store.Lookup(t.Context(), []string{"c-1"}, stored, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		lookup()
		if err := r.cache.Mark(t.Context(), &notify.Look{Customers: []string{"c-1"}, Profiles: stored}); err != nil { // as REST does
			t.Fatal(err)
		}
		e := next(51, 2, "driver_arriving_pickup", time.Now()) // another order of theirs, and another name
		e.Customer.Name = "Dana Other"
		r.log.produce(e)
		time.Sleep(time.Minute)
		lookup()
		l := notify.Look{Customers: []string{"c-1"}, Profiles: make([]notify.Profile, 1)}
		if err := r.cache.Look(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
		if got := l.Profiles[0]; got.Version != stored[0].Version || len(got.Subscriptions) != 1 {
			t.Errorf("the cache has version %d with %d browsers; SQL has %d with one", got.Version, len(got.Subscriptions), stored[0].Version)
		}
	})
}

// reusing fills the headers of dst in the memory that it finds there, as the real source does.
type reusing struct{ partition }

func (p *reusing) Fetch(ctx context.Context, dst []notify.Record) (int, error) {
	var found [8][]notify.Header
	for i := range found {
		found[i] = dst[i].Headers
	}
	n, err := p.partition.Fetch(ctx, dst)
	for i := range n {
		dst[i].Headers = append(found[i][:0], notify.Header{Key: "offset", Value: fmt.Append(nil, dst[i].Offset)})
	}
	return n, err
}

// A record on its way keeps its headers when the next ones are read.
func TestRecordsKeepTheirHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := r.slowly()
		in := r.intake()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = in.Work(ctx, &reusing{partition{topic: r.log}})
		}()
		time.Sleep(time.Second)
		slow(time.Second, 9)
		for n := range 3 {
			r.log.produce(event(n, time.Now()))
			r.log.produceBroken(&notify.Invalid{Reason: "not_json"})
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		cancel()
		<-ended
		rejects := r.store.Rejects()
		for _, rej := range rejects {
			if got := string(rej.Record.Headers[0].Value); got != fmt.Sprint(rej.Record.Offset) {
				t.Errorf("the dead letter of offset %d has the headers of offset %s", rej.Record.Offset, got)
			}
		}
		if len(rejects) != 3 {
			t.Errorf("%d dead letters, want 3", len(rejects))
		}
	})
}

// sluggish is a store that takes its time.
type sluggish struct {
	*notifytest.Store
	takes time.Duration
}

func (s sluggish) Add(ctx context.Context, b *notify.Batch) error {
	if len(b.Events) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.takes):
		}
	}
	return s.Store.Add(ctx, b)
}

// A group that is never at rest gets on: what a worker has read when its partition is lost is stored and committed, unless that
// takes too long. Records that come after that are not begun.
func TestWhatWasReadIsFinished(t *testing.T) {
	for takes, committed := range map[time.Duration]int64{time.Second: 1, time.Minute: 0} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				in := r.intake()
				in.Store = sluggish{r.store, takes}
				ctx, lose := context.WithCancel(t.Context())
				working := make(chan error)
				go func() { working <- in.Work(ctx, &partition{topic: r.log}) }()
				r.log.produce(event(1, time.Now()))
				time.Sleep(500 * time.Millisecond)
				lose()
				r.log.produce(event(2, time.Now()))
				lost := time.Now()
				if err := <-working; err != nil {
					t.Error(err)
				}
				if took := time.Since(lost); took > 2*time.Second {
					t.Errorf("it held up its group for %s", took)
				}
				if got := r.log.committed(); got != committed {
					t.Errorf("%d committed, want %d", got, committed)
				}
			})
		})
	}
}
