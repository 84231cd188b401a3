package notify_test

import (
	"testing"
	"time"

	"onmyway/notify"
)

func TestBudget(t *testing.T) {
	// retry makes n retries; done says that the provider answers them.
	retry := func(b *notify.Budget, n int, answered bool, now time.Time) (made int) {
		for range n {
			if b.Retry(now) {
				made++
				if answered {
					b.Back()
				}
			}
		}
		return made
	}
	for _, tt := range []struct {
		name string
		run  func(b *notify.Budget) int
		want int
	}{
		{"a minute of the floor is saved up", func(b *notify.Budget) int { return retry(b, 2000, false, noon) }, 600},
		{"retries that are answered cost nothing", func(b *notify.Budget) int { return retry(b, 2000, true, noon) }, 2000},
		{"the floor comes every second", func(b *notify.Budget) int {
			retry(b, 2000, false, noon)
			return retry(b, 2000, false, noon.Add(3*time.Second))
		}, 30},
		{"ten first attempts earn one", func(b *notify.Budget) int {
			retry(b, 2000, false, noon)
			for range 1000 {
				b.First()
			}
			return retry(b, 2000, false, noon)
		}, 100},
		{"more than that is not saved up", func(b *notify.Budget) int {
			for range 100_000 {
				b.First()
			}
			return retry(b, 2000, false, noon.Add(time.Hour))
		}, 600},
		{"a clock that goes back earns nothing", func(b *notify.Budget) int {
			retry(b, 2000, false, noon)
			return retry(b, 2000, false, noon.Add(-time.Hour))
		}, 0},
		{"none at all", func(*notify.Budget) int { return retry(nil, 2000, false, noon) }, 2000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.run(&notify.Budget{}); got < tt.want-1 || got > tt.want+1 { // sums of tenths are not exact
				t.Errorf("%d retries, want %d", got, tt.want)
			}
		})
	}
}
