package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Report is what a provider says became of a message, by itself (a callback) or because we asked.
type Report struct {
	Message    ID // that of a report that is to be stored is never zero
	Attempt    int
	ProviderID string
	State      State     // Accepted, Sent, Delivered, Undelivered or Failed
	Reason     Reason    // for Undelivered and Failed
	Code       int       // the provider's own error code; 0 for none
	Detail     string    // in words for staff: no address, no text
	At         time.Time // when the provider took it where it says so, else zero
}

// Moves tells whether a report changes the state of a message that stands as m says. It does when it knows more: ranks only
// grow. A report on an attempt before the last one moves a message that would be sent again, and one of which the last
// attempt is not clear, when it says that the text arrived with the provider: another one would be the second text.
func (r *Report) Moves(m *Message) bool {
	switch {
	case !r.State.Outranks(m.State):
		return false
	case r.Attempt >= m.Attempt, m.State == Pending:
		return true
	}
	taken := r.State == Accepted || r.State == Sent || r.State == Delivered
	return taken && rank[m.State] == 0
}

// Check tells what is wrong with a report that nobody can store; nil for nothing.
func (r *Report) Check() error {
	switch {
	case r.Message.IsZero():
		return errors.New("a report names no message: the callback URL carries its id")
	case rank[r.State] == 0:
		return fmt.Errorf("a report says %q: it can say accepted, sent, delivered, undelivered or failed", r.State)
	}
	return nil
}

// Reports is the truth as callbacks need it.
type Reports interface {
	// Report stores what a provider says. The rank of a message only grows, so a report that comes again, late or in the
	// wrong order changes nothing. A message of which it is not clear whether it went out is settled by it. A report on a
	// message that is not stored is kept for a day, in case the message comes.
	Report(ctx context.Context, now time.Time, r Report) error
}

// Inbound is a text that somebody sent to us.
type Inbound struct {
	From       string // E.164
	Text       string
	ProviderID string // the provider's name of it: the same one is the same text
	Handled    bool   // the provider has acted on its keyword and answered it
	// Keyword is what the provider took the text for: an account may have words of its own. NoKeyword where it did not say.
	Keyword Keyword
}

// Finder asks a provider about texts.
type Finder interface {
	// Find lists what the provider took for the address of m with exactly its text since a time, the newest first. An
	// empty list means that it has none.
	Find(ctx context.Context, m *Message, since time.Time) ([]Report, error)
	// Fetch asks what became of a text that the provider took.
	Fetch(ctx context.Context, providerID string) (Report, error)
}
