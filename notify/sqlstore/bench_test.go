package sqlstore_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"onmyway/notify"
)

// BenchmarkAdd stores events of 20,000 orders in random order, each batch with its order heads, as Intake does for events
// that only go live, and with one SMS per event besides.
func BenchmarkAdd(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, size := range []int{500, 2000} {
			for _, sms := range []bool{false, true} {
				name := fmt.Sprintf("%s/batch=%d/sms=%v", engine, size, sms)
				b.Run(name, func(b *testing.B) { benchmarkAdd(b, engines[engine](b), size, sms) })
			}
		}
	}
}

func benchmarkAdd(b *testing.B, url string, size int, sms bool) {
	const orders = 20_000
	s := open(b, url)
	versions := make([]notify.Head, orders)
	random := rand.New(rand.NewPCG(1, 2))
	sequence, rows := int64(0), 0
	var spent time.Duration // of this process; PostgreSQL's own is not in it
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batch := randomBatch(random, versions, &sequence, size, sms)
		b.StartTimer()
		before := cpu(b)
		if err := s.Add(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		spent += cpu(b) - before
		rows += len(batch.Events)
		for i := range batch.Heads {
			batch.Heads[i].Version++
		}
		for _, h := range batch.Heads {
			versions[orderNumber(h.OrderID)] = h
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(spent.Microseconds())/float64(rows), "cpu-us/event")
}

// cpu is the processor time that this process has used. Unlike wall time it hardly depends on what else the machine does.
func cpu(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func orderNumber(id string) (n int) {
	fmt.Sscanf(id, "CH-2026-%d", &n)
	return n
}

func randomBatch(random *rand.Rand, versions []notify.Head, sequence *int64, size int, sms bool) *notify.Batch {
	kinds := notify.Milestones(notify.CarHaul)
	now := time.Now()
	batch := &notify.Batch{Topic: "order-events", Partition: 1, Next: *sequence, Now: now}
	touched := map[int]bool{}
	for range size {
		*sequence++
		n := random.IntN(len(versions))
		e := &notify.Event{
			Key: fmt.Sprintf("evt-%012d", *sequence), OrderID: fmt.Sprintf("CH-2026-%06d", n), CustomerID: fmt.Sprintf("c-%06d", n/2),
			Line: notify.CarHaul, Milestone: kinds[random.IntN(len(kinds))], Sequence: *sequence, OccurredAt: now,
			Data:   []byte(`{"driver_name":"Sam","vehicle":"2021 Honda Civic","eta":{"start":"2026-11-21T19:00:00Z"},"tracking_url":"https://example.com/t/abc"}`),
			Origin: notify.Origin{Topic: "order-events", Partition: 1, Offset: *sequence, Time: now},
		}
		e.ID = notify.NewID(e.OccurredAt, e.Key)
		batch.Events = append(batch.Events, notify.Stored{
			Event: e, State: notify.Sent, Title: "Your driver is on the way", Locale: "en", Template: "9f3c2a",
			Body: "Sam is on the way to pick up your 2021 Honda Civic and should arrive between 12 and 1 pm.",
		})
		if sms {
			m := notify.Message{
				ID: notify.MessageID(e, notify.SMS, "+14155550123", 0), EventID: e.ID, OrderID: e.OrderID, CustomerID: e.CustomerID,
				Line: e.Line, Milestone: e.Milestone.Name, Sequence: e.Sequence, Channel: notify.SMS, Address: fmt.Sprintf("+1415%07d", n),
				Body: "Sam is on the way to pick up your 2021 Honda Civic.", Locale: "en", Template: "9f3c2a", Urgency: notify.High,
				State: notify.Pending, OccurredAt: now, CreatedAt: now, DueAt: now, ExpiresAt: now.Add(time.Hour), UpdatedAt: now,
			}
			batch.Messages = append(batch.Messages, m)
		}
		head := versions[n]
		head.OrderID, head.Line, head.CustomerID, head.Milestone = e.OrderID, e.Line, e.CustomerID, e.Milestone.Name
		head.Sequence, head.OccurredAt, head.Facts = e.Sequence, now, e.Data
		versions[n] = head
		if !touched[n] {
			touched[n] = true
			batch.Heads = append(batch.Heads, head)
		}
	}
	return batch
}
