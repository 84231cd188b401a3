package notify

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Finisher stores what became of messages: it gathers outcomes while the last write is under way and writes all of them
// at once. While SQL is down it waits, and its bound makes the lanes wait with it.
type Finisher struct {
	Ledger Ledger
	Hooks  *Hooks
	SQL    *Outage
	Now    func() time.Time

	in chan finished
}

// finished is an outcome, or messages that go back to where anybody may claim them.
type finished struct {
	outcome Outcome
	back    []Handback
}

const (
	finishQueue = 4096
	finishBatch = 500
	finishGrace = 5 * time.Second // for the last write, once everything is told to stop
)

// Prepare makes the queue. Call it before Add and Run.
func (f *Finisher) Prepare() { f.in = make(chan finished, finishQueue) }

// Add takes an outcome. It blocks while the queue is full.
func (f *Finisher) Add(o Outcome) { f.in <- finished{outcome: o} }

// HandBack takes messages that were not sent and are nobody's any more. It blocks while the queue is full.
func (f *Finisher) HandBack(back []Handback) {
	if len(back) > 0 {
		f.in <- finished{back: back}
	}
}

// Waiting is how many outcomes and messages that go back wait for SQL.
func (f *Finisher) Waiting() int { return len(f.in) }

// Close tells Run that nothing more comes. No Add or HandBack may follow.
func (f *Finisher) Close() { close(f.in) }

// Run writes until Close, then the rest. What SQL does not take within a grace time after ctx has ended is left to
// Reclaim: the rows still say that they are this process's own.
func (f *Finisher) Run(ctx context.Context) error {
	ctx, cancel := grace(ctx, finishGrace)
	defer cancel()
	var done []Outcome
	var back []Handback
	for first := range f.in {
		done, back = done[:0], back[:0]
		for next, more := first, true; more; {
			if next.back != nil {
				back = append(back, next.back...)
			} else {
				done = append(done, next.outcome)
			}
			if len(done)+len(back) >= finishBatch {
				break
			}
			select {
			case next, more = <-f.in:
			default:
				more = false
			}
		}
		f.write(ctx, done, back)
	}
	return nil
}

func (f *Finisher) write(ctx context.Context, done []Outcome, back []Handback) {
	err := again(ctx, f.SQL, f.Now, func() error {
		if len(done) > 0 {
			if err := f.Ledger.Finish(ctx, f.Now(), done); err != nil {
				return fmt.Errorf("store %d outcomes: %w", len(done), err)
			}
		}
		if len(back) > 0 {
			if err := f.Ledger.HandBack(ctx, f.Now(), back); err != nil {
				return fmt.Errorf("hand %d messages back: %w", len(back), err)
			}
		}
		return nil
	})
	if err == nil && len(done) > 0 && f.Hooks != nil && f.Hooks.Finished != nil {
		f.Hooks.Finished(slices.Clone(done))
	}
}

// grace is a context that ends some time after its parent.
func grace(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		select {
		case <-ctx.Done():
		case <-time.After(d):
			cancel()
		}
	})
	return ctx, func() { stop(); cancel() }
}
