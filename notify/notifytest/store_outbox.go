package notifytest

import (
	"context"
	"slices"
	"time"

	"onmyway/notify"
)

// forgetAfter is how long a batch whose answer was lost may still be repeated before its messages become nobody's.
const forgetAfter = 20 * time.Second

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
		if s.db.behind(m) {
			m.DueAt = now.Add(deferred)
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
		m.owner, m.UpdatedAt = s.owner, now
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
		dead := m.owner != "" && m.owner != heldBy && !s.db.alive[m.owner]
		switch {
		case lost || dead:
			m.abandon(millis(now), notify.OwnerDied)
		case m.owner == s.owner && m.forgotten(now):
			m.abandon(millis(now), notify.UnclearEnd)
		default:
			continue
		}
		n++
	}
	s.db.forgetParked(now)
	for id, at := range s.maybe {
		if now.Sub(at) > forgetAfter {
			delete(s.maybe, id)
		}
	}
	return n, nil
}

// forgotten tells whether a living process has had a message for longer than it ever should.
func (m *message) forgotten(now time.Time) bool {
	switch m.State {
	case notify.Sending:
		return now.Sub(m.UpdatedAt) >= sendsIn
	case notify.Pending:
		return now.Sub(m.UpdatedAt) >= waitsIn && now.Sub(m.DueAt) >= waitsIn
	}
	return false
}

// abandon takes a message from a process that will not send it any more.
func (m *message) abandon(now time.Time, why notify.Reason) {
	m.owner = ""
	switch {
	case m.State != notify.Sending:
	case m.Channel == notify.SMS:
		m.history = append(m.history, notify.Step{At: m.UpdatedAt, State: notify.Sending}, notify.Step{At: now, State: notify.Verify, Reason: why})
		m.State, m.Reason, m.UpdatedAt, m.lookAt = notify.Verify, why, now, now
	case m.stop != "":
		m.suppress(m.stop, now)
	default:
		m.State, m.UpdatedAt = notify.Pending, now
	}
}
