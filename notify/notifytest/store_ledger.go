package notifytest

import (
	"context"
	"slices"
	"time"

	"onmyway/notify"
)

// forgetAfter is how long a batch whose answer was lost may still be repeated before its messages become nobody's.
const forgetAfter = time.Minute

// Begin implements notify.Ledger.
func (s *Store) Begin(ctx context.Context, now time.Time, ms []*notify.Message, ok []bool) error {
	leave, err := s.enter(ctx, "Begin")
	if err != nil {
		return err
	}
	defer leave()
	now = millis(now)
	for i, m := range ms {
		row := s.db.messages[m.ID]
		ok[i] = false
		if row == nil || row.State != notify.Pending || row.owner != s.owner {
			continue
		}
		if !row.ExpiresAt.After(now) {
			row.suppress(notify.Expired, now)
			continue
		}
		if row.DueAt.After(now) {
			continue
		}
		row.State, row.UpdatedAt = notify.Sending, now
		row.Attempt++
		m.Attempt, ok[i] = row.Attempt, true
	}
	return nil
}

// Finish implements notify.Ledger.
func (s *Store) Finish(ctx context.Context, now time.Time, done []notify.Outcome) error {
	leave, err := s.enter(ctx, "Finish")
	if err != nil {
		return err
	}
	defer leave()
	for i := range done {
		o := &done[i]
		if sub, ok := s.db.subs[o.Forget]; ok {
			delete(s.db.subs, o.Forget)
			s.db.touch(sub.CustomerID)
		}
		if m := s.db.messages[o.Message]; m != nil && m.takes(o, s.owner) {
			m.finish(o, millis(now))
		}
	}
	return s.lose("Finish")
}

// takes tells whether an outcome still fits: the same attempt or, for channels that skip Begin, the next one.
func (m *message) takes(o *notify.Outcome, owner string) bool {
	switch m.State {
	case notify.Sending, notify.Verify:
		return o.Attempt.No == m.Attempt
	case notify.Pending:
		return m.owner == owner && (o.Attempt.No == m.Attempt || o.Attempt.No == m.Attempt+1)
	}
	return false
}

func (m *message) finish(o *notify.Outcome, now time.Time) {
	m.State, m.Reason, m.owner, m.UpdatedAt = o.State, o.Reason, "", now
	if o.State == notify.Pending {
		m.DueAt = millis(o.DueAt)
		if m.stop != "" {
			m.suppress(m.stop, now)
		}
	}
	if o.Attempt.ProviderID != "" {
		m.ProviderID = o.Attempt.ProviderID
	}
	if o.Attempt.StartedAt.IsZero() {
		return // decided without a try
	}
	a := o.Attempt
	a.StartedAt, a.FinishedAt = millis(a.StartedAt), millis(a.FinishedAt)
	m.Attempt, m.attempts = a.No, append(m.attempts, a)
}

// Release implements notify.Ledger.
func (s *Store) Release(ctx context.Context, ids []notify.ID) error {
	leave, err := s.enter(ctx, "Release")
	if err != nil {
		return err
	}
	defer leave()
	for _, id := range ids {
		if m := s.db.messages[id]; m != nil && m.State == notify.Pending && m.owner == s.owner {
			m.owner = ""
		}
	}
	return nil
}

// Claim implements notify.Outbox.
func (s *Store) Claim(ctx context.Context, now time.Time, ch notify.Channel, limit int) ([]notify.Message, error) {
	leave, err := s.enter(ctx, "Claim")
	if err != nil {
		return nil, err
	}
	defer leave()
	now = millis(now)
	var due []*message
	for _, id := range s.db.stored {
		m := s.db.messages[id]
		if m.Channel != ch || m.State != notify.Pending || m.owner != "" || m.DueAt.After(now) {
			continue
		}
		if !m.ExpiresAt.After(now) {
			m.suppress(notify.Expired, now)
			continue
		}
		due = append(due, m)
	}
	slices.SortFunc(due, func(a, b *message) int {
		if c := a.DueAt.Compare(b.DueAt); c != 0 {
			return c
		}
		return compareIDs(a.ID, b.ID)
	})
	var claimed []notify.Message
	for _, m := range due[:min(limit, len(due))] {
		m.owner = s.owner
		claimed = append(claimed, m.Message)
	}
	return claimed, nil
}

// Reclaim implements notify.Outbox.
func (s *Store) Reclaim(ctx context.Context, now time.Time) (n int, err error) {
	leave, err := s.enter(ctx, "Reclaim")
	if err != nil {
		return 0, err
	}
	defer leave()
	for _, m := range s.db.messages {
		at, lost := s.maybe[m.EventID]
		lost = lost && m.owner == s.owner && m.State == notify.Pending && now.Sub(at) > forgetAfter
		dead := m.owner != "" && !s.db.alive[m.owner]
		if !lost && !dead {
			continue
		}
		m.abandon(millis(now))
		n++
	}
	for id, at := range s.maybe {
		if now.Sub(at) > forgetAfter {
			delete(s.maybe, id)
		}
	}
	return n, nil
}

// abandon takes a message from a process that will not send it any more.
func (m *message) abandon(now time.Time) {
	m.owner = ""
	switch {
	case m.State != notify.Sending:
	case m.Channel == notify.SMS:
		m.State, m.Reason, m.UpdatedAt = notify.Verify, notify.OwnerDied, now
	case m.stop != "":
		m.suppress(m.stop, now)
	default:
		m.State, m.UpdatedAt = notify.Pending, now
	}
}

// Ours implements notify.Ledger.
func (s *Store) Ours(ctx context.Context, ms []*notify.Message, ok []bool) error {
	leave, err := s.enter(ctx, "Ours")
	if err != nil {
		return err
	}
	defer leave()
	for i, m := range ms {
		row := s.db.messages[m.ID]
		ok[i] = row != nil && row.State == notify.Pending && row.owner == s.owner
	}
	return nil
}
