package kafkasource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

func TestARebalanceLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		const total = 3000
		k := open(t, cfg)
		a := read(t, k)
		a.until(t, "partitions", func() bool { return len(a.parts) == 3 })
		wrote := make(chan error, 1)
		shared := make(chan struct{}) // what is written from then on is read by two
		go func() {
			for i := 0; i < total; i += 10 {
				if i == total/2 {
					<-shared
				}
				if err := k.Produce(t.Context(), cfg.Topics[0], orders(i, 10)); err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()

		ends := committedNeverDecrease(t, cfg)
		b := read(t, open(t, cfg))
		b.until(t, "a share of the partitions", func() bool { return len(b.parts) > 0 })
		close(shared)
		b.until(t, "a share of the records", func() bool { return len(b.seen) > total/20 })
		b.stop(t) // and a takes over again
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		a.until(t, "all records", func() bool { return missing(total, a, b) == 0 })
		a.stop(t)
		ends()

		lag, err := k.Lag(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for p, n := range lag[cfg.Topics[0]] {
			if n != 0 {
				t.Errorf("partition %d: %d behind", p, n)
			}
		}
	})
}

func missing(total int, readers ...*reader) int {
	n := total
	for _, rec := range orders(0, total) {
		for _, r := range readers {
			if r.seen[string(rec.Key)] > 0 {
				n--
				break
			}
		}
	}
	return n
}

// committedNeverDecrease looks at the committed offsets until the func that it returns is called.
func committedNeverDecrease(t *testing.T, cfg kafkasource.Config) func() {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		last := [3]int64{-1, -1, -1}
		for {
			for p := range last {
				now := committed(t, cfg, p)
				if now < last[p] {
					t.Errorf("partition %d: committed %d after %d", p, now, last[p])
				}
				last[p] = now
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	return func() { close(stop); <-done }
}

func TestACommitOfAnOldGenerationIsRefused(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		produce(t, k, cfg.Topics[0], orders(0, 300))
		a := read(t, k)
		a.until(t, "all records", func() bool { return len(a.seen) == 300 })
		old := a.parts[0]
		before := committed(t, cfg, 0)

		a.parts = map[int]notify.Partition{}
		b := read(t, open(t, cfg))
		b.until(t, "a share of the partitions", func() bool { return len(b.parts) > 0 })
		if err := old.Commit(t.Context(), 1); !errors.Is(err, notify.ErrFenced) {
			t.Errorf("a commit of the old generation: %v, want ErrFenced", err)
		}
		if after := committed(t, cfg, 0); after < max(before, 2) {
			t.Errorf("committed %d, was %d", after, before)
		}
	})
}

func TestWorkFinishesBeforeItsPartitionMoves(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		cfg.Partitions = 1
		k := open(t, cfg)
		produce(t, k, cfg.Topics[0], orders(0, 10))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		owners, leaving := make(chan struct{}, 1), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- k.Run(ctx, func(ctx context.Context, p notify.Partition) error {
				dst := make([]notify.Record, 10)
				if _, err := p.Fetch(ctx, dst); err != nil {
					return err
				}
				owners <- struct{}{}
				<-ctx.Done() // the stop comes while the batch is in hand
				<-leaving
				return p.Commit(context.WithoutCancel(ctx), 10)
			})
		}()
		<-owners
		cancel()
		next := read(t, open(t, cfg)) // it has to wait for the first one
		close(leaving)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		next.until(t, "the partition", func() bool { return len(next.parts) == 1 })
		if next.starts[0] != 10 {
			t.Errorf("the next owner starts at %d: the last commit was lost", next.starts[0])
		}
	})
}
