package notifytest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"onmyway/notify"
)

const (
	deferred = time.Second      // for how long a message waits that must not overtake an earlier one
	sendsIn  = 2 * time.Minute  // how long a text may be on its way to the provider
	waitsIn  = 10 * time.Minute // how long a message that is due may wait in memory
	lookSoon = 10 * time.Minute // when the provider is asked about a text that it took
	lookLate = 24 * time.Hour   // and when for the last time
	lookLast = 72 * time.Hour   // and when nobody asks any more, though nobody could be asked so far
)

// Begin implements notify.Ledger.
func (s *Store) Begin(ctx context.Context, now time.Time, ms []*notify.Message, ok []bool) error {
	leave, err := s.enter(ctx, "Begin")
	if err != nil {
		return err
	}
	defer leave()
	now = millis(now)
	clear(ok)
	for _, i := range earliestFirst(ms) { // so that the next ones see that these have begun
		m := ms[i]
		row := s.db.messages[m.ID]
		if row != nil {
			s.db.unpark(row, now)
		}
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
		if row.Channel == notify.SMS && len(s.db.stopped[row.Address]) > 0 {
			row.suppress(notify.Stopped, now)
			continue
		}
		if s.db.holdBack(row, m, now) {
			continue
		}
		if s.db.behind(row) {
			row.owner, row.DueAt = "", now.Add(deferred)
			continue
		}
		row.State, row.UpdatedAt = notify.Sending, now
		row.Attempt++
		m.Attempt, ok[i] = row.Attempt, true
	}
	return nil
}

// earliestFirst gives the places of messages in the order of their ids.
func earliestFirst(ms []*notify.Message) []int {
	places := make([]int, len(ms))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(a, b int) int { return compareIDs(ms[a].ID, ms[b].ID) })
	return places
}

// behind tells whether a text would overtake an earlier one of its order to the same number.
func (db *database) behind(m *message) bool {
	if m.Channel != notify.SMS {
		return false
	}
	for _, e := range db.messages {
		if e.OrderID == m.OrderID && e.Channel == m.Channel && e.Address == m.Address && compareIDs(e.ID, m.ID) < 0 &&
			(e.State == notify.Sending || e.State == notify.Verify && e.stop == "") {
			return true
		}
	}
	return false
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
		if m := s.db.messages[o.Message]; m != nil && o.Attempt.Reason == notify.Stopped && m.Channel == notify.SMS {
			if _, err := s.db.stop(notify.Act{At: now, By: notify.ByProvider}, m.Address, notify.StoppedByProvider, ""); err != nil {
				return err
			}
		}
	}
	return s.lose("Finish")
}

// takes tells whether an outcome still fits: the same attempt or, for channels that skip Begin, the next one. A text that
// was given up as not taken is taken after all when the process that sent it says so in the end.
func (m *message) takes(o *notify.Outcome, owner string) bool {
	tried := !o.Attempt.StartedAt.IsZero()
	switch m.State {
	case notify.Sending, notify.Verify:
		return o.Attempt.No == m.Attempt
	case notify.Pending:
		return m.owner == owner && (o.Attempt.No == m.Attempt || o.Attempt.No == m.Attempt+1) ||
			m.Channel == notify.SMS && o.State == notify.Accepted && tried && o.Attempt.No <= m.Attempt
	}
	return m.settled() && o.Attempt.No == m.Attempt && tried && !m.recorded(o.Attempt.No)
}

// settled tells whether the provider took a message.
func (m *message) settled() bool { return !m.takenAt.IsZero() }

func (m *message) recorded(no int) bool {
	return slices.ContainsFunc(m.attempts, func(a notify.Attempt) bool { return a.No == no })
}

func (m *message) finish(o *notify.Outcome, now time.Time) {
	if known := m.settled(); !known {
		m.become(o, now)
		m.ProviderID = cmp.Or(o.Attempt.ProviderID, m.ProviderID)
	} else {
		m.ProviderID = cmp.Or(m.ProviderID, o.Attempt.ProviderID)
	}
	if o.Attempt.StartedAt.IsZero() {
		return // decided without a try
	}
	a := o.Attempt
	a.StartedAt, a.FinishedAt = millis(a.StartedAt), millis(a.FinishedAt)
	m.Attempt = max(m.Attempt, a.No)
	if !m.recorded(a.No) {
		m.attempts = append(m.attempts, a)
	}
}

// become moves a message of which nobody knew what became of it.
func (m *message) become(o *notify.Outcome, now time.Time) {
	if m.State != notify.Verify || o.State != notify.Verify {
		m.UpdatedAt = now
	}
	m.State, m.Reason, m.owner, m.lookAt = o.State, o.Reason, "", time.Time{}
	if o.State == notify.Accepted {
		m.takenAt = now
	}
	switch {
	case o.State == notify.Pending:
		m.DueAt = millis(o.DueAt)
		if m.stop != "" {
			m.suppress(m.stop, now)
		}
	case m.Channel != notify.SMS:
	case o.State == notify.Verify:
		m.lookAt = now
	case o.State == notify.Accepted:
		m.lookAt = now.Add(lookSoon)
	}
}

// HandBack implements notify.Ledger.
func (s *Store) HandBack(ctx context.Context, now time.Time, back []notify.Handback) error {
	leave, err := s.enter(ctx, "HandBack")
	if err != nil {
		return err
	}
	defer leave()
	for _, b := range back {
		m := s.db.messages[b.Message]
		if m == nil || m.State != notify.Pending || m.owner != s.owner {
			continue
		}
		m.owner = ""
		if due := millis(b.DueAt); due.After(m.DueAt) {
			m.DueAt = due
		}
		if b.Reason != "" {
			m.Reason = b.Reason
		}
		if !b.DueAt.IsZero() || b.Reason != "" {
			m.UpdatedAt = millis(now)
		}
	}
	return nil
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
