package redisstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/redisstore"
)

// ear is a node that listens and writes down what it hears: "gap" or the publications.
type ear struct {
	bus *redisstore.Bus

	mu    sync.Mutex
	heard []string
}

// listen starts an ear, waits for the gap that its first subscription is, and forgets it.
func listen(t *testing.T, s *redisstore.Store) *ear {
	t.Helper()
	e := start(t, s)
	e.wants(t, "gap")
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = nil
	return e
}

// start starts an ear and stops it with the test.
func start(t *testing.T, s *redisstore.Store) *ear {
	e := &ear{bus: s.Bus()}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- e.bus.Listen(ctx, func(ps []notify.Publication) {
			for _, p := range ps {
				e.hear(show(p))
			}
		}, func() { e.hear("gap") })
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("listen: %v", err)
			}
		case <-time.After(patient):
			t.Error("Listen does not end with its context")
		}
	})
	return e
}

func show(p notify.Publication) string { return p.Customer + "/" + p.OrderID + "/" + string(p.Data) }

func (e *ear) hear(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
}

func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.heard...)
}

func (e *ear) wants(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d things heard", len(want)), func() bool { return len(e.all()) >= len(want) })
	if diff := cmp.Diff(want, e.all()); diff != "" {
		t.Error(diff)
	}
}

// meeting is several ears on one bus, all subscribed.
func meeting(t *testing.T, url string, n int) []*ear {
	t.Helper()
	epoch := rand.Text()
	ears := make([]*ear, n)
	for i := range ears {
		ears[i] = listen(t, openEpoch(t, redisstore.Config{URL: url, Timeout: patient}, epoch))
	}
	admin := raw(t, url)
	eventually(t, "all are subscribed", func() bool {
		channel := liveChannel(epoch)
		subs, err := admin.PubSubNumSub(t.Context(), channel).Result()
		return err == nil && subs[channel] == int64(n)
	})
	return ears
}

func publish(t *testing.T, b *redisstore.Bus, ps ...notify.Publication) {
	t.Helper()
	if err := b.Publish(t.Context(), ps); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

func pub(customer, data string) notify.Publication {
	return notify.Publication{Customer: customer, OrderID: "CH-1", Data: []byte(data)}
}

func TestBus(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		t.Run("others hear in order, oneself not", func(t *testing.T) {
			e := meeting(t, url, 3)
			publish(t, e[0].bus, pub("a", `{"n":1}`), pub("b", `{"n":2}`))
			publish(t, e[0].bus) // nothing
			publish(t, e[0].bus, notify.Publication{Customer: "c"})
			e[1].wants(t, `a/CH-1/{"n":1}`, `b/CH-1/{"n":2}`, `c//`)
			e[2].wants(t, `a/CH-1/{"n":1}`, `b/CH-1/{"n":2}`, `c//`)
			publish(t, e[1].bus, pub("d", "x"))
			e[0].wants(t, "d/CH-1/x")
		})
		t.Run("epochs are apart", func(t *testing.T) {
			one, other := meeting(t, url, 2), meeting(t, url, 2)
			publish(t, one[0].bus, pub("a", "1"))
			publish(t, other[0].bus, pub("b", "2"))
			one[1].wants(t, "a/CH-1/1")
			other[1].wants(t, "b/CH-1/2")
		})
		t.Run("a full batch", func(t *testing.T) {
			e := meeting(t, url, 2)
			var ps []notify.Publication
			var want []string
			for i := range 2000 {
				ps = append(ps, pub(fmt.Sprint("c-", i), strings.Repeat("x", 500)))
				want = append(want, show(ps[i]))
			}
			publish(t, e[0].bus, ps...)
			e[1].wants(t, want...)
		})
		t.Run("a cut connection is a gap", func(t *testing.T) {
			e := meeting(t, url, 2)
			if err := raw(t, url).Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
				t.Skipf("this server cuts no connections: %v", err)
			}
			e[0].wants(t, "gap")
			e[1].wants(t, "gap")
			publish(t, e[0].bus, pub("a", "1"))
			e[1].wants(t, "gap", "a/CH-1/1")
		})
		t.Run("what cannot be read is a gap", func(t *testing.T) {
			epoch := rand.Text()
			e := listen(t, openEpoch(t, redisstore.Config{URL: url, Timeout: patient}, epoch))
			eventually(t, "somebody hears", func() bool {
				n, err := raw(t, url).Publish(t.Context(), liveChannel(epoch), "\x09of a later release").Result()
				return err == nil && n == 1
			})
			e.wants(t, "gap")
		})
	})
}

func TestBusOverRestart(t *testing.T) {
	m := miniredis.RunT(t)
	e := meeting(t, "redis://"+m.Addr(), 2)
	publish(t, e[0].bus, pub("a", "1"))
	e[1].wants(t, "a/CH-1/1")
	m.Close()
	if err := e[0].bus.Publish(t.Context(), []notify.Publication{pub("a", "lost")}); err == nil {
		t.Error("published to a stopped server")
	}
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	e[0].wants(t, "gap")
	e[1].wants(t, "a/CH-1/1", "gap")
	eventually(t, "publishing again", func() bool {
		return e[0].bus.Publish(t.Context(), []notify.Publication{pub("a", "2")}) == nil
	})
	// Once for its own break, once because the other says that it lost something.
	e[1].wants(t, "a/CH-1/1", "gap", "gap", "a/CH-1/2")
	publish(t, e[0].bus, pub("a", "3"))
	e[1].wants(t, "a/CH-1/1", "gap", "gap", "a/CH-1/2", "a/CH-1/3")
}

// A node whose way to Redis was blocked tells the others, whose way was open all the time.
func TestBusTellsOfItsOwnLoss(t *testing.T) {
	m := miniredis.RunT(t)
	g := newGate(t, m.Addr())
	epoch := rand.Text()
	near := listen(t, openEpoch(t, redisstore.Config{URL: "redis://" + m.Addr()}, epoch))
	far := openEpoch(t, redisstore.Config{URL: "redis://" + g.addr, Timeout: 50 * time.Millisecond}, epoch).Bus()
	eventually(t, "a first publication is heard", func() bool {
		return far.Publish(t.Context(), []notify.Publication{pub("a", "1")}) == nil && len(near.all()) > 0
	})
	before := len(near.all())
	g.mu.Lock()
	if err := far.Publish(t.Context(), []notify.Publication{pub("a", "unclear")}); err == nil {
		t.Error("published through a blocked way")
	}
	g.mu.Unlock()
	eventually(t, "publishing again", func() bool {
		return far.Publish(t.Context(), []notify.Publication{pub("a", "2")}) == nil
	})
	eventually(t, "the last one is heard", func() bool { h := near.all(); return h[len(h)-1] == "a/CH-1/2" })
	heard := near.all()[before:]
	if n := len(heard); heard[n-2] != "gap" {
		t.Errorf("heard %v, want a gap before the last", heard)
	}
}

// Listen that cannot subscribe at first calls gap once it can: sockets may be open already.
func TestBusStartsBeforeRedis(t *testing.T) {
	m := miniredis.RunT(t)
	var notes logged
	s, err := redisstore.Open(t.Context(), redisstore.Config{URL: "redis://" + m.Addr()}, "epoch", slog.New(slog.NewTextHandler(&notes, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	m.Close()
	e := start(t, s)
	eventually(t, "the first try fails", func() bool { return notes.have("lost touch") })
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	e.wants(t, "gap")
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) have(words string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), words)
}

// Nothing more may come to be published for hours: a node that listens tells of its loss by itself.
func TestBusTellsOfItsLossInSilence(t *testing.T) {
	m := miniredis.RunT(t)
	g := newGate(t, m.Addr())
	epoch := rand.Text()
	near := listen(t, openEpoch(t, redisstore.Config{URL: "redis://" + m.Addr()}, epoch))
	far := listen(t, openEpoch(t, redisstore.Config{URL: "redis://" + g.addr, Timeout: 50 * time.Millisecond}, epoch))
	before := len(near.all())
	g.mu.Lock()
	if err := far.bus.Publish(t.Context(), []notify.Publication{pub("a", "unclear")}); err == nil {
		t.Error("published through a blocked way")
	}
	g.mu.Unlock()
	eventually(t, "the others hear of the gap", func() bool { return slices.Contains(near.all()[before:], "gap") })
}
