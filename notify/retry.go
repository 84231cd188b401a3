package notify

import (
	"context"
	"time"
)

const (
	maxUnclear = 20              // attempts without a clear answer, on a channel that may repeat
	firstRetry = 2 * time.Second // the envelope of the first retry; it doubles with every attempt
	lastRetry  = 5 * time.Minute // and ends here
	maxAsked   = time.Hour       // the most that a provider's Retry-After is obeyed
)

// After says what follows from the answer to an attempt. Pure; jitter is a random number in [0,1). What was definitely
// not taken is tried again for as long as the text is true: an outage of the provider costs time, not messages.
//
// The delay is drawn from the whole envelope ("full jitter"), so that messages that failed together do not return
// together, and never undercuts what the provider asked for.
func After(m *Message, a Answer, at Attempt, repeatable bool, now time.Time, jitter float64) Outcome {
	at.Verdict, at.Reason, at.Status, at.Code = a.Verdict, a.Reason, a.Status, a.Code
	at.ProviderID, at.Detail, at.FinishedAt = a.ProviderID, a.Detail, now
	o := Outcome{Message: m.ID, Channel: m.Channel, Milestone: m.Milestone, Attempt: at, Reason: a.Reason}
	switch {
	case a.Verdict == Took:
		o.State = Accepted
	case a.Verdict == Unclear && !repeatable:
		o.State = afterUnclear
	case a.Verdict == Permanent && (a.Reason == Expired || a.Reason == Stopped):
		o.State = Suppressed
	case a.Verdict == Permanent:
		o.State = Failed
	case a.Verdict == Gone:
		o.State, o.Forget = Failed, m.Address
	case a.Verdict == Unclear && at.No >= maxUnclear:
		o.State, o.Reason = Failed, GaveUp
	default:
		o.State = Pending
		o.DueAt = now.Add(max(min(a.RetryAfter, maxAsked), backoff(at.No, jitter)))
		if !o.DueAt.Before(m.ExpiresAt) {
			o.State, o.Reason = Suppressed, Expired
		}
	}
	return o
}

func backoff(attempt int, jitter float64) time.Duration {
	envelope := lastRetry
	if attempt < 8 { // 2 s << 8 is past the last envelope
		envelope = min(firstRetry<<max(attempt-1, 0), lastRetry)
	}
	return time.Duration(jitter * float64(envelope))
}

// again runs f until it succeeds or ctx ends, waiting longer after every failure, up to a second: engines come back, and
// what waits for them must notice soon.
func again(ctx context.Context, o *Outage, now func() time.Time, f func() error) error {
	wait := 20 * time.Millisecond
	for {
		err := f()
		if err == nil {
			o.Answered(now())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.Failed(err, now())
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		wait = min(wait*2, time.Second)
	}
}

// sleep waits; false means that ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
