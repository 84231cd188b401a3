package notifytest

import (
	"context"
	"fmt"
	"time"

	"onmyway/notify"
)

// AddResend implements notify.ResendStore. An empty key is none. Errors: *notify.Refusal; notify.ErrKeyReused;
// notify.ErrNotFound when the event of the message is not stored.
func (s *Store) AddResend(ctx context.Context, act notify.Act, r *notify.Resend) (id notify.ID, again bool, err error) {
	leave, err := s.enter(ctx, "AddResend")
	if err != nil {
		return id, false, err
	}
	defer leave()
	event, ok := s.db.events[r.EventID]
	if !ok {
		return id, false, fmt.Errorf("event %s: %w", r.EventID, notify.ErrNotFound)
	}
	if id, again, err = s.db.answer(r.Key); err != nil || again {
		return id, again, err
	}
	if err := s.db.mayResend(act.At, r); err != nil {
		return id, false, err
	}
	m := r.Message
	m.ResendNo = s.db.lastResend(&m) + 1
	m.ID, m.ResendOf = notify.MessageID(event.Event, m.Channel, m.Address, m.ResendNo), r.Of
	m.State, m.Reason, m.Attempt, m.ProviderID = notify.Pending, "", 0, ""
	m.CreatedAt, m.UpdatedAt, m.RecordedAt, m.Trace = act.At, act.At, time.Time{}, ""
	if m.DueAt.IsZero() {
		m.DueAt = act.At
	}
	row := deed{notify.DidResend, "message:" + m.ID.String(), map[string]any{
		"of": r.Of, "channel": m.Channel, "force": r.Force, "reason_given": r.Why != "",
	}}
	if err := s.db.record(act, row); err != nil {
		return id, false, err
	}
	s.db.insertMessage(&message{Message: m, by: act.By, why: r.Why})
	if r.Key.Key != "" {
		s.db.remember(act.At, r.Key, m.ID)
	}
	return m.ID, false, s.lose("AddResend")
}

// mayResend refuses what the customer or the recipient does not want and, unless it is forced, what has just left.
func (db *database) mayResend(now time.Time, r *notify.Resend) error {
	if kind := notify.MilestoneOf(r.Line, r.Milestone); kind != nil {
		c := db.customers[r.CustomerID]
		if no := c.Refuses(r.Channel, kind.Category).Refusal(); no != nil {
			return no
		}
	}
	if n, stopped := db.stoppedNumber(r.Address); stopped && r.Channel == notify.SMS {
		return notify.StoppedRefusal(n.Source)
	}
	if no := db.unsettled(now, r); no != nil {
		return no
	}
	if r.Force {
		return nil
	}
	var left time.Time
	for _, m := range db.messages {
		if m.EventID != r.EventID || m.Channel != r.Channel {
			continue
		}
		switch {
		case m.State == notify.Accepted || m.State == notify.Sent || m.State == notify.Delivered:
			left = latest(left, m.UpdatedAt)
		case m.ResendNo > 0 && (m.State == notify.Pending || m.State == notify.Sending || m.State == notify.Verify):
			left = latest(left, m.CreatedAt)
		}
	}
	if ago := millis(now).Sub(left); ago < notify.JustSent {
		return notify.JustSentRefusal(max(ago, 0))
	}
	return nil
}

// unsettled refuses a text while another one of its event to the same number may still arrive.
func (db *database) unsettled(now time.Time, r *notify.Resend) *notify.Refusal {
	for _, m := range db.messages {
		recent := m.ResendNo > 0 && now.Sub(m.CreatedAt) < notify.JustSent
		if r.Channel != notify.SMS || m.EventID != r.EventID || m.Channel != r.Channel || m.Address != r.Address || recent {
			continue
		}
		if no := notify.UnsettledRefusal(m.State, r.Force); no != nil {
			return no
		}
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (db *database) lastResend(of *notify.Message) (no int) {
	for _, m := range db.messages {
		if m.EventID == of.EventID && m.Channel == of.Channel {
			no = max(no, m.ResendNo)
		}
	}
	return no
}

// answer is the message that a key made before.
func (db *database) answer(idem notify.Idempotent) (id notify.ID, made bool, err error) {
	key := call{idem.Principal, idem.Key}
	was, ok := db.calls[key]
	if ok && was.BodyHash != idem.BodyHash {
		return id, false, notify.ErrKeyReused
	}
	return db.answers[key], ok, nil
}

// Repeated returns the message that an earlier AddResend under the same key made. Errors: notify.ErrKeyReused.
func (s *Store) Repeated(ctx context.Context, idem notify.Idempotent) (id notify.ID, made bool, err error) {
	leave, err := s.enter(ctx, "Repeated")
	if err != nil {
		return id, false, err
	}
	defer leave()
	return s.db.answer(idem)
}
