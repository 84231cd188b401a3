package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Unheard is the truth as Poller needs it.
type Unheard interface {
	// Silent lists texts that the provider took and said nothing final about, whose next look is due, and puts that look
	// off: the first is 10 minutes after it was taken, the second a day after, then there is none.
	Silent(ctx context.Context, now time.Time, limit int) ([]Message, error)
	// Unasked makes texts of Silent due again at next: the provider could not be asked about them. Three days after a text
	// was taken nobody asks any more.
	Unasked(ctx context.Context, next time.Time, ms []Message) error
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
	pollLanes = 4 // questions at the same time: there is no hurry, and the provider limits how much it is asked
	// pollAgain is when a text is asked about once more that the provider could not be asked about.
	pollAgain = 5 * time.Minute
	// pollFails is after how many questions in vain a round ends: the next one finds out whether the provider is back.
	pollFails = 8
)

// Run asks until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		more, err := p.round(ctx)
		p.SQL.Noted(ctx, err, p.Now())
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

// round asks about what is due. What could not be asked, because the provider fails or we stop, comes again.
func (p *Poller) round(ctx context.Context) (more bool, err error) {
	due, err := p.Store.Silent(ctx, p.Now(), pollBatch)
	if err != nil {
		return false, fmt.Errorf("list texts without an end: %w", err)
	}
	l := &looks{Poller: p, due: due}
	var lanes sync.WaitGroup
	for range min(pollLanes, len(due)) {
		lanes.Go(func() { l.lane(ctx) })
	}
	lanes.Wait()
	unasked := append(l.unasked, due[l.next:]...)
	if len(unasked) > 0 {
		putting, cancel := grace(ctx, finishGrace)
		defer cancel()
		if err := p.Store.Unasked(putting, p.Now().Add(pollAgain), unasked); err != nil {
			return false, errors.Join(l.err, fmt.Errorf("put off %d texts that could not be asked about: %w", len(unasked), err))
		}
	}
	return len(due) == pollBatch && len(unasked) == 0, l.err
}

// looks are the questions of one round.
type looks struct {
	*Poller
	due []Message

	mu      sync.Mutex
	next    int       // of due
	unasked []Message // the provider did not answer, or SQL did not take the answer
	fails   int       // of the provider
	err     error     // of SQL, the first
}

// lane asks about one text after the other.
func (l *looks) lane(ctx context.Context) {
	for m := l.take(ctx); m != nil; m = l.take(ctx) {
		answered, err := l.look(ctx, m)
		l.mu.Lock()
		if !answered || err != nil {
			l.unasked = append(l.unasked, *m)
		}
		if !answered {
			l.fails++
		}
		if l.err == nil {
			l.err = err
		}
		l.mu.Unlock()
	}
}

// take is the next text to ask about; nil when the round is over.
func (l *looks) take(ctx context.Context) *Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == len(l.due) || l.fails >= pollFails || l.err != nil || ctx.Err() != nil {
		return nil
	}
	l.next++
	return &l.due[l.next-1]
}

// look asks about a text and stores the answer; the error is that of SQL. That the provider does not know the text is an
// answer too, and changes nothing.
func (l *looks) look(ctx context.Context, m *Message) (answered bool, err error) {
	asking, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	r, err := l.Finder.Fetch(asking, m.ProviderID)
	switch {
	case ctx.Err() != nil: // we stop: that says nothing about the provider
		return false, nil
	case errors.Is(err, ErrNoSuchText):
		l.Provider.Answered(l.Now())
		return true, nil
	case err != nil:
		l.Provider.Failed(err, l.Now())
		return false, nil
	}
	l.Provider.Answered(l.Now())
	r.Message, r.Attempt, r.ProviderID = m.ID, m.Attempt, m.ProviderID
	if err := l.Store.Report(ctx, l.Now(), r); err != nil {
		return true, fmt.Errorf("store what became of text %s: %w", m.ID, err)
	}
	return true, nil
}
