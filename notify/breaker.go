package notify

import (
	"sync"
	"time"
)

const (
	// The window in which failures are counted against attempts. It is longer than any attempt takes, so that a provider
	// that lets all of them run into their timeout is noticed too.
	breakerSlot  = 3 * time.Second
	breakerSlots = 10

	// With fewer attempts in the window a few bad seconds look like an outage, and leaving the provider alone spares it little.
	breakerLeast = 20

	// The first pause is short, because most outages are; the last one is how late recovery may be noticed.
	breakerFirst = 5 * time.Second
	breakerLast  = time.Minute

	// What a provider asks for in Retry-After prolongs a pause, up to here: it was said to one message and may be about one.
	breakerAsked = 5 * time.Minute
)

// Breaker leaves a provider alone that fails too much. While it is closed everything passes, and failures are counted against
// attempts in the last half minute. When too large a share fails it opens: nothing passes for a pause. Then it is half open:
// one attempt passes, the probe. A probe that is answered closes it, one that fails doubles the pause.
//
// An answer that refuses one message, because of its number or its text, is an answer: the provider works. It is safe for
// concurrent use. A nil Breaker lets everything pass.
type Breaker struct {
	share float64

	mu      sync.Mutex
	slots   [breakerSlots]breakerTally
	round   uint64 // counts openings and closings
	pause   time.Duration
	until   time.Time // of the pause; zero: closed
	probing bool
}

// breakerTally is what happened in one slot of time.
type breakerTally struct {
	no            int64 // of the slot since 1970
	tried, failed int
}

// Pass is the right to ask a provider once. Whoever has one says what became of it: Answered or Unasked, once.
type Pass struct {
	round uint64
	probe bool
}

// NewBreaker makes a closed Breaker that opens when a share of the attempts fails, such as 0.5. With a share of 0 there is none.
func NewBreaker(share float64) *Breaker {
	if share <= 0 {
		return nil
	}
	return &Breaker{share: share}
}

// Ask tells whether the provider may be asked now.
func (b *Breaker) Ask(now time.Time) (Pass, bool) {
	if b == nil {
		return Pass{}, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return Pass{round: b.round}, true
	}
	if b.probing || now.Before(b.until) {
		return Pass{}, false
	}
	b.probing = true
	return Pass{b.round, true}, true
}

// Answered says what the provider made of an attempt. What began before the breaker last opened or closed proves nothing
// about now, and is not counted.
func (b *Breaker) Answered(p Pass, a Answer, now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	failed := a.Verdict == NotTaken || a.Verdict == Unclear
	switch {
	case p.round != b.round:
	case p.probe && failed:
		b.probing = false
		b.open(min(2*b.pause, breakerLast), a.RetryAfter, now)
	case p.probe:
		b.probing, b.until, b.slots = false, time.Time{}, [breakerSlots]breakerTally{}
		b.round++
	case b.tooMany(failed, now):
		b.open(breakerFirst, a.RetryAfter, now)
	}
}

// Unasked gives a pass back: the provider was not asked after all.
func (b *Breaker) Unasked(p Pass) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.probe && p.round == b.round {
		b.probing = false
	}
}

// Until is when the provider may be asked again, and zero while the breaker is closed. It is past while a probe is due or
// under way.
func (b *Breaker) Until() time.Time {
	if b == nil {
		return time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until
}

// LeftAlone tells whether the provider is held back because it fails. When nobody has anything to send it is forgotten a while
// after a probe was due: nobody knows any more.
func (b *Breaker) LeftAlone(now time.Time) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.probing || now.Before(b.until.Add(breakerLast))
}

// Probing tells whether the answer to a probe is awaited.
func (b *Breaker) Probing() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.probing
}

func (b *Breaker) open(pause, asked time.Duration, now time.Time) {
	b.pause = pause
	b.until = now.Add(max(pause, min(asked, breakerAsked)))
	b.round++
}

// tooMany counts an attempt and tells whether too many of the window have failed.
func (b *Breaker) tooMany(failed bool, now time.Time) bool {
	no := now.UnixNano() / int64(breakerSlot)
	slot := &b.slots[no%breakerSlots]
	if slot.no != no {
		*slot = breakerTally{no: no}
	}
	slot.tried++
	if failed {
		slot.failed++
	}
	var all breakerTally
	for _, s := range b.slots {
		if age := no - s.no; age >= 0 && age < breakerSlots {
			all.tried += s.tried
			all.failed += s.failed
		}
	}
	return failed && all.tried >= breakerLeast && float64(all.failed) >= b.share*float64(all.tried)
}
