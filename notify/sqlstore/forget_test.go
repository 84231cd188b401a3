package sqlstore_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// fill stores an archive and gathers statistics.
func (a *archive) fill(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	if s.Engine() == "sqlite" {
		a.fillSQLite(t, s)
	} else {
		a.fillPostgres(t, s)
	}
}

// Steps of Forget read and delete a range of a key, however many rows there are.
func TestForgetUsesKeys(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := newArchive(10_000)
		a.fill(t, s)
		for _, insert := range []string{
			`INSERT INTO dead_letters (id, topic, part, off, record_at, reason, at) SELECT id, topic, part, off, record_at, 'not_json', 1 FROM events`,
			`INSERT INTO idempotency (principal, key, body_hash, message_id, created_at) SELECT 'p', event_key, '', id, 1 FROM events`,
			`ANALYZE`,
		} {
			if _, err := s.DB().ExecContext(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
		}
		first, last := notify.FirstID(a.start), notify.FirstID(a.start.Add(12*time.Hour))
		for _, q := range s.Forgetting(first, last, []string{a.order(1), a.order(2)}) {
			plan := explain(t, s, q.SQL, q.Args...)
			text := strings.Join(plan, "\n")
			if strings.Contains(text, "Seq Scan") || slices.ContainsFunc(plan, scansTable) {
				t.Errorf("%s reads a table whole:\n%s\n%s", q.Name, q.SQL, text)
			}
			if !slices.ContainsFunc(q.Indexes, func(index string) bool { return strings.Contains(text, index) }) {
				t.Errorf("%s uses none of %v:\n%s\n%s", q.Name, q.Indexes, q.SQL, text)
			}
		}
	})
}

// scansTable tells a step of SQLite that reads all rows of a table. A list that is an argument is none.
func scansTable(step string) bool {
	return strings.HasPrefix(step, "SCAN ") && !strings.HasPrefix(step, "SCAN json_each")
}

// Two processes that forget while a third stores new events of the same orders end with a whole database: nothing is lost
// but what is old, and every order that has an event has a head.
func TestForgetBesideOthers(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		const orders, rounds = 40, 5
		s, peer := open(t, url), open(t, url)
		now := time.Now()
		old := now.Add(-48 * time.Hour)
		versions := make([]notify.Head, orders)
		random := rand.New(rand.NewPCG(3, 4))
		for i := range rounds {
			b := randomBatch(random, versions, new(int64(1000*i)), 200, false)
			for j := range b.Events {
				e := b.Events[j].Event
				e.OccurredAt = old
				e.ID = notify.NewID(old, e.Key)
			}
			b.Now = old
			addMoved(t, s, b)
		}
		var work sync.WaitGroup
		for _, node := range []*sqlstore.Store{s, peer} {
			work.Go(func() { forgetEvents(t, node, now.Add(-24*time.Hour)) })
		}
		fresh := 0
		for i := range rounds {
			b := randomBatch(random, make([]notify.Head, orders), new(int64(100_000+1000*i)), 50, false)
			addMoved(t, s, b)
			fresh += len(b.Events)
		}
		work.Wait()
		forgetEvents(t, s, now.Add(-24*time.Hour))
		count := func(q string, want int) {
			t.Helper()
			var n int
			if err := s.DB().QueryRowContext(t.Context(), q).Scan(&n); err != nil || n != want {
				t.Errorf("%s: %d (%v), want %d", q, n, err, want)
			}
		}
		count(`SELECT count(*) FROM events`, fresh)
		count(`SELECT count(*) FROM order_heads AS h WHERE NOT EXISTS (SELECT 1 FROM events AS e WHERE e.order_id = h.order_id)`, 0)
		count(`SELECT count(*) FROM (SELECT DISTINCT order_id FROM events EXCEPT SELECT order_id FROM order_heads) AS headless`, 0)
	})
}

// addMoved stores a batch as Intake does: on the heads that are stored.
func addMoved(t *testing.T, s *sqlstore.Store, b *notify.Batch) {
	t.Helper()
	for {
		for i := range b.Heads {
			h := &b.Heads[i]
			stored := make([]notify.Head, 1)
			if err := s.Lookup(t.Context(), nil, nil, []notify.OrderLine{{OrderID: h.OrderID, Line: h.Line}}, stored); err != nil {
				t.Fatal(err)
			}
			h.Version = stored[0].Version
		}
		err := s.Add(t.Context(), b)
		var moved *notify.HeadMoved
		if errors.As(err, &moved) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}

func forgetEvents(t *testing.T, s *sqlstore.Store, before time.Time) {
	for from := ""; ; {
		f, err := s.Forget(context.WithoutCancel(t.Context()), notify.KeptEvents, before, from, 20)
		if err != nil {
			t.Error(err)
			return
		}
		if from = f.Next; from == "" {
			return
		}
	}
}

// BenchmarkForget shows how long others wait beside Retention, and how fast it is: a writer stores 100 events every 10 ms
// while old rows leave, at the pace of Retention.
func BenchmarkForget(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, retention := range []bool{false, true} {
			name := engine + "/alone"
			if retention {
				name = engine + "/beside"
			}
			b.Run(name, func(b *testing.B) { benchmarkForget(b, engines[engine](b), retention) })
		}
	}
}

func benchmarkForget(b *testing.B, url string, retention bool) {
	s := open(b, url)
	a := newArchive(100_000)
	a.fill(b, s)
	quiet := slog.New(slog.DiscardHandler)
	left := 0
	end := a.start.Add((archiveDays + 5) * 24 * time.Hour) // the archive is old, what the writer stores is not
	r := &notify.Retention{
		Store: s, Log: quiet, SQL: &notify.Outage{Engine: "SQL", Log: quiet}, Now: func() time.Time { return end },
		Keep:  map[notify.Kept]time.Duration{notify.KeptMessages: time.Nanosecond, notify.KeptEvents: time.Nanosecond},
		Hooks: &notify.Hooks{Forgotten: func(_ string, rows int) { left += rows }},
	}
	ctx, cancel := context.WithCancel(b.Context())
	var work sync.WaitGroup
	if retention {
		work.Go(func() { _ = r.Round(ctx) })
	}
	took := stalls(b, s)
	cancel()
	work.Wait()
	slices.Sort(took)
	ms := func(i int) float64 { return float64(took[i].Microseconds()) / 1000 }
	b.ReportMetric(ms(len(took)/2), "p50-ms")
	b.ReportMetric(ms(len(took)*99/100), "p99-ms")
	b.ReportMetric(ms(len(took)-1), "longest-ms")
	b.ReportMetric(float64(left)/b.Elapsed().Seconds(), "rows-left/s")
}

// stalls is how long each Add of a steady writer took.
func stalls(b *testing.B, s *sqlstore.Store) (took []time.Duration) {
	random, versions := rand.New(rand.NewPCG(1, 2)), make([]notify.Head, 20_000)
	sequence := int64(1 << 40)
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for b.Loop() {
		batch := randomBatch(random, versions, &sequence, 100, false)
		<-pace.C
		began := time.Now()
		if err := s.Add(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
		for _, h := range batch.Heads {
			h.Version++
			versions[orderNumber(h.OrderID)] = h
		}
	}
	return took
}
