package notify

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Doubt is a text of which it is not known whether the provider took it.
type Doubt struct {
	Message
	Since time.Time // it is unclear
}

// Unsettled is the truth as Settler needs it.
type Unsettled interface {
	// Doubts lists texts in verify whose next look is due, the oldest first, and puts that look off to next, so that no
	// other process asks about them meanwhile.
	Doubts(ctx context.Context, now, next time.Time, limit int) ([]Doubt, error)
	// Taken tells which of the provider's names belong to stored messages.
	Taken(ctx context.Context, providerIDs []string, dst []bool) error
	// Settle moves texts out of verify. One that is in verify no more, or at another attempt, stays as it is; so does
	// one whose ProviderID was given to another message meanwhile.
	Settle(ctx context.Context, now time.Time, done []Settlement) error
}

// Settlement is how an unclear text is settled.
type Settlement struct {
	Message    ID
	Milestone  string
	Attempt    int
	State      State // Accepted, Sent, Delivered, Undelivered, Failed; Pending; Unknown
	Reason     Reason
	ProviderID string
	Code       int
	Detail     string    // what was found, for the attempt's record
	DueAt      time.Time // for Pending
}

// Settler finds out about unclear texts by asking the provider. It never guesses: a text is sent again only when the
// provider says, after enough time for it to know, that it has none. How much time has passed it counts itself, from when it
// heard of the text: the clock of the process that found it unclear may be another one.
type Settler struct {
	Store        Unsettled
	Finder       Finder
	Rules        func() *Rules
	Grace        time.Duration // how long after this process heard of it the provider's "none" is believed
	UnknownAfter time.Duration // how long the provider is asked in vain before staff have to decide
	Hooks        *Hooks
	SQL          *Outage
	Provider     *Outage
	Now          func() time.Time

	ticks int               // since Run
	heard map[tried]hearing // of texts that were unclear lately
}

// tried names an attempt of which it is unclear what became.
type tried struct {
	message ID
	attempt int
}

// hearing is when this process heard of an attempt first and last, in ticks.
type hearing struct{ first, last int }

const (
	settleEvery   = 2 * time.Second  // between two rounds
	settleBatch   = 64               // texts in a round
	settleLanes   = 8                // questions at the same time
	settleTimeout = 10 * time.Second // of one question
	lookAgain     = 15 * time.Second // after an answer that settles nothing, at the latest
	// findSlack is how far the provider's clock may be from ours.
	findSlack = 10 * time.Minute
)

// Run settles until ctx ends.
func (s *Settler) Run(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		more, err := s.round(ctx)
		s.SQL.Noted(ctx, err, s.Now())
		if more && err == nil {
			select {
			case <-tick.C: // time goes on also while there is always more to ask about
				s.ticks++
			default:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.ticks++
		}
	}
}

// waited is how long this process has known of each unclear text. What it has not met for long it forgets.
func (s *Settler) waited(due []Doubt) []time.Duration {
	if s.heard == nil {
		s.heard = map[tried]hearing{}
	}
	for key, h := range s.heard {
		if ago := time.Duration(s.ticks-h.last) * settleEvery; ago > s.UnknownAfter+s.Grace {
			delete(s.heard, key)
		}
	}
	list := make([]time.Duration, len(due))
	for i := range due {
		key := tried{due[i].ID, due[i].Attempt}
		h, known := s.heard[key]
		if !known {
			h.first = s.ticks
		}
		h.last = s.ticks
		s.heard[key] = h
		list[i] = time.Duration(h.last-h.first) * settleEvery
	}
	return list
}

// round settles what is due; more tells that there may be more. A crash at any point leaves texts in verify.
func (s *Settler) round(ctx context.Context) (more bool, err error) {
	now := s.Now()
	due, err := s.Store.Doubts(ctx, now, now.Add(min(lookAgain, max(s.Grace, settleEvery))), settleBatch)
	if err != nil {
		return false, fmt.Errorf("list unclear texts: %w", err)
	}
	waited := s.waited(due)
	done := make([]*Settlement, len(due))
	errs := make([]error, len(due))
	var lanes sync.WaitGroup
	for lane := range settleLanes {
		lanes.Go(func() {
			for i := lane; i < len(due) && ctx.Err() == nil; i += settleLanes {
				done[i], errs[i] = s.settle(ctx, &due[i], waited[i])
			}
		})
	}
	lanes.Wait()
	var settled []Settlement
	for i := range due {
		if errs[i] != nil && err == nil {
			err = errs[i]
		}
		if done[i] != nil {
			settled = append(settled, *done[i])
		}
	}
	if len(settled) > 0 {
		if err := s.Store.Settle(ctx, s.Now(), settled); err != nil {
			return false, fmt.Errorf("settle %d texts: %w", len(settled), err)
		}
		if s.Hooks != nil && s.Hooks.Settled != nil {
			s.Hooks.Settled(settled)
		}
	}
	return len(due) == settleBatch && err == nil && ctx.Err() == nil, err
}

// settle asks about one text. It returns nil when the answer settles nothing yet; the error is that of SQL.
func (s *Settler) settle(ctx context.Context, d *Doubt, waited time.Duration) (*Settlement, error) {
	asking, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	found, asked := s.Finder.Find(asking, &d.Message, d.CreatedAt.Add(-findSlack))
	switch {
	case ctx.Err() != nil:
		return nil, nil
	case asked != nil:
		s.Provider.Failed(asked, s.Now())
	default:
		s.Provider.Answered(s.Now())
		free, err := s.free(ctx, found)
		if err != nil {
			return nil, err
		}
		found = free
	}
	return settlement(d, found, asked, waited, s.patience(d), s.Now()), nil
}

// free leaves out what belongs to other messages: the same words may have gone to the same number before.
func (s *Settler) free(ctx context.Context, found []Report) ([]Report, error) {
	if len(found) == 0 {
		return nil, nil
	}
	ids, taken := make([]string, len(found)), make([]bool, len(found))
	for i := range found {
		ids[i] = found[i].ProviderID
	}
	if err := s.Store.Taken(ctx, ids, taken); err != nil {
		return nil, fmt.Errorf("ask whose %d texts are: %w", len(ids), err)
	}
	var free []Report
	for i := range found {
		if !taken[i] {
			free = append(free, found[i])
		}
	}
	return free, nil
}

// patience is what decides about a text besides the provider's answer.
type patience struct {
	grace, unknownAfter time.Duration
	resend              bool // the route would rather say it twice than not at all
}

func (s *Settler) patience(d *Doubt) patience {
	p := patience{grace: s.Grace, unknownAfter: s.UnknownAfter}
	if m := MilestoneOf(d.Line, d.Milestone); m != nil {
		p.resend = s.Rules().Routes[m].ResendUnclear
	}
	return p
}

// settlement says what follows from the provider's answer about an unclear text of which we have known for a time; nil for
// nothing yet. Pure.
func settlement(d *Doubt, found []Report, asked error, waited time.Duration, p patience, now time.Time) *Settlement {
	s := &Settlement{Message: d.ID, Milestone: d.Milestone, Attempt: d.Attempt, Reason: d.Reason}
	asking := now.Sub(d.Since)
	switch {
	case len(found) > 0:
		f := found[len(found)-1] // the oldest: each unclear text takes one
		s.State, s.Reason, s.ProviderID, s.Code = f.State, f.Reason, f.ProviderID, f.Code
		s.Detail = "the provider has it"
	case asked == nil && waited >= p.grace:
		s.State, s.DueAt = Pending, later(now, d.DueAt) // it may have been held until then
		s.Detail = "the provider does not have it"
	case asked != nil && asking >= p.unknownAfter && p.resend:
		s.State, s.DueAt = Pending, later(now, d.DueAt)
		s.Detail = "the provider could not be asked; the route sends such texts again"
	case asked != nil && asking >= p.unknownAfter:
		s.State = Unknown
		s.Detail = "the provider could not be asked"
	default:
		return nil
	}
	return s
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
