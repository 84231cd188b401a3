package notify

import (
	"context"
	"math"
	"sync"
	"time"
)

// Rate is a limit: so many messages a second for ever, and so many at once after a rest.
type Rate struct {
	PerSecond float64 // more than 0
	Burst     int     // 1 or more
}

// Gap is the time between two messages at the full rate.
func (r Rate) Gap() time.Duration { return time.Duration(float64(time.Second) / r.PerSecond) }

// Allowance is what all processes share of a limit. redisstore implements it.
type Allowance interface {
	// Reserve takes up to n permits of the limit with a name: got are the caller's own. When got is 0, wait is how long it
	// takes until there is one, if nobody else takes it.
	Reserve(ctx context.Context, name string, r Rate, n int) (got int, wait time.Duration, err error)
}

const (
	// throttleChunk is for how long permits are reserved ahead: ten questions a second to Redis at any rate, and what a
	// process reserves and does not use is too little to be missed.
	throttleChunk = 100 * time.Millisecond
	// throttleNap is how long Wait sleeps at most before it asks again.
	throttleNap = time.Second
)

// Throttle holds messages of one channel back so that all processes together stay within the sender's limit. While the
// allowance that they share can't be asked, each of them keeps to the full rate by itself: the provider's own 429 then guards
// the sum. It is safe for concurrent use. A nil Throttle holds nothing back.
type Throttle struct {
	Name   string // of the limit, such as "sms"
	Rate   Rate
	Shared Allowance // nil: the limit is for this process alone
	Outage *Outage   // of Shared
	Now    func() time.Time

	mu      sync.Mutex
	spare   int // reserved and not used yet
	spareAt time.Time
	own     bucket
}

// Wait returns when one more message may leave, and tells how long that took; or the error of ctx.
func (t *Throttle) Wait(ctx context.Context) (waited time.Duration, err error) {
	if t == nil {
		return 0, nil
	}
	began := t.Now()
	for {
		wait := t.take(ctx)
		if err := ctx.Err(); err != nil {
			return t.Now().Sub(began), err
		}
		if wait == 0 {
			return t.Now().Sub(began), nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(wait, throttleNap)):
		}
	}
}

// Back gives a permit back: the message did not leave.
func (t *Throttle) Back() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spare, t.spareAt = t.spare+1, t.Now()
}

// take takes one permit, or says how long there is none.
func (t *Throttle) take(ctx context.Context) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.Now()
	if t.spare > 0 && now.Sub(t.spareAt) <= 2*throttleChunk { // older ones would be a burst on top of the bucket's own
		t.spare--
		return 0
	}
	t.spare = 0
	if t.Shared == nil {
		_, wait = t.own.reserve(t.Rate, now, 1)
		return wait
	}
	n := max(int(math.Ceil(t.Rate.PerSecond*throttleChunk.Seconds())), 1)
	got, wait, err := t.Shared.Reserve(ctx, t.Name, t.Rate, n)
	if err != nil {
		if ctx.Err() == nil {
			t.Outage.Failed(err, now)
		}
		_, wait = t.own.reserve(t.Rate, now, 1)
		return wait
	}
	t.Outage.Answered(now)
	t.own.empty(t.Rate, now) // when Redis fails, no process starts with a burst of its own
	if got == 0 {
		return max(wait, time.Millisecond)
	}
	t.spare, t.spareAt = got-1, now
	return 0
}

// bucket is a token bucket in the form of the generic cell rate algorithm: all it keeps is when it would be full again.
type bucket struct{ full time.Time }

// reserve takes up to n permits. When it got none, wait is how long until there is one.
func (b *bucket) reserve(r Rate, now time.Time, n int) (got int, wait time.Duration) {
	gap := r.Gap()
	if b.full.Before(now) {
		b.full = now
	}
	room := now.Add(time.Duration(r.Burst) * gap).Sub(b.full)
	got = min(n, int(room/gap))
	if got <= 0 {
		return 0, gap - room
	}
	b.full = b.full.Add(time.Duration(got) * gap)
	return got, 0
}

func (b *bucket) empty(r Rate, now time.Time) {
	b.full = now.Add(time.Duration(r.Burst) * r.Gap())
}
