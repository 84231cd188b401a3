package notify

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Outage keeps the log quiet while an engine is down: one line when it starts to fail, one with a summary when it
// answers again. It is safe for concurrent use, so that all workers that meet the same outage share one.
type Outage struct {
	Engine string // as people call it: "Kafka", "Redis", "PostgreSQL"
	Log    *slog.Logger
	Hooks  *Hooks

	down  atomic.Bool
	mu    sync.Mutex
	since time.Time
	tries int
}

// Failed notes a failure.
func (o *Outage) Failed(err error, now time.Time) {
	if o.Hooks != nil && o.Hooks.Retrying != nil {
		o.Hooks.Retrying(o.Engine, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tries++
	if o.down.Swap(true) {
		return
	}
	o.since, o.tries = now, 1
	o.Log.Warn(o.Engine+" does not answer; trying again until it does", "error", err)
}

// Answered notes a success. It costs one atomic load while all is well.
func (o *Outage) Answered(now time.Time) {
	if !o.down.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down.Swap(false) {
		o.Log.Info(o.Engine+" answers again", "after", now.Sub(o.since).Round(time.Millisecond), "failed_tries", o.tries)
	}
}
