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
	now = now.Add(pause - 1)
	allowed("before the pause ends", false)
	now = now.Add(1)
	allowed("the first after the pause", true)
	allowed("a second one meanwhile", false)
	b.failed(now)
	allowed("the probe failed", false)
	now = now.Add(pause)
	allowed("the next probe", true)
	b.unknown()
	allowed("after a probe that proved nothing", true)
	b.answered()
	allowed("healthy again", true)
	allowed("healthy again, a second caller", true)
}
