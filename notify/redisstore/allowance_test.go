package redisstore_test

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/redisstore"
)

func TestReserveTakesTheBurstAndNoMore(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, redisstore.Config{URL: url, Timeout: patient})
		rate := notify.Rate{PerSecond: 0.5, Burst: 7} // slow, so that none comes while the test runs
		for i, want := range []int{3, 3, 1, 0} {
			got, wait, err := s.Reserve(t.Context(), "sms", rate, 3)
			if err != nil || got != want {
				t.Fatalf("question %d got %d (%v), want %d", i+1, got, err, want)
			}
			if got == 0 && (wait <= 0 || wait > 2*time.Second) {
				t.Errorf("to wait %s, want up to 2s", wait)
			}
		}
		if got, _, err := s.Reserve(t.Context(), "push", rate, 3); got != 3 || err != nil {
			t.Errorf("another limit got %d (%v), want 3", got, err)
		}
		// A limit that was made smaller does not have to pay back what it gave before.
		if got, wait, err := s.Reserve(t.Context(), "sms", notify.Rate{PerSecond: 100, Burst: 1}, 1); got != 0 || err != nil || wait > 20*time.Millisecond {
			t.Errorf("at the new rate got %d, to wait %s (%v); want none and a hundredth of a second", got, wait, err)
		}
	})
}

// TestProcessesShareALimit has two processes with two senders each, that together stay within one limit.
func TestProcessesShareALimit(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		epoch := rand.Text()
		rate := notify.Rate{PerSecond: 200, Burst: 20}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var mu sync.Mutex
		var sent int
		var wg sync.WaitGroup
		began := time.Now()
		for range 2 {
			throttle := &notify.Throttle{Name: "sms", Rate: rate, Shared: openEpoch(t, redisstore.Config{URL: url, Timeout: patient}, epoch),
				Outage: &notify.Outage{Engine: "Redis", Log: discard}, Now: time.Now}
			for range 2 {
				wg.Go(func() {
					for {
						if _, err := throttle.Wait(ctx); err != nil {
							return
						}
						mu.Lock()
						sent++
						mu.Unlock()
					}
				})
			}
		}
		wg.Wait()
		took := time.Since(began).Seconds()
		// Each process may have reserved what 100 ms allow and not used it yet.
		if most := int(took*rate.PerSecond) + rate.Burst + 1; sent > most {
			t.Errorf("%d left in %.2f s, want %d at most", sent, took, most)
		}
		if least := int(rate.PerSecond) / 2; sent < least {
			t.Errorf("%d left in %.2f s, want %d at least", sent, took, least)
		}
		t.Logf("%d in %.2f s", sent, took)
	})
}

func TestReserveWithoutRedis(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, redisstore.Config{URL: url, Timeout: patient})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, _, err := s.Reserve(ctx, "sms", notify.Rate{PerSecond: 1, Burst: 1}, 1); err == nil || got != 0 {
			t.Errorf("got %d without an error", got)
		}
	})
}
