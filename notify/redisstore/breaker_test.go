package redisstore

import (
	"context"
	"errors"
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
	b.failed(now, now)
	allowed("just failed", false)
	b.failed(now.Add(-1), now.Add(3*firstPause)) // the second caller, which was under way
	now = now.Add(firstPause - 1)
	allowed("before the pause ends", false)
	now = now.Add(1)
	allowed("the first after the pause", true)
	allowed("a second one meanwhile", false)
	b.failed(now, now)
	allowed("the probe failed", false)
	now = now.Add(firstPause)
	allowed("a probe's pause is longer", false)
	now = now.Add((longer - 1) * firstPause)
	allowed("the next probe", true)
	b.unknown()
	allowed("after a probe that proved nothing", true)
	b.answered()
	allowed("healthy again", true)
	allowed("healthy again, a second caller", true)
	b.failed(now, now)
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
		b.failed(now, now)
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

// TestInsist: what has more time is tried while others stay away, whatever comes of it says nothing to them, and only a Redis that
// is silent is left alone by all.
func TestInsist(t *testing.T) {
	s := &Store{breaker: &breaker{}, timeout: time.Second}
	ran := 0
	run := func(context.Context) error { ran++; return nil }
	s.breaker.failed(time.Now(), time.Now())
	if err := s.try(t.Context(), 1, run); !errors.Is(err, ErrDown) || ran != 0 {
		t.Errorf("a question within the pause: %v, ran %d times", err, ran)
	}
	if err := s.insist(t.Context(), time.Second, 1, run); err != nil || ran != 1 {
		t.Errorf("insisting within the pause: %v, ran %d times", err, ran)
	}
	if s.breaker.pause != firstPause {
		t.Errorf("insisting made the pause %s", s.breaker.pause)
	}
	s.breaker.pause = longestPause
	if err := s.insist(t.Context(), time.Second, 1, run); !errors.Is(err, ErrDown) || ran != 1 {
		t.Errorf("insisting while Redis is silent: %v, ran %d times", err, ran)
	}
	s.breaker.until = time.Now()
	if err := s.insist(t.Context(), time.Second, 1, run); err != nil || ran != 2 || s.breaker.pause != 0 {
		t.Errorf("insisting after the pause: %v, ran %d times, the pause is %s", err, ran, s.breaker.pause)
	}
}
