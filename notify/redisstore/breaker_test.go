package redisstore

import (
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	b := &breaker{}
	allowed := func(step string, want bool) {
		t.Helper()
		if got := b.allow(now); got != want {
			t.Fatalf("%s: allow is %v", step, got)
		}
	}
	allowed("healthy", true)
	allowed("healthy, a second caller", true)
	b.failed(now)
	allowed("just failed", false)
	b.failed(now) // the second caller, which was under way
	now = now.Add(firstPause - 1)
	allowed("before the pause ends", false)
	now = now.Add(1)
	allowed("the first after the pause", true)
	allowed("a second one meanwhile", false)
	b.failed(now)
	allowed("the probe failed", false)
	now = now.Add(firstPause)
	allowed("a probe's pause is longer", false)
	now = now.Add(firstPause)
	allowed("the next probe", true)
	b.unknown()
	allowed("after a probe that proved nothing", true)
	b.answered()
	allowed("healthy again", true)
	allowed("healthy again, a second caller", true)
	b.failed(now)
	now = now.Add(firstPause)
	allowed("the first pause after an answer is short again", true)
}

// TestSilent: the pauses grow to a length that stays, and only then Redis counts as silent.
func TestSilent(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	b := &breaker{}
	var pauses []time.Duration
	for range 7 {
		if b.silent() != (len(pauses) > 0 && pauses[len(pauses)-1] == longestPause) {
			t.Errorf("after pauses of %v: silent is %v", pauses, b.silent())
		}
		b.failed(now)
		pauses = append(pauses, b.until.Sub(now))
		now = b.until
	}
	if last := pauses[len(pauses)-1]; last != longestPause || pauses[0] != firstPause {
		t.Errorf("the pauses are %v", pauses)
	}
	b.answered()
	if b.silent() {
		t.Error("silent after an answer")
	}
}
