package notify_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// patient is a store in which what may wait for others waits for a minute, unless somebody is in a hurry.
type patient struct{ *notifytest.Store }

func (p patient) Add(ctx context.Context, b *notify.Batch) error {
	if b.Hurry != nil {
		select {
		case <-b.Hurry:
		case <-time.After(time.Minute):
		}
	}
	return p.Store.Add(ctx, b)
}

// What only pages are told of may wait in the store, but nobody waits for it.
func TestNobodyWaitsForPatience(t *testing.T) {
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // as bubbles do
	first := next(1, 2, "in_transit", began)
	newcomer := next(2, 1, "in_transit", began)
	text := event(3, began)
	for _, tt := range []struct {
		name   string
		comes  []notify.Event // one after the other; the customer of order 1 is known
		shown  int
		texts  int64
		stored int64
	}{
		{"news", []notify.Event{first}, 1, 0, 0},
		{"news and more of it", []notify.Event{first, next(1, 3, "at_terminal", began)}, 2, 0, 0},
		{"a new customer and another order of it", []notify.Event{newcomer, next(52, 1, "in_transit", began)}, 2, 0, 1},
		{"news that comes again", []notify.Event{first, first}, 1, 0, 1},
		{"news and a text", []notify.Event{first, text}, 2, 1, 2},
		{"a text", []notify.Event{text}, 1, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				var texts atomic.Int64
				in := r.intake()
				in.Store, in.Put = patient{r.store}, func(ms []notify.Message) { texts.Add(int64(len(ms))) }
				ctx, stop := context.WithCancel(t.Context())
				var working sync.WaitGroup
				working.Go(func() { _ = in.Work(ctx, &partition{topic: r.log}) })
				r.log.produce(event(1, began))
				time.Sleep(3 * time.Second)
				if r.live.count() != 1 || texts.Load() != 1 || r.log.committed() != 1 {
					t.Fatalf("%d shown, %d texts, %d stored before it begins", r.live.count(), texts.Load(), r.log.committed())
				}
				for _, e := range tt.comes {
					r.log.produce(e)
					time.Sleep(time.Second)
				}
				shown, told, stored := r.live.count()-1, texts.Load()-1, r.log.committed()-1
				if shown != tt.shown || told != tt.texts || stored != tt.stored {
					t.Errorf("%d shown, %d texts, %d stored; want %d, %d, %d", shown, told, stored, tt.shown, tt.texts, tt.stored)
				}
				time.Sleep(4 * time.Minute)
				stop()
				working.Wait()
				if came := int64(1 + len(tt.comes)); r.log.committed() != came {
					t.Errorf("%d of %d stored in the end", r.log.committed(), came)
				}
			})
		})
	}
}
