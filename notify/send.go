package notify

import (
	"context"
	"time"
)

// Sender hands messages to one provider. It is safe for concurrent use.
type Sender interface {
	// Send tries m once and tells what became of it. The context carries the deadline of the attempt. Send never
	// retries and never panics on what a provider answers.
	Send(ctx context.Context, m *Message) Answer
}

// Verdict is what an attempt proved.
type Verdict string

// The verdicts.
const (
	Took      Verdict = "took"      // the provider accepted it
	NotTaken  Verdict = "not_taken" // it definitely did not: 429, connection refused, DNS, TLS. Safe to try again
	Unclear   Verdict = "unclear"   // the request left and no clear answer came
	Permanent Verdict = "permanent" // it did not and never will
	Gone      Verdict = "gone"      // the address exists no more: forget it
)

// Answer is what became of one attempt.
type Answer struct {
	Verdict    Verdict
	Reason     Reason        // for anything but Took
	ProviderID string        // the provider's name of the message, when it gave one
	RetryAfter time.Duration // what the provider asked for; 0 for nothing
	Status     int           // HTTP status; 0 when there was none
	Code       int           // the provider's own error code; 0 for none
	Detail     string        // in words for staff and logs: no address, no text, no secret
	// Skipped says that the provider was not asked, because it is left alone: no attempt, and due after RetryAfter. Only the
	// Sender of a channel that may repeat can say so.
	Skipped bool
}

// Outcome is what Finish stores of one attempt.
type Outcome struct {
	Message   ID
	Channel   Channel
	Milestone string // of the message
	State     State
	Reason    Reason
	DueAt     time.Time // for Pending: not before
	Attempt   Attempt
	Forget    string // the id of a push subscription that is gone; empty for none
}

// Handback is a message that was not tried and goes back to where any process may claim it.
type Handback struct {
	Message ID
	DueAt   time.Time // not before; zero, or earlier than it was: as it was
	Reason  Reason    // why it waits; empty: as it was
}
