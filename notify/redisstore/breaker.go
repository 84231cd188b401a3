package redisstore

import (
	"sync"
	"time"
)

// How long Redis is left alone after it did not answer. A dead one costs one timeout in each of the longest pauses. The first is short,
// because a busy machine can be late once, and all that is asked of SQL instead makes it busier.
const (
	firstPause   = longestPause / 16
	longer       = 4 // times
	longestPause = time.Second
)

// breaker keeps callers away from a Redis that does not answer. After a failure nobody may try for the length of a pause,
// then one caller at a time may, until one of them gets an answer.
type breaker struct {
	mu      sync.Mutex
	pause   time.Duration // the last one; 0: Redis answers
	until   time.Time
	probing bool
}

// allow tells whether the caller may try; it must then say what came of it, once.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		return true
	}
	if b.probing || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// silent tells whether Redis has failed so often that the pauses are at their longest: three times, in 0.3 s at least.
func (b *breaker) silent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pause == longestPause
}

// answered says that Redis is there.
func (b *breaker) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pause, b.until, b.probing = 0, time.Time{}, false
}

// failed says that Redis did not answer what it was asked at a time.
func (b *breaker) failed(asked, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if asked.Before(b.until.Add(-b.pause)) { // before this pause began: that is why there is one
		return
	}
	b.pause, b.probing = min(max(longer*b.pause, firstPause), longestPause), false
	b.until = now.Add(b.pause)
}

// unknown says that the try proved nothing.
func (b *breaker) unknown() {
	b.mu.Lock()
	b.probing = false
	b.mu.Unlock()
}
