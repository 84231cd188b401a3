package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/notifytest"
	"onmyway/notify/redisstore"
)

func TestCache(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		notifytest.TestCache(t, func(t *testing.T) notify.Cache {
			return open(t, redisstore.Config{URL: url, Timeout: patient})
		})
	})
}

// sample is one of each to mark; question asks for it.
func sample() (m notify.Look) {
	return notify.Look{
		Events:   []notify.ID{{1}},
		Profiles: []notify.Profile{notifytest.FullProfile("c-42", 3)},
		Heads:    []notify.Head{notifytest.FullHead("CH-1", notify.CarHaul, 3)},
	}
}

func question() *notify.Look {
	return &notify.Look{
		Events: []notify.ID{{1}}, Seen: make([]bool, 1),
		Customers: []string{"c-42"}, Profiles: make([]notify.Profile, 1),
		Orders: []notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}}, Heads: make([]notify.Head, 1),
	}
}

// hits counts what a question found; -1 after an error.
func hits(t *testing.T, s *redisstore.Store) int {
	t.Helper()
	l := question()
	if err := s.Look(t.Context(), l); err != nil {
		return -1
	}
	n := 0
	for _, hit := range []bool{l.Seen[0], l.Profiles[0].Version > 0, l.Heads[0].Version > 0} {
		if hit {
			n++
		}
	}
	return n
}

func markSample(t *testing.T, s *redisstore.Store) {
	t.Helper()
	m := sample()
	if err := s.Mark(t.Context(), &m); err != nil {
		t.Fatalf("mark: %v", err)
	}
	if n := hits(t, s); n != 3 {
		t.Fatalf("found %d of 3 after marking", n)
	}
}

func TestFlushed(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, redisstore.Config{URL: url, Timeout: patient})
		markSample(t, s)
		admin := raw(t, url)
		if err := errors.Join(admin.FlushDB(t.Context()).Err(), admin.ScriptFlush(t.Context()).Err()); err != nil {
			t.Fatal(err)
		}
		if n := hits(t, s); n != 0 {
			t.Errorf("found %d of 0 after the flush", n)
		}
		markSample(t, s) // the script is gone too
	})
}

func TestEpochsAreApart(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		markSample(t, openEpoch(t, redisstore.Config{URL: url, Timeout: patient}, "before the restore"))
		after := openEpoch(t, redisstore.Config{URL: url, Timeout: patient}, "after the restore")
		if n := hits(t, after); n != 0 {
			t.Errorf("%d keys of another epoch were found", n)
		}
		again := openEpoch(t, redisstore.Config{URL: url, Timeout: patient}, "before the restore")
		if n := hits(t, again); n != 3 {
			t.Errorf("found %d of 3 keys of the own epoch", n)
		}
	})
}

func TestForgets(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	markSample(t, s)
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{59 * time.Second, 3}, {2 * time.Second, 2}, {24 * time.Hour, 1}, {24 * time.Hour, 0}} {
		m.FastForward(step.pass)
		if n := hits(t, s); n != step.want {
			t.Errorf("%v later: found %d, want %d", step.pass, n, step.want)
		}
	}
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("%d keys stay for ever", len(keys))
	}
}

func TestUnreadableIsMissed(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	markSample(t, s)
	version := strings.Repeat("0", 18) + "3"
	for _, value := range []string{"", "x", version, version + "\x01", version + "\x02", version + "\x01\xff\xff\xff\xff\xff", strings.Repeat("9", 400)} {
		for _, key := range m.Keys() {
			m.Set(key, value)
		}
		if n := hits(t, s); n != 1 { // an event needs no value
			t.Errorf("value of %d bytes: found %d, want the event alone", len(value), n)
		}
	}
	// Somebody else's profile under our key.
	for _, key := range m.Keys() {
		m.Del(key)
	}
	if err := s.PutProfile(t.Context(), notifytest.FullProfile("c-43", 3)); err != nil {
		t.Fatal(err)
	}
	value, _ := m.Get(m.Keys()[0])
	m.Set(strings.Replace(m.Keys()[0], "c-43", "c-42", 1), value)
	if n := hits(t, s); n != 0 {
		t.Errorf("found %d, want none", n)
	}
}

func TestPutProfile(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, redisstore.Config{URL: url, Timeout: patient})
		markSample(t, s)
		p := notifytest.FullProfile("c-42", 4)
		p.Preferences.Quiet = nil
		if err := s.PutProfile(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		m := sample()
		if err := s.Mark(t.Context(), &m); err != nil { // Intake was slower and still has version 3
			t.Fatal(err)
		}
		l := question()
		if err := s.Look(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, l.Profiles[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStoppedAndStartedAgain(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	markSample(t, s)
	m.Close()
	l := question()
	if err := s.Look(t.Context(), l); err == nil || errors.Is(err, redisstore.ErrDown) {
		t.Fatalf("the first question to a stopped server: %v", err)
	}
	start := time.Now()
	for range 1000 {
		l.Seen[0] = true
		if err := s.Look(t.Context(), l); !errors.Is(err, redisstore.ErrDown) || l.Seen[0] {
			t.Fatalf("got %v, seen %v; want ErrDown and a miss", err, l.Seen[0])
		}
		if err := s.Mark(t.Context(), l); !errors.Is(err, redisstore.ErrDown) {
			t.Fatalf("mark: got %v", err)
		}
	}
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("2000 calls to a stopped server took %v", took)
	}
	if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing listens there") {
		t.Errorf("ping: %v", err)
	}
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an answer of the restarted server", func() bool { return hits(t, s) >= 0 })
	markSample(t, s)
}

func TestSlow(t *testing.T) {
	m := miniredis.RunT(t)
	g := newGate(t, m.Addr())
	s := open(t, redisstore.Config{URL: "redis://" + g.addr, Timeout: 50 * time.Millisecond})
	sampled := sample()
	eventually(t, "marks", func() bool { return s.Mark(t.Context(), &sampled) == nil })
	eventually(t, "hits", func() bool { return hits(t, s) == 3 })

	g.mu.Lock()
	start := time.Now()
	err := s.Look(t.Context(), question())
	took := time.Since(start)
	if err == nil || errors.Is(err, redisstore.ErrDown) {
		t.Errorf("got %v, want a timeout", err)
	}
	if took < 40*time.Millisecond || took > time.Second {
		t.Errorf("a blocked server cost %v, want 50 ms", took)
	}
	g.mu.Unlock() // now the late answer comes

	other := &notify.Look{Events: []notify.ID{{2}}, Seen: make([]bool, 1)}
	eventually(t, "an answer", func() bool { return s.Look(t.Context(), other) == nil })
	if other.Seen[0] {
		t.Error("the late answer to the first question was taken for that to the second")
	}
	eventually(t, "hits", func() bool { return hits(t, s) == 3 })
}

// A caller that gives up says nothing about Redis.
func TestCallerGivesUp(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	markSample(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Look(ctx, question()); err == nil {
		t.Fatal("no error after the caller gave up")
	}
	if n := hits(t, s); n != 3 {
		t.Errorf("found %d of 3 after another caller gave up", n)
	}
}

// An answer that is an error, such as READONLY after a failover, costs a round trip and is no reason to stay away.
func TestErrorAnswers(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	markSample(t, s)
	m.SetError("READONLY You can't write against a read only replica.")
	sampled := sample()
	for range 2 {
		if err := s.Mark(t.Context(), &sampled); err == nil || !strings.Contains(err.Error(), "READONLY") {
			t.Errorf("got %v", err)
		}
	}
	m.SetError("")
	if n := hits(t, s); n != 3 {
		t.Errorf("found %d of 3", n)
	}
}

func BenchmarkLookAndMark(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, redisstore.Config{URL: benchmarkURL(b), Timeout: patient})
			l := &notify.Look{Seen: make([]bool, n), Profiles: make([]notify.Profile, n), Heads: make([]notify.Head, n)}
			m := &notify.Look{}
			for i := range n {
				id, order := fmt.Sprint("c-", i), fmt.Sprint("CH-", i)
				l.Events = append(l.Events, notify.NewID(time.Unix(0, 0), order))
				l.Customers = append(l.Customers, id)
				l.Orders = append(l.Orders, notify.OrderLine{OrderID: order, Line: notify.CarHaul})
				m.Profiles = append(m.Profiles, notifytest.FullProfile(id, 1))
				m.Heads = append(m.Heads, notifytest.FullHead(order, notify.CarHaul, 1))
			}
			m.Events = l.Events
			b.ReportAllocs()
			for b.Loop() {
				if err := errors.Join(s.Look(b.Context(), l), s.Mark(b.Context(), m)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}
