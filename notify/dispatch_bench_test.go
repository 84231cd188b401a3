package notify_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"onmyway/notify"
)

// BenchmarkDispatch is what a text costs between Put and its outcome, with a provider and a database that cost nothing.
func BenchmarkDispatch(b *testing.B) {
	for _, lanes := range []int{8, 128} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) { benchmarkDispatch(b, lanes) })
	}
}

func benchmarkDispatch(b *testing.B, lanes int) {
	const batch = 500
	ledger := &instantLedger{done: make(chan int, 1)}
	o := &notify.Outage{Engine: "x", Log: slog.New(slog.DiscardHandler)}
	fin := &notify.Finisher{Ledger: ledger, SQL: o, Now: time.Now}
	fin.Prepare()
	d := &notify.Dispatcher{Channel: notify.SMS, Sender: &instantProvider{}, Ledger: ledger, Finish: fin, Lanes: lanes, Queue: 2 * batch,
		Timeout: time.Second, Outage: o, Durable: true, SQL: o, Now: time.Now, Room: func() {}}
	d.Prepare()
	ctx, cancel := context.WithCancel(b.Context())
	var running, finishing sync.WaitGroup
	running.Go(func() { _ = d.Run(ctx) })
	finishing.Go(func() { _ = fin.Run(context.Background()) })
	now := time.Now()
	ms := make([]*notify.Message, batch)
	b.ReportAllocs()
	for b.Loop() {
		for i := range ms {
			ms[i] = &notify.Message{ID: notify.NewID(now, fmt.Sprint(i)), CustomerID: fmt.Sprint("c-", i%200), Channel: notify.SMS, ExpiresAt: now.Add(time.Hour)}
		}
		d.Put(ms)
		for left := batch; left > 0; {
			left -= <-ledger.done
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "texts/s")
	cancel()
	running.Wait()
	fin.Close()
	finishing.Wait()
}

type instantProvider struct{}

func (*instantProvider) Send(context.Context, *notify.Message) notify.Answer {
	return notify.Answer{Verdict: notify.Took}
}

// instantLedger lets everything begin and counts what ends.
type instantLedger struct {
	notify.Ledger
	done chan int
}

func (l *instantLedger) Begin(_ context.Context, _ time.Time, ms []*notify.Message, ok []bool) error {
	for i := range ok {
		ok[i] = true
	}
	return nil
}

func (l *instantLedger) Finish(_ context.Context, _ time.Time, done []notify.Outcome) error {
	l.done <- len(done)
	return nil
}
