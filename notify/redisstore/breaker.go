package redisstore

import (
	"sync"
	"time"
)

// pause is how long Redis is left alone after it did not answer. It is what a dead Redis costs: one timeout per pause.
const pause = time.Second

// breaker keeps callers away from a Redis that does not answer. After a failure nobody may try for the length of pause,
// then one caller at a time may, until one of them gets an answer.
type breaker struct {
	mu      sync.Mutex
	down    bool
	until   time.Time
	probing bool
}

// allow tells whether the caller may try; it must then say what came of it, once.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.down {
		return true
	}
	if b.probing || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

// answered says that Redis is there.
func (b *breaker) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down, b.probing = false, false
}

// failed says that Redis did not answer.
func (b *breaker) failed(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down, b.probing = true, false
	b.until = now.Add(pause)
}

// unknown says that the try proved nothing.
func (b *breaker) unknown() {
	b.mu.Lock()
	b.probing = false
	b.mu.Unlock()
}
