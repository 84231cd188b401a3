package notify_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onmyway/notify"
)

var (
	tookIt  = notify.Answer{Verdict: notify.Took}
	refused = notify.Answer{Verdict: notify.Permanent, Reason: notify.BadAddress}
	isDown  = notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable}
)

// ask sends n messages one after the other and returns how many passed.
func ask(b *notify.Breaker, n int, a notify.Answer, now time.Time) (passed int) {
	for range n {
		if p, ok := b.Ask(now); ok {
			b.Answered(p, a, now)
			passed++
		}
	}
	return passed
}

// opened is a breaker that opened at noon.
func opened(a notify.Answer) *notify.Breaker {
	b := notify.NewBreaker(0.5)
	ask(b, 20, a, noon)
	return b
}

func TestBreakerOpens(t *testing.T) {
	type step struct {
		n      int
		answer notify.Answer
		at     time.Duration
	}
	tests := []struct {
		name  string
		share float64
		steps []step
		open  bool
	}{
		{"twenty failures", 0.5, []step{{20, isDown, 0}}, true},
		{"nineteen failures are too few", 0.5, []step{{19, isDown, 0}}, false},
		{"half of them", 0.5, []step{{10, tookIt, 0}, {10, isDown, time.Second}}, true},
		{"less than half", 0.5, []step{{11, tookIt, 0}, {10, isDown, time.Second}}, false},
		{"failures of half a minute ago are forgotten", 0.5, []step{{19, isDown, 0}, {19, isDown, 31 * time.Second}}, false},
		{"failures over half a minute add up", 0.5, []step{{10, isDown, 0}, {10, isDown, 25 * time.Second}}, true},
		{"bad numbers are answers", 0.5, []step{{100, refused, 0}}, false},
		{"browsers that are gone are answers", 0.5, []step{{100, notify.Answer{Verdict: notify.Gone}, 0}}, false},
		{"unclear ends are failures", 0.5, []step{{20, notify.Answer{Verdict: notify.Unclear}, 0}}, true},
		{"wrong credentials are failures", 0.5, []step{{20, notify.Answer{Verdict: notify.NotTaken, Reason: notify.Misconfigured}, 0}}, true},
		{"another share", 0.9, []step{{5, tookIt, 0}, {40, isDown, 0}}, false},
		{"off", 0, []step{{1000, isDown, 0}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := notify.NewBreaker(tt.share)
			for _, s := range tt.steps {
				ask(b, s.n, s.answer, noon.Add(s.at))
			}
			if open := !b.Until().IsZero(); open != tt.open {
				t.Errorf("open is %v, want %v", open, tt.open)
			}
		})
	}
}

func TestBreakerPauses(t *testing.T) {
	slow := notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: 20 * time.Second}
	endless := notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: time.Hour}
	for _, tt := range []struct {
		name   string
		answer notify.Answer
		pauses []time.Duration
	}{
		{"double up to a minute", isDown, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}},
		{"are as long as the provider asks for", slow, []time.Duration{20 * time.Second, 20 * time.Second, 20 * time.Second, 40 * time.Second}},
		{"but not for an hour", endless, []time.Duration{5 * time.Minute, 5 * time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, now := opened(tt.answer), noon
			for i, want := range tt.pauses {
				if got := b.Until().Sub(now); got != want {
					t.Fatalf("pause %d is %s, want %s", i+1, got, want)
				}
				if n := ask(b, 5, tt.answer, b.Until().Add(-time.Millisecond)); n != 0 {
					t.Fatalf("%d passed during pause %d", n, i+1)
				}
				now = b.Until()
				if n := ask(b, 5, tt.answer, now); n != 1 {
					t.Fatalf("%d passed after pause %d, want the probe alone", n, i+1)
				}
			}
			now = b.Until()
			ask(b, 1, refused, now)
			if n := ask(b, 50, tookIt, now); n != 50 || !b.Until().IsZero() {
				t.Errorf("%d of 50 passed after a probe that was answered, closed at %s", n, b.Until())
			}
			ask(b, 50, isDown, now)
			if got := b.Until().Sub(now); got != 5*time.Second {
				t.Errorf("the first pause after it was closed is %s, want 5s", got)
			}
		})
	}
}

func TestBreakerForgetsWhatBeganBefore(t *testing.T) {
	b := notify.NewBreaker(0.5)
	early, _ := b.Ask(noon)
	ask(b, 20, isDown, noon)
	b.Answered(early, tookIt, noon.Add(time.Second))
	if b.Until().IsZero() {
		t.Error("an attempt that began before the breaker opened closes it")
	}
	probe, ok := b.Ask(noon.Add(5 * time.Second))
	if !ok {
		t.Fatal("no probe after the pause")
	}
	b.Answered(early, isDown, noon.Add(6*time.Second))
	if _, ok := b.Ask(noon.Add(6 * time.Second)); ok || !b.Probing() {
		t.Error("a second probe passes")
	}
	b.Unasked(probe)
	if _, ok := b.Ask(noon.Add(6 * time.Second)); !ok {
		t.Error("nobody may try after a probe that was not made")
	}
}

// TestOneProbe: however many ask at the same moment, one passes.
func TestOneProbe(t *testing.T) {
	for range 200 {
		b := opened(isDown)
		var passed atomic.Int32
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if _, ok := b.Ask(noon.Add(5 * time.Second)); ok {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if n := passed.Load(); n != 1 {
			t.Fatalf("%d probes, want 1", n)
		}
	}
}

// TestBreakerKeepsItsWord holds a breaker to what it promises under any order of questions and answers.
func TestBreakerKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := notify.NewBreaker(rapid.Float64Range(0.1, 1).Draw(t, "share"))
		now := noon
		var out []notify.Pass
		var probe *notify.Pass // awaited
		answers := rapid.SampledFrom([]notify.Answer{tookIt, refused, isDown, {Verdict: notify.Unclear}})
		take := func() notify.Pass {
			i := rapid.IntRange(0, len(out)-1).Draw(t, "which")
			p := out[i]
			out = append(out[:i], out[i+1:]...)
			if probe != nil && p == *probe {
				probe = nil
			}
			return p
		}
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			},
			"ask": func(t *rapid.T) {
				until := b.Until()
				p, ok := b.Ask(now)
				switch {
				case until.IsZero() && !ok:
					t.Fatal("closed, and nothing passes")
				case !until.IsZero() && ok && now.Before(until):
					t.Fatal("something passes during a pause")
				case !until.IsZero() && ok && probe != nil:
					t.Fatal("a second probe passes")
				case !until.IsZero() && !ok && !now.Before(until) && probe == nil:
					t.Fatal("the pause is over, no probe is under way, and nothing passes")
				}
				if ok {
					out = append(out, p)
					if !until.IsZero() {
						probe = &p
					}
				}
			},
			"answer": func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip("nothing is under way")
				}
				a, was := answers.Draw(t, "answer"), b.Until()
				b.Answered(take(), a, now)
				if until := b.Until(); !until.IsZero() && until != was && until.Sub(now) < 5*time.Second {
					t.Fatalf("a pause of %s", until.Sub(now))
				}
			},
			"give back": func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip("nothing is under way")
				}
				b.Unasked(take())
			},
		})
	})
}
