package notifytest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"onmyway/notify"
)

// heldBy owns texts that wait because their number had enough.
const heldBy = "digest"

// holdBack holds a text whose number had enough in the last hour, and tells whether it does.
func (db *database) holdBack(row *message, m *notify.Message, now time.Time) bool {
	if m.PerHour == 0 {
		return false
	}
	var went []time.Time
	for _, t := range db.messages {
		at := t.UpdatedAt
		if !t.takenAt.IsZero() {
			at = t.takenAt
		}
		if t.Channel == notify.SMS && t.Address == row.Address && t.reached() && at.After(now.Add(-time.Hour)) {
			went = append(went, at)
		}
	}
	if len(went) < m.PerHour {
		return false
	}
	slices.SortFunc(went, time.Time.Compare)
	free := went[len(went)-m.PerHour].Add(time.Hour)
	row.owner, row.Reason, row.DueAt = heldBy, notify.Capped, free
	if row.ExpiresAt.Before(free) {
		row.DueAt = row.ExpiresAt
	}
	m.Reason, m.DueAt = notify.Capped, free
	return true
}

// reached tells whether a text reached its recipient, or may have.
func (m *message) reached() bool {
	switch m.State {
	case notify.Sending, notify.Verify, notify.Accepted, notify.Sent, notify.Delivered, notify.Unknown:
		return true
	}
	return false
}

// Held implements notify.HeldTexts.
func (s *Store) Held(ctx context.Context, now time.Time, limit int) ([]notify.HeldText, error) {
	leave, err := s.enter(ctx, "Held")
	if err != nil {
		return nil, err
	}
	defer leave()
	held := s.db.heldTexts(func(m *message) bool {
		return m.owner == heldBy && m.State == notify.Pending && !m.DueAt.After(millis(now))
	})
	return held[:min(limit, len(held))], nil
}

// Told implements notify.HeldTexts.
func (s *Store) Told(ctx context.Context, digest *notify.Message) ([]notify.HeldText, error) {
	leave, err := s.enter(ctx, "Told")
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.db.heldTexts(func(m *message) bool {
		return m.Channel == notify.SMS && m.Address == digest.Address && m.CustomerID == digest.CustomerID &&
			m.State == notify.Suppressed && m.Reason == notify.Digested &&
			slices.ContainsFunc(m.history, func(s notify.Step) bool { return strings.Contains(s.Detail, notify.ToldIn(digest.ID)) })
	}), nil
}

// heldTexts lists messages, those of one number and customer together.
func (db *database) heldTexts(which func(m *message) bool) (texts []notify.HeldText) {
	for _, m := range db.messages {
		if !which(m) {
			continue
		}
		t := notify.HeldText{Message: m.Message, Outdated: db.outdated(m)}
		if e := db.events[m.EventID].Event; e != nil {
			t.Data = e.Data
		}
		texts = append(texts, t)
	}
	slices.SortFunc(texts, func(a, b notify.HeldText) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.CustomerID, b.CustomerID), compareIDs(a.ID, b.ID))
	})
	return texts
}

// outdated tells whether a newer text of its order was made that supersedes a text.
func (db *database) outdated(m *message) bool {
	for _, n := range db.messages {
		if n.OrderID == m.OrderID && n.Line == m.Line && n.CustomerID == m.CustomerID && n.Channel == notify.SMS && n.ResendNo == 0 &&
			compareIDs(n.ID, m.ID) > 0 && n.EventID != m.EventID && (n.Standing || !m.Standing) {
			return true
		}
	}
	return false
}

// Digest implements notify.HeldTexts.
func (s *Store) Digest(ctx context.Context, now time.Time, d *notify.Digest) (bool, error) {
	leave, err := s.enter(ctx, "Digest")
	if err != nil {
		return false, err
	}
	defer leave()
	now = millis(now)
	for _, id := range d.Waiting {
		if m := s.db.messages[id]; m == nil || m.State != notify.Pending || m.owner != heldBy && m.owner != s.owner {
			return false, nil
		}
	}
	told := 0
	for i := range d.Moves {
		if d.Moves[i].Reason == notify.Digested {
			told++
		}
		s.db.messages[d.Moves[i].Message].moveHeld(&d.Moves[i], d.Carrier, now)
	}
	if c := d.Carrier; c != nil {
		m := s.db.messages[c.ID]
		m.Body, m.Template, m.Locale, m.Asked = c.Body, c.Template, c.Locale, c.Asked
		m.ExpiresAt, m.DueAt, m.UpdatedAt = millis(c.ExpiresAt), millis(c.DueAt), now
		m.Reason, m.owner = "", s.owner
		m.history = append(m.history, notify.Step{At: now, State: notify.Pending, Detail: notify.Carries(told)})
	}
	return true, nil
}

func (m *message) moveHeld(o *notify.Outcome, carrier *notify.Message, now time.Time) {
	if o.State == notify.Pending {
		m.Reason, m.DueAt, m.owner = o.Reason, millis(o.DueAt), ""
		if o.Reason != "" {
			m.owner = heldBy
		}
		return
	}
	if m.State != notify.Pending && (m.State != notify.Suppressed || m.Reason != notify.Digested) {
		return
	}
	m.suppress(o.Reason, now)
	step := notify.Step{At: now, State: o.State, Reason: o.Reason}
	if o.Reason == notify.Digested {
		step.Detail = notify.ToldIn(carrier.ID)
	}
	m.history = append(m.history, step)
}
