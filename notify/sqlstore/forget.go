package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"onmyway/notify"
)

// Ids begin with the time of their event, so what is old lies at one end of the primary key. A step first reads the keys of
// the next rows there, which locks nothing, and then deletes within their range.
const (
	forgetMessages = `DELETE FROM messages WHERE id >= $1 AND id <= $2 AND created_at < $3
		AND state NOT IN ('pending', 'sending', 'verify')`
	// The id of a message has the time of its event, also that of a resend: those about the events of a range are in the
	// same range of time.
	forgetEvents = `DELETE FROM events WHERE id >= $1 AND id <= $2 AND received_at < $3
		AND id NOT IN (SELECT event_id FROM messages WHERE id >= $4 AND id <= $5) RETURNING order_id`
	// A resend locks its event. One that has just stored its message is seen by the statement after this one, and one that
	// comes now waits, and finds no event.
	eventsToForget = `SELECT id FROM events WHERE id >= $1 AND id <= $2 AND received_at < $3 ORDER BY id`
	forgetLetters  = `DELETE FROM dead_letters WHERE id >= $1 AND id <= $2 AND at < $3`
	// These keys are few, since only people's acts make them, and in no order of time: a round reads them all.
	nextAnswers   = `SELECT principal, key FROM idempotency WHERE (principal, key) > ($1, $2) ORDER BY principal, key LIMIT $3`
	forgetAnswers = `DELETE FROM idempotency WHERE (principal, key) > ($1, $2) AND (principal, key) <= ($3, $4) AND created_at < $5`
)

// nextKeys reads the keys of rows that are old, behind a place.
func nextKeys(table notify.Kept) string {
	return `SELECT id FROM ` + string(table) + ` WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`
}

// forgetHeads passes over heads that somebody writes now: their order has news. When an event comes right after its head has
// left, Add finds that the head has moved and decides again.
func forgetHeads(d dialect) string {
	return `DELETE FROM order_heads WHERE (order_id, line) IN (SELECT order_id, line FROM order_heads AS h
		WHERE order_id` + d.inTexts(1) + ` AND updated_at < $2
		AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.order_id = h.order_id AND e.line = h.line)` + d.skipLocked() + `)`
}

// Forget implements notify.Archive.
func (s *Store) Forget(ctx context.Context, table notify.Kept, before time.Time, from string, limit int) (f notify.Forgotten, err error) {
	switch table {
	case notify.KeptMessages, notify.KeptEvents, notify.KeptLetters:
		f, err = s.forgetByID(ctx, table, before, from, limit)
	case notify.KeptAnswers:
		f, err = s.forgetAnswers(ctx, before, from, limit)
	default:
		err = fmt.Errorf("%q is no table whose rows leave", table)
	}
	if err != nil {
		return notify.Forgotten{}, fmt.Errorf("forget up to %d rows: %w", limit, err)
	}
	return f, nil
}

// forgetByID takes a step in a table whose keys are ids. A place is the bytes of an id.
func (s *Store) forgetByID(ctx context.Context, table notify.Kept, before time.Time, from string, limit int) (f notify.Forgotten, err error) {
	var after notify.ID
	floor := notify.FirstID(before)
	copy(after[:], from)
	ids, err := s.ids(ctx, nextKeys(table), []any{after[:], floor[:], limit})
	if err != nil || len(ids) == 0 {
		return f, err
	}
	first, last := ids[0], ids[len(ids)-1]
	if len(ids) == limit {
		f.Next = string(last[:])
	}
	args := []any{first[:], last[:], millis(before)}
	f.Held, err = s.holding(ctx, func(tx *sql.Tx) error {
		if table == notify.KeptEvents {
			f.Rows, f.Heads, err = s.forgetEvents(ctx, tx, first, last, before)
			return err
		}
		q := forgetMessages
		if table == notify.KeptLetters {
			q = forgetLetters
		}
		f.Rows, err = exec(ctx, tx, q, args...)
		return err
	})
	return f, err
}

// forgetEvents deletes events that no message is about, and the heads of orders that have none any more.
func (s *Store) forgetEvents(ctx context.Context, tx *sql.Tx, first, last notify.ID, before time.Time) (events, heads int, err error) {
	if lock := s.dialect.forUpdate(); lock != "" { // where there are several writers
		if _, err := tx.ExecContext(ctx, eventsToForget+lock, first[:], last[:], millis(before)); err != nil {
			return 0, 0, err
		}
	}
	low, high := sameTime(first, 0), sameTime(last, 0xff)
	rows, err := tx.QueryContext(ctx, forgetEvents, first[:], last[:], millis(before), low[:], high[:])
	if err != nil {
		return 0, 0, err
	}
	var orders []string
	n, err := drain(rows, func(scan func(...any) error) error {
		var order string
		err := scan(&order)
		orders = append(orders, order)
		return err
	})
	if err != nil || n == 0 {
		return int(n), 0, err
	}
	slices.Sort(orders)
	orders = slices.Compact(orders)
	heads, err = exec(ctx, tx, forgetHeads(s.dialect), s.dialect.texts(orders), millis(before))
	return int(n), heads, err
}

// sameTime is the first or the last that an id of the same time could be.
func sameTime(id notify.ID, rest byte) notify.ID {
	for i := 6; i < len(id); i++ {
		id[i] = rest
	}
	return id
}

// forgetAnswers takes a step in the table of idempotency keys. A place is a principal and a key, neither of which has a NUL.
func (s *Store) forgetAnswers(ctx context.Context, before time.Time, from string, limit int) (f notify.Forgotten, err error) {
	principal, key, _ := strings.Cut(from, "\x00")
	rows, err := s.read.QueryContext(ctx, nextAnswers, principal, key, limit)
	if err != nil {
		return f, err
	}
	var lastPrincipal, lastKey string
	n, err := drain(rows, func(scan func(...any) error) error { return scan(&lastPrincipal, &lastKey) })
	if err != nil || n == 0 {
		return f, err
	}
	if int(n) == limit {
		f.Next = lastPrincipal + "\x00" + lastKey
	}
	f.Held, err = s.holding(ctx, func(tx *sql.Tx) error {
		f.Rows, err = exec(ctx, tx, forgetAnswers, principal, key, lastPrincipal, lastKey, millis(before))
		return err
	})
	return f, err
}

// holding runs f in a transaction and tells for how long that was in the way of others. Waiting for the lock is not.
func (s *Store) holding(ctx context.Context, f func(tx *sql.Tx) error) (held time.Duration, err error) {
	var began time.Time
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		began = time.Now()
		return f(tx)
	})
	return time.Since(began), err
}

func exec(ctx context.Context, tx *sql.Tx, q string, args ...any) (int, error) {
	result, err := tx.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return affected(result)
}
