package bench

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// farAway measures texts to a provider that takes as long as real ones do. What limits then is how many are under way at
// once, and what that many cost.
type farAway struct{ lab *lab }

// farLanes is how many texts are under way: 1,000 a second at 150 ms need 150, and some slack.
const (
	farDelay = 150 * time.Millisecond
	farLanes = 256
)

func (f *farAway) close() error { return nil }

func (f *farAway) round(ctx context.Context, n int) (got readings, err error) {
	home, err := f.lab.textingSite(ctx, farDelay, map[string]string{"sms.lanes": strconv.Itoa(farLanes)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	sent, err := home.text(ctx, f.lab, f.lab.size(10_000, 2_000), n)
	if err != nil {
		return nil, err
	}
	return readings{"sms-far": {value: sent.rate}, "sms-far-memory": {value: growth(sent.memory)}}, nil
}

// growth is the most memory of the second half against the most of the first one. The first quarter does not count: caches
// fill up.
func growth(list []int64) float64 {
	list = list[len(list)/4:]
	var first, second int64
	for i, n := range list {
		if i < len(list)/2 {
			first = max(first, n)
		} else {
			second = max(second, n)
		}
	}
	if first == 0 {
		return 1
	}
	return float64(second) / float64(first)
}
