package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"onmyway/notify"
)

// AddResend implements notify.ResendStore: it stores a pending message for anybody to claim. An empty key is none. Errors:
// *notify.Refusal; notify.ErrKeyReused; notify.ErrNotFound when the event of the message is not stored.
func (s *Store) AddResend(ctx context.Context, act notify.Act, r *notify.Resend) (id notify.ID, again bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		id, again, err = s.addResend(ctx, tx, act, r)
		return err
	})
	if err != nil {
		return notify.ID{}, false, fmt.Errorf("store a resend of message %s: %w", r.Of, err)
	}
	return id, again, nil
}

func (s *Store) addResend(ctx context.Context, tx *sql.Tx, act notify.Act, r *notify.Resend) (id notify.ID, again bool, err error) {
	// The lock on the event's row makes resends of one event wait for each other.
	var e notify.Event
	q := `SELECT event_key, occurred_at FROM events WHERE id = $1` + s.dialect.forUpdate()
	switch err := tx.QueryRowContext(ctx, q, r.EventID[:]).Scan(&e.Key, timeIn{&e.OccurredAt}); {
	case errors.Is(err, sql.ErrNoRows):
		return id, false, fmt.Errorf("event %s: %w", r.EventID, notify.ErrNotFound)
	case err != nil:
		return id, false, err
	}
	// A repeat gets its answer before it is asked whether the first has just left.
	if id, err = madeBefore(ctx, tx, r.Key); !errors.Is(err, sql.ErrNoRows) {
		return id, err == nil, err
	}
	if err := s.wanted(ctx, tx, &r.Message); err != nil {
		return id, false, err
	}
	if err := s.unsettled(ctx, tx, act.At, r); err != nil {
		return id, false, err
	}
	if !r.Force {
		if err := justSent(ctx, tx, act.At, &r.Message); err != nil {
			return id, false, err
		}
	}
	m := r.Message
	if m.ResendNo, err = nextResend(ctx, tx, &m); err != nil {
		return id, false, err
	}
	m.ID, m.ResendOf = notify.MessageID(&e, m.Channel, m.Address, m.ResendNo), r.Of
	if r.Key.Key != "" {
		if id, again, err = remember(ctx, tx, act.At, r.Key, m.ID); err != nil || again {
			return id, again, err
		}
	}
	return m.ID, false, s.insertResend(ctx, tx, act, r, m)
}

// insertResend stores the message m of a resend and its audit.
func (s *Store) insertResend(ctx context.Context, tx *sql.Tx, act notify.Act, r *notify.Resend, m notify.Message) error {
	m.State, m.Reason, m.Attempt, m.ProviderID = notify.Pending, "", 0, ""
	m.CreatedAt, m.UpdatedAt, m.RecordedAt, m.Trace = act.At, act.At, time.Time{}, ""
	if m.DueAt.IsZero() {
		m.DueAt = act.At
	}
	row, err := appendMessage(nil, &m, "", asked{act.By, r.Why})
	if err == nil {
		_, err = s.run(ctx, tx, insertMessages, row, nil)
	}
	if err != nil {
		return err
	}
	return s.record(ctx, tx, act, deed{notify.DidResend, "message:" + m.ID.String(), map[string]any{
		"of": r.Of, "channel": m.Channel, "force": r.Force, "reason_given": r.Why != "",
	}})
}

// unsettled refuses a text while another one of its event to the same number may still arrive. What another resend made
// moments ago is left to justSent, which force overrides.
func (s *Store) unsettled(ctx context.Context, tx *sql.Tx, now time.Time, r *notify.Resend) error {
	if r.Channel != notify.SMS {
		return nil
	}
	const q = `SELECT state FROM messages WHERE order_id = $1 AND event_id = $2 AND channel = 'sms' AND address = $3
		AND state IN ('pending', 'sending', 'verify', 'unknown') AND (resend_no = 0 OR created_at <= $4)`
	rows, err := tx.QueryContext(ctx, q, r.OrderID, r.EventID[:], r.Address, millis(now.Add(-notify.JustSent)))
	if err != nil {
		return err
	}
	var refusal *notify.Refusal
	if _, err := drain(rows, func(scan func(...any) error) error {
		var state notify.State
		err := scan(&state)
		if no := notify.UnsettledRefusal(state, r.Force); no != nil {
			refusal = no
		}
		return err
	}); err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	return nil
}

// justSent refuses news that have left on the channel of m within notify.JustSent, or are about to because somebody asked.
func justSent(ctx context.Context, tx *sql.Tx, now time.Time, m *notify.Message) error {
	const q = `SELECT COALESCE(max(CASE WHEN state IN ('accepted', 'sent', 'delivered') THEN updated_at ELSE created_at END), 0)
		FROM messages WHERE order_id = $1 AND event_id = $2 AND channel = $3 AND (state IN ('accepted', 'sent', 'delivered')
		OR resend_no > 0 AND state IN ('pending', 'sending', 'verify'))`
	var left time.Time
	if err := tx.QueryRowContext(ctx, q, m.OrderID, m.EventID[:], string(m.Channel)).Scan(timeIn{&left}); err != nil {
		return err
	}
	if ago := now.Sub(left); ago < notify.JustSent {
		return notify.JustSentRefusal(max(ago, 0))
	}
	return nil
}

// wanted refuses a message that its customer or recipient does not want. The customer's row stays locked: a choice made from here on
// finds the message.
func (s *Store) wanted(ctx context.Context, tx *sql.Tx, m *notify.Message) error {
	kind := notify.MilestoneOf(m.Line, m.Milestone)
	if kind == nil {
		return s.allowed(ctx, tx, m)
	}
	c, err := scanCustomer(tx.QueryRowContext(ctx, `SELECT `+customerList+` FROM customers WHERE id = $1`+s.dialect.forShare(), m.CustomerID).Scan)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if no := c.Refuses(m.Channel, kind.Category).Refusal(); no != nil {
		return no
	}
	return s.allowed(ctx, tx, m)
}

// allowed refuses a text to a number that gets none.
func (s *Store) allowed(ctx context.Context, tx *sql.Tx, m *notify.Message) error {
	if m.Channel != notify.SMS {
		return nil
	}
	why, stopped, err := s.stoppedNumber(ctx, tx, m.Address)
	if err == nil && stopped {
		return notify.StoppedRefusal(why.Source)
	}
	return err
}

// nextResend is the number of the next resend of an event on a channel.
func nextResend(ctx context.Context, tx *sql.Tx, m *notify.Message) (n int, err error) {
	const q = `SELECT COALESCE(max(resend_no), 0) + 1 FROM messages WHERE order_id = $1 AND event_id = $2 AND channel = $3`
	err = tx.QueryRowContext(ctx, q, m.OrderID, m.EventID[:], string(m.Channel)).Scan(&n)
	return n, err
}

// remember stores which message an idempotency key made, or returns the one that it made before.
func remember(ctx context.Context, tx *sql.Tx, now time.Time, idem notify.Idempotent, made notify.ID) (id notify.ID, again bool, err error) {
	const insert = `INSERT INTO idempotency (principal, key, body_hash, message_id, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`
	result, err := tx.ExecContext(ctx, insert, idem.Principal, idem.Key, idem.BodyHash[:], made[:], millis(now))
	if err != nil {
		return id, false, err
	}
	if n, err := affected(result); err != nil || n == 1 {
		return made, false, err
	}
	id, err = madeBefore(ctx, tx, idem)
	return id, err == nil, err
}

// Repeated returns the message that an earlier call under the same idempotency key made. It returns notify.ErrKeyReused
// when that call asked for something else.
func (s *Store) Repeated(ctx context.Context, key notify.Idempotent) (id notify.ID, made bool, err error) {
	switch id, err = madeBefore(ctx, s.read, key); {
	case errors.Is(err, sql.ErrNoRows):
		return id, false, nil
	case errors.Is(err, notify.ErrKeyReused):
		return id, false, err
	case err != nil:
		return id, false, fmt.Errorf("look up an idempotency key: %w", err)
	}
	return id, true, nil
}

// asker is a database or a transaction.
type asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// madeBefore is the message that an idempotency key made. Errors: sql.ErrNoRows; notify.ErrKeyReused.
func madeBefore(ctx context.Context, q asker, idem notify.Idempotent) (id notify.ID, err error) {
	const stored = `SELECT body_hash, message_id FROM idempotency WHERE principal = $1 AND key = $2`
	var hash []byte
	if err := q.QueryRowContext(ctx, stored, idem.Principal, idem.Key).Scan(&hash, idOf{&id}); err != nil {
		return notify.ID{}, err
	}
	if !bytes.Equal(hash, idem.BodyHash[:]) {
		return notify.ID{}, notify.ErrKeyReused
	}
	return id, nil
}
