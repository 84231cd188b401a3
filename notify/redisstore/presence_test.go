package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"onmyway/notify"
	"onmyway/notify/redisstore"
)

// here asks who looks at a page.
func here(t testing.TB, s *redisstore.Store, customers ...string) []bool {
	t.Helper()
	l := &notify.Look{Customers: customers, Profiles: make([]notify.Profile, len(customers)), Present: make([]bool, len(customers))}
	if err := s.Look(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return l.Present
}

// Who is not named again for 45 seconds is gone: the process that had the socket may be, too.
func TestPresenceEnds(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	name := func() {
		if err := s.Here(t.Context(), []string{"c-1"}); err != nil {
			t.Fatal(err)
		}
	}
	name()
	m.FastForward(40 * time.Second)
	if !here(t, s, "c-1")[0] {
		t.Error("gone after 40 s")
	}
	name()
	m.FastForward(40 * time.Second)
	if !here(t, s, "c-1")[0] {
		t.Error("gone 40 s after it was said again")
	}
	m.FastForward(6 * time.Second)
	if here(t, s, "c-1")[0] {
		t.Error("still here after 46 s")
	}
}

// Redis that fails knows of no page, and says so.
func TestPresenceWithoutRedis(t *testing.T) {
	m := miniredis.RunT(t)
	s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Timeout: patient})
	m.SetError("LOADING")
	if err := s.Here(t.Context(), []string{"c-1"}); err == nil {
		t.Error("no error")
	}
	l := &notify.Look{Customers: []string{"c-1"}, Profiles: make([]notify.Profile, 1), Present: []bool{true}}
	if err := s.Look(t.Context(), l); err == nil || l.Present[0] {
		t.Errorf("%v, here %v; want an error and nobody", err, l.Present[0])
	}
}

// BenchmarkLook is the question of one batch, without and with who looks at a page.
func BenchmarkLook(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		for _, asks := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/present=%v", n, asks), func(b *testing.B) {
				s := open(b, redisstore.Config{URL: benchmarkURL(b), Timeout: patient})
				l := &notify.Look{Seen: make([]bool, n), Profiles: make([]notify.Profile, n), Heads: make([]notify.Head, n)}
				for i := range n {
					l.Events = append(l.Events, notify.NewID(time.Unix(0, 0), fmt.Sprint(i)))
					l.Customers = append(l.Customers, fmt.Sprint("c-", i))
					l.Orders = append(l.Orders, notify.OrderLine{OrderID: fmt.Sprint("CH-", i), Line: notify.CarHaul})
				}
				if asks {
					l.Present = make([]bool, n)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := s.Look(b.Context(), l); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
			})
		}
	}
}
