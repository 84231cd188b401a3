package notify

import (
	"sync"
	"time"
)

const (
	// budgetShare is how many retries one first attempt earns: a tenth keeps what a failing provider has to bear near to what
	// it bears when all is well. It is the figure of Google's "Site Reliability Engineering", chapter 21.
	budgetShare = 0.1
	// budgetFloor is how many retries a second are always allowed, so that those of a quiet hour need not wait for first attempts.
	budgetFloor = 10
	// budgetMost is how many may be saved up: a minute of the floor, and more than any number of lanes has under way at once.
	budgetMost = 60 * budgetFloor
	// budgetPause is how long a retry waits at least for which there was nothing left.
	budgetPause = 10 * time.Second
)

// Budget bounds the retries of one provider, so that messages that failed do not press a provider that fails already. Every
// retry takes one from it and puts it back when the provider answers: retries that succeed cost nothing, so a backlog leaves
// at full speed as soon as the provider is well. It is safe for concurrent use. A nil Budget allows everything.
type Budget struct {
	mu    sync.Mutex
	spent float64 // of budgetMost
	at    time.Time
}

// First notes a first attempt.
func (b *Budget) First() { b.add(budgetShare) }

// Retry takes one retry; false when there is none left.
func (b *Budget) Retry(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	if b.spent+1 > budgetMost {
		return false
	}
	b.spent++
	return true
}

// Back puts a retry back that the provider answered, or that was not made.
func (b *Budget) Back() { b.add(1) }

// Left is how many retries may be made now.
func (b *Budget) Left(now time.Time) float64 {
	if b == nil {
		return budgetMost
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	return budgetMost - b.spent
}

func (b *Budget) add(n float64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(b.spent-n, 0)
}

func (b *Budget) refill(now time.Time) {
	if !b.at.IsZero() && now.After(b.at) {
		b.spent = max(b.spent-now.Sub(b.at).Seconds()*budgetFloor, 0)
	}
	b.at = now
}
