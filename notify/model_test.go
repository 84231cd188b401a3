package notify_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"onmyway/notify"
)

// model is the path from events to providers as a state machine: whatever order things happen in, the invariants hold after each
// of them, and in the end nothing waits. What is known beside the world is what was produced.
type model struct {
	*world
	untold [3][]int // steps of each order that were not produced yet
	told   []notify.Event
	began  time.Time
}

// TestDispatcherModel does anything in any order to two processes.
func TestDispatcherModel(t *testing.T) {
	r := simRules(t)
	rapid.Check(t, func(rt *rapid.T) {
		inBubble(t, func() {
			f := faults{cacheLies: 0.2, callbackLost: 0.3, callbackTwice: 0.3, findFails: 0.2}
			m := &model{world: newWorld(r, rapid.Uint64().Draw(rt, "seed"), f), began: time.Now()}
			defer m.end()
			for i := range m.untold {
				for step := range steps {
					m.untold[i] = append(m.untold[i], step)
				}
			}
			m.start("first")
			m.start("second")
			rt.Repeat(m.actions())
			m.heal()
			m.judge()
			m.demand(rt)
		})
	})
}

// inBubble runs f in a bubble of fake time. What f panics with comes out of the bubble, so that rapid sees it.
func inBubble(t *testing.T, f func()) {
	var thrown any
	synctest.Test(t, func(*testing.T) {
		defer func() { thrown = recover() }()
		f()
	})
	if thrown != nil {
		panic(thrown)
	}
}

func (m *model) demand(rt *rapid.T) {
	if wrong := m.wrong(); wrong != "" {
		rt.Fatal(wrong)
	}
}

// actions are what can happen, under names that a failure shows.
func (m *model) actions() map[string]func(*rapid.T) {
	soon := func(rt *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second
	}
	// The range is fixed: how many processes there are may differ by one when a failure is played again, and then other bits
	// would be drawn.
	someone := func(rt *rapid.T) *node { return m.nodes[rapid.IntRange(0, 15).Draw(rt, "process")%len(m.nodes)] }
	whose := func(rt *rapid.T) string { return number(rapid.IntRange(0, len(m.untold)-1).Draw(rt, "number")) }
	return map[string]func(*rapid.T){
		"": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.IntRange(0, 300).Draw(rt, "milliseconds")) * time.Millisecond)
			m.watch()
			m.demand(rt)
		},
		"event": m.event,
		"the same event again": func(rt *rapid.T) {
			if len(m.told) == 0 {
				rt.Skip("there is none")
			}
			m.log.produce(rapid.SampledFrom(m.told).Draw(rt, "event"))
		},
		"the provider will": func(rt *rapid.T) {
			fate := rapid.SampledFrom([]string{"ok", "refused", "unreachable", "lost before", "lost after", "slow", "bad number"}).Draw(rt, "fate")
			for _, c := range []*carrier{m.sms, m.push} {
				c.mu.Lock()
				c.script = append(c.script, fate)
				c.mu.Unlock()
			}
		},
		"crash":           func(rt *rapid.T) { someone(rt).crash() },
		"stop":            func(rt *rapid.T) { n := someone(rt); m.flying.Go(func() { m.inTime(n) }) },
		"restart":         func(*rapid.T) { m.replace(2) },
		"sleep":           func(rt *rapid.T) { someone(rt).sleep(soon(rt)) },
		"wake up":         func(rt *rapid.T) { someone(rt).resume() },
		"lose the lock":   func(rt *rapid.T) { someone(rt).loseLock(soon(rt)) },
		"empty the cache": func(*rapid.T) { m.cache.Forget() },
		"SQL goes away":   func(rt *rapid.T) { m.sqlAway(soon(rt) / 4) },
		"STOP":            func(rt *rapid.T) { m.stopNumber(whose(rt)) },
		"START":           func(rt *rapid.T) { m.startNumber(whose(rt)) },
		"time passes":     func(rt *rapid.T) { time.Sleep(soon(rt)) },
	}
}

// event produces a step of an order that was not produced yet, in whatever order.
func (m *model) event(rt *rapid.T) {
	o := rapid.IntRange(0, len(m.untold)-1).Draw(rt, "order")
	if len(m.untold[o]) == 0 {
		rt.Skip("the order has come to its end")
	}
	i := min(rapid.IntRange(0, 2).Draw(rt, "skip"), len(m.untold[o])-1)
	step := m.untold[o][i]
	m.untold[o] = slices.Delete(m.untold[o], i, i+1)
	e := stepOf(o, step, steps[step], m.began.Add(time.Duration(step)*time.Millisecond), o)
	e.OccurredAt = time.Now().Add(time.Duration(step-i) * time.Microsecond)
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	e.Origin.Time = time.Now()
	m.told = append(m.told, e)
	m.log.produce(e)
}

// TestRetryEnvelope: the delay before a retry is bounded, its envelope only grows, and it never undercuts what the provider asked
// for, up to an hour. What would come too late is not sent.
func TestRetryEnvelope(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		no := rapid.IntRange(1, 1000).Draw(rt, "attempt")
		asked := time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(rt, "Retry-After"))
		jitter := rapid.Float64Range(0, 0.999999).Draw(rt, "jitter")
		valid := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(rt, "validity"))
		m := &notify.Message{ExpiresAt: noon.Add(valid)}
		a := notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: asked}
		delay := func(no int, jitter float64) time.Duration {
			far := &notify.Message{ExpiresAt: noon.Add(10000 * time.Hour)}
			return notify.After(far, notify.Answer{Verdict: notify.NotTaken}, notify.Attempt{No: no}, false, noon, jitter).DueAt.Sub(noon)
		}
		got := notify.After(m, a, notify.Attempt{No: no}, false, noon, jitter)
		envelope, least := delay(no, 0.999999), min(asked, time.Hour)
		want := max(least, delay(no, jitter))
		switch {
		case want >= valid && (got.State != notify.Suppressed || got.Reason != notify.Expired):
			rt.Fatalf("%s (%s) although %s from now is too late", got.State, got.Reason, want)
		case want < valid && (got.State != notify.Pending || got.DueAt.Sub(noon) != want):
			rt.Fatalf("%s at %s, want pending at %s", got.State, got.DueAt.Sub(noon), want)
		case envelope > 5*time.Minute || delay(no, jitter) > envelope:
			rt.Fatalf("attempt %d waits for %s of at most %s", no, delay(no, jitter), envelope)
		case delay(no+1, 0.999999) < envelope:
			rt.Fatalf("the envelope shrinks after attempt %d", no)
		}
	})
}

// TestJitterIsSpread: messages that failed together do not return together.
func TestJitterIsSpread(t *testing.T) {
	m := &notify.Message{ExpiresAt: noon.Add(time.Hour)}
	seen := map[string]bool{}
	for i := range 100 {
		o := notify.After(m, notify.Answer{Verdict: notify.NotTaken}, notify.Attempt{No: 4}, false, noon, float64(i)/100)
		seen[fmt.Sprint(o.DueAt.Sub(noon).Truncate(100*time.Millisecond))] = true
	}
	if len(seen) < 90 { // 16 s in 100 parts
		t.Errorf("a hundred retries return at %d moments", len(seen))
	}
}
