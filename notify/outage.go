package notify

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Outage keeps the log quiet while an engine is down: one line when it starts to fail, one with a summary when it has
// answered for a while without a failure. It is safe for concurrent use, so that all workers that meet the same outage share
// one.
type Outage struct {
	Engine string // as people call it: "Kafka", "Redis", "SQL"
	Log    *slog.Logger
	Hooks  *Hooks

	down  atomic.Bool
	mu    sync.Mutex
	since time.Time // the first failure
	last  time.Time // the last one
	tries int
}

// calm is how long nothing may fail before an engine is said to be back: half an engine answers some calls and fails
// others, and the pause between two tries is a second at most.
const calm = 3 * time.Second

// Failed notes a failure.
func (o *Outage) Failed(err error, now time.Time) {
	if o.Hooks != nil && o.Hooks.Retrying != nil {
		o.Hooks.Retrying(o.Engine, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tries++
	o.last = now
	if o.down.Swap(true) {
		return
	}
	o.since, o.tries = now, 1
	o.Log.Warn(o.Engine+" does not answer; trying again until it does", "error", err)
}

// Noted is Answered or Failed, as err says. A call that failed because ctx has ended says nothing about the engine.
func (o *Outage) Noted(ctx context.Context, err error, now time.Time) {
	switch {
	case err == nil:
		o.Answered(now)
	case ctx.Err() == nil:
		o.Failed(err, now)
	}
}

// Answered notes a success. It costs one atomic load while all is well.
func (o *Outage) Answered(now time.Time) {
	if !o.down.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Sub(o.last) >= calm && o.down.Swap(false) {
		o.Log.Info(o.Engine+" answers again", "was_down", o.last.Sub(o.since).Round(time.Millisecond).String(), "failed_tries", o.tries)
	}
}
