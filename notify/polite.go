package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// ask gets leave to ask the provider about m: it is not left alone, and bears one more retry. Without leave m goes back to SQL.
func (d *Dispatcher) ask(m *Message) (Pass, bool) {
	now := d.Now()
	pass, ok := d.Breaker.Ask(now)
	if !ok {
		d.behind.Store(true) // what is new stays behind what was handed back
		d.Throttle.Back()
		d.leave(m, ProviderDown, d.Breaker.Until())
		return pass, false
	}
	if m.Attempt > 0 && !d.Budget.Retry(now) {
		d.Breaker.Unasked(pass)
		d.Throttle.Back()
		d.leave(m, ProviderDown, now.Add(budgetPause+backoff(m.Attempt, rand.Float64())))
		return pass, false
	}
	return pass, true
}

// LeftAlone is how many providers of the channel are left alone, because they fail.
func (d *Dispatcher) LeftAlone() int {
	switch {
	case d.Paused != nil:
		return d.Paused()
	case d.Breaker != nil && d.Breaker.LeftAlone(d.Now()):
		return 1
	}
	return 0
}

// unasked takes back what ask took: the provider was not asked.
func (d *Dispatcher) unasked(retry bool, pass Pass) {
	d.Breaker.Unasked(pass)
	d.Throttle.Back()
	if retry {
		d.Budget.Back()
	}
}

// answered notes how the provider does.
func (d *Dispatcher) answered(retry bool, pass Pass, a Answer, now time.Time) {
	failing := a.Verdict == NotTaken || a.Verdict == Unclear
	switch {
	case !retry:
		d.Budget.First()
	case !failing:
		d.Budget.Back()
	}
	if a.Verdict == Permanent && a.Reason == Expired { // nobody was asked
		d.Breaker.Unasked(pass)
	} else {
		d.Breaker.Answered(pass, a, now)
	}
	switch {
	case a.Reason == Unreachable, a.Reason == Misconfigured:
		d.Outage.Failed(errors.New(a.Detail), now)
	case a.Verdict == Took:
		d.Outage.Answered(now)
	}
}

// leave hands a message back that is due later, for a reason. Its time ends first, perhaps: then it ends in time.
func (d *Dispatcher) leave(m *Message, why Reason, due time.Time) {
	if !m.ExpiresAt.IsZero() && due.After(m.ExpiresAt) {
		due = m.ExpiresAt
	}
	d.handBack([]Handback{{m.ID, due, why}})
}

// over is a message for which there is no room.
func (d *Dispatcher) over(m *Message) Handback {
	if until := d.Breaker.Until(); !until.IsZero() {
		return Handback{m.ID, until, ProviderDown}
	}
	return Handback{Message: m.ID}
}

func (d *Dispatcher) handBack(back []Handback) {
	d.Finish.HandBack(back)
	if len(back) > 0 && d.Hooks != nil && d.Hooks.HandedBack != nil {
		d.Hooks.HandedBack(d.Channel, back[0].Reason, len(back))
	}
}

// wait waits for the limit of the sender. The error is that of ctx.
func (d *Dispatcher) wait(ctx context.Context) error {
	waited, err := d.Throttle.Wait(ctx)
	if waited > 0 && d.Hooks != nil && d.Hooks.Throttled != nil {
		d.Hooks.Throttled(d.Channel, waited)
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}
