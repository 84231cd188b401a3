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

// AddResend stores m as a new pending message made from another one, for anybody to claim. Of m it keeps what is to be
// said, to whom and when; ID, ResendOf, ResendNo and State are set. The same idempotency key gives the same message, with
// again set; an empty key is none. Errors: notify.ErrKeyReused; notify.ErrNotFound when the event of m is not stored.
func (s *Store) AddResend(ctx context.Context, now time.Time, of notify.ID, m notify.Message, by, why string, idem notify.Idempotent) (id notify.ID, again bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		// The lock on the event's row makes resends of one event wait for each other.
		var e notify.Event
		q := `SELECT event_key, occurred_at FROM events WHERE id = $1` + s.dialect.forUpdate()
		err := tx.QueryRowContext(ctx, q, m.EventID[:]).Scan(&e.Key, timeIn{&e.OccurredAt})
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("event %s: %w", m.EventID, notify.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if err := s.wanted(ctx, tx, &m); err != nil {
			return err
		}
		if m.ResendNo, err = nextResend(ctx, tx, &m); err != nil {
			return err
		}
		id = notify.MessageID(&e, m.Channel, m.Address, m.ResendNo)
		if idem.Key != "" {
			id, again, err = remember(ctx, tx, now, idem, id)
			if err != nil || again {
				return err
			}
		}
		m.ID, m.ResendOf, m.State, m.Reason = id, of, notify.Pending, ""
		m.CreatedAt, m.UpdatedAt, m.Attempt, m.ProviderID = now, now, 0, ""
		if m.DueAt.IsZero() {
			m.DueAt = now
		}
		row, err := appendMessage(nil, &m, "", asked{by, why})
		if err == nil {
			_, err = s.run(ctx, tx, insertMessages, row, nil)
		}
		return err
	})
	if err != nil {
		return notify.ID{}, false, fmt.Errorf("store a resend of message %s: %w", of, err)
	}
	return id, again, nil
}

// wanted refuses a message that its customer does not want. The customer's row stays locked: a choice made from here on
// finds the message.
func (s *Store) wanted(ctx context.Context, tx *sql.Tx, m *notify.Message) error {
	kind := notify.MilestoneOf(m.Line, m.Milestone)
	if kind == nil {
		return nil
	}
	c, err := scanCustomer(tx.QueryRowContext(ctx, `SELECT `+customerList+` FROM customers WHERE id = $1`+s.dialect.forShare(), m.CustomerID).Scan)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if !c.Preferences.Allows(m.Channel, kind.Category) {
		return notify.OptedOutRefusal()
	}
	return nil
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
