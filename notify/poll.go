package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Unheard is the truth as Poller needs it.
type Unheard interface {
	// Silent lists texts that the provider took and said nothing final about, whose next look is due, and puts that look
	// off: the first is 10 minutes after it was taken, the second a day after, then there is none.
	Silent(ctx context.Context, now time.Time, limit int) ([]Message, error)
	Reports
}

// ErrNoSuchText means that the provider knows nothing of a text that it took.
var ErrNoSuchText = errors.New("the provider does not know this text")

// Poller asks the provider what became of texts that no callback has finished.
type Poller struct {
	Store    Unheard
	Finder   Finder
	SQL      *Outage
	Provider *Outage
	Now      func() time.Time
}

const (
	pollEvery = 30 * time.Second
	pollBatch = 100
)

// Run asks until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		more, err := p.round(ctx)
		switch {
		case err == nil:
			p.SQL.Answered(p.Now())
		case ctx.Err() == nil:
			p.SQL.Failed(err, p.Now())
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round asks about what is due, one text after the other: nobody waits for it.
func (p *Poller) round(ctx context.Context) (more bool, err error) {
	due, err := p.Store.Silent(ctx, p.Now(), pollBatch)
	if err != nil {
		return false, fmt.Errorf("list texts without an end: %w", err)
	}
	for i := range due {
		if ctx.Err() != nil {
			return false, nil
		}
		m := &due[i]
		r, err := p.fetch(ctx, m)
		if err != nil {
			if !errors.Is(err, ErrNoSuchText) {
				p.Provider.Failed(err, p.Now())
			}
			continue // its next look, or nobody, tells
		}
		p.Provider.Answered(p.Now())
		r.Message, r.Attempt, r.ProviderID = m.ID, m.Attempt, m.ProviderID
		if err := p.Store.Report(ctx, p.Now(), r); err != nil {
			return false, fmt.Errorf("store what became of text %s: %w", m.ID, err)
		}
	}
	return len(due) == pollBatch, nil
}

func (p *Poller) fetch(ctx context.Context, m *Message) (Report, error) {
	asking, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	return p.Finder.Fetch(asking, m.ProviderID)
}
