package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"onmyway/notify"
)

// BenchmarkSend is what SQL does for every text that is sent: Begin and Finish, each for as many as lanes send at once.
func BenchmarkSend(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, lanes := range []int{8, 32} {
			for _, perHour := range []int{0, 1000} { // no limit, and one that is counted and never met
				b.Run(fmt.Sprintf("%s/lanes=%d/per_hour=%d", engine, lanes, perHour), func(b *testing.B) {
					benchmarkSend(b, engines[engine](b), lanes, perHour)
				})
			}
		}
	}
}

func benchmarkSend(b *testing.B, url string, lanes, perHour int) {
	s := open(b, url)
	now := time.Now().Truncate(time.Millisecond)
	n := 0
	var waiting []notify.Message
	var spent time.Duration // of this process; PostgreSQL's own is not in it
	ok, ms, done := make([]bool, lanes), make([]*notify.Message, lanes), make([]notify.Outcome, lanes)
	for b.Loop() {
		if len(waiting) < lanes {
			b.StopTimer()
			waiting = texts(b, s, now, &n)
			b.StartTimer()
		}
		for i := range ms {
			ms[i] = &waiting[i]
			ms[i].PerHour = perHour
			done[i] = notify.Outcome{Message: ms[i].ID, Channel: notify.SMS, State: notify.Accepted, Attempt: notify.Attempt{
				No: 1, StartedAt: now, FinishedAt: now, Verdict: notify.Took, Status: 201, ProviderID: fmt.Sprintf("SM%032x", ms[i].ID[:])}}
		}
		waiting = waiting[lanes:]
		before := cpu(b)
		if err := s.Begin(b.Context(), now, ms, ok); err != nil || !ok[0] || !ok[lanes-1] {
			b.Fatal(ok, err)
		}
		if err := s.Finish(b.Context(), now, done); err != nil {
			b.Fatal(err)
		}
		spent += cpu(b) - before
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N*lanes), "cpu-us/text")
	b.ReportMetric(float64(b.N*lanes)/b.Elapsed().Seconds(), "texts/s")
}

// texts stores a thousand texts that are due.
func texts(b *testing.B, s notify.Store, now time.Time, n *int) []notify.Message {
	b.Helper()
	batch := &notify.Batch{Now: now}
	for range 1024 {
		*n++
		e := &notify.Event{Key: fmt.Sprintf("evt-%012d", *n), OrderID: fmt.Sprintf("CH-%06d", *n%20_000), CustomerID: fmt.Sprintf("c-%06d", *n%10_000),
			Line: notify.CarHaul, Milestone: notify.MilestoneOf(notify.CarHaul, "picked_up"), Sequence: int64(*n), OccurredAt: now}
		e.ID = notify.NewID(now, e.Key)
		batch.Events = append(batch.Events, notify.Stored{Event: e, State: notify.Sent})
		batch.Messages = append(batch.Messages, notify.Message{
			ID: notify.MessageID(e, notify.SMS, "", 0), EventID: e.ID, OrderID: e.OrderID, CustomerID: e.CustomerID, Line: e.Line,
			Milestone: e.Milestone.Name, Channel: notify.SMS, Address: fmt.Sprintf("+1415%07d", *n%10_000), State: notify.Pending,
			Body: "Sam has picked up your 2021 Honda Civic.", OccurredAt: now, CreatedAt: now, DueAt: now, ExpiresAt: now.Add(time.Hour), UpdatedAt: now,
		})
	}
	if err := s.Add(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	return batch.Messages
}
