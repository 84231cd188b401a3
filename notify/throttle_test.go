package notify_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"onmyway/notify"
)

// leave lets messages go until a time has passed and returns when each of them left, from the beginning.
func leave(t *testing.T, throttle *notify.Throttle, d time.Duration) (at []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for began := time.Now(); ; {
		if _, err := throttle.Wait(ctx); err != nil {
			return at
		}
		at = append(at, time.Since(began))
	}
}

func TestThrottleKeepsTheRate(t *testing.T) {
	for _, tt := range []struct {
		name string
		rate notify.Rate
		want int // in ten seconds
	}{
		{"five a second", notify.Rate{PerSecond: 5, Burst: 5}, 54},
		{"one by one", notify.Rate{PerSecond: 2, Burst: 1}, 20},
		{"one in four seconds", notify.Rate{PerSecond: 0.25, Burst: 1}, 3},
		{"a large burst", notify.Rate{PerSecond: 10, Burst: 200}, 299},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				throttle := &notify.Throttle{Rate: tt.rate, Now: time.Now}
				at := leave(t, throttle, 10*time.Second)
				if n := len(at); n < tt.want-1 || n > tt.want+1 {
					t.Errorf("%d left in ten seconds, want %d", n, tt.want)
				}
				withinRate(t, at, tt.rate)
			})
		})
	}
}

// fataler is a test or a rapid one.
type fataler interface{ Fatalf(string, ...any) }

// withinRate checks every span of time: never more than the rate and the burst allow.
func withinRate(t fataler, at []time.Duration, r notify.Rate) {
	for i := range at {
		for j := i; j < len(at); j++ {
			if most := float64(r.Burst) + (at[j]-at[i]).Seconds()*r.PerSecond; float64(j-i+1) > most+1e-6 {
				t.Fatalf("%d left in the %s from %s on, want %.1f at most", j-i+1, at[j]-at[i], at[i], most)
			}
		}
	}
}

// TestThrottleProperty: whoever asks whenever, no span of time has more than the rate and the burst allow.
func TestThrottleProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := notify.Rate{PerSecond: rapid.Float64Range(0.5, 50).Draw(t, "rate"), Burst: rapid.IntRange(1, 20).Draw(t, "burst")}
		now := noon
		throttle := &notify.Throttle{Rate: rate, Now: func() time.Time { return now }}
		over, cancel := context.WithCancel(context.Background())
		cancel()
		var at []time.Duration
		for range rapid.IntRange(1, 120).Draw(t, "questions") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond)
			before := throttle.Left()
			_, _ = throttle.Wait(over) // takes what there is and waits for nothing
			if throttle.Left() < before {
				at = append(at, now.Sub(noon))
			}
		}
		withinRate(t, at, rate)
	})
}

func TestThrottleEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := &notify.Throttle{Rate: notify.Rate{PerSecond: 0.001, Burst: 1}, Now: time.Now}
		if at := leave(t, throttle, 3*time.Second); len(at) != 1 {
			t.Errorf("%d left, want the burst of one", len(at))
		}
		throttle.Back()
		if at := leave(t, throttle, time.Second); len(at) != 1 {
			t.Errorf("%d left after one was given back, want that one", len(at))
		}
	})
}

// shared is an allowance that counts questions and can fail.
type shared struct {
	bucket notify.Throttle
	asked  int
	fail   error
}

func (s *shared) Reserve(ctx context.Context, _ string, r notify.Rate, n int) (got int, wait time.Duration, err error) {
	s.asked++
	if s.fail != nil {
		return 0, 0, s.fail
	}
	now, cancel := context.WithCancel(ctx)
	cancel()
	for ; got < n; got++ {
		before := s.bucket.Left()
		if _, _ = s.bucket.Wait(now); s.bucket.Left() >= before {
			break
		}
	}
	return got, r.Gap() / 4, nil
}

func TestThrottleReservesAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate := notify.Rate{PerSecond: 200, Burst: 20}
		all := &shared{bucket: notify.Throttle{Rate: rate, Now: time.Now}}
		o := &notify.Outage{Engine: "Redis", Log: slog.New(slog.DiscardHandler)}
		throttle := &notify.Throttle{Rate: rate, Shared: all, Outage: o, Now: time.Now}
		at := leave(t, throttle, 5*time.Second)
		if len(at) < 1000 {
			t.Errorf("%d left in five seconds, want a thousand and the burst", len(at))
		}
		all.fail = errors.New("gone")
		later := leave(t, throttle, 5*time.Second)
		if n := len(later); n < 990 || n > 1010 {
			t.Errorf("%d left in five seconds without the shared bucket, want the full rate and no burst", n)
		}
		if withoutPause := len(at) + len(later); withoutPause < 1900 {
			t.Errorf("%d left in all", withoutPause)
		}
	})
}
