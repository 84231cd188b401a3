package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
)

// Begin implements notify.Ledger.
func (s *Store) Begin(ctx context.Context, now time.Time, ms []*notify.Message, ok []bool) error {
	again := s.unsure.takeBegun(ms)
	err := s.inTx(ctx, func(tx *sql.Tx) error { return s.begin(ctx, tx, now, ms, ok, again) })
	if err == nil {
		return nil
	}
	clear(ok)
	// The caller sends nothing after an error: what is "sending" by then may begin once more.
	if isUnclear(err) {
		again = again[:0]
		for _, m := range ms {
			again = append(again, m.ID)
		}
	}
	s.unsure.mayHaveBegun(now, again)
	return fmt.Errorf("begin %d messages: %w", len(ms), err)
}

func (s *Store) begin(ctx context.Context, tx *sql.Tx, now time.Time, ms []*notify.Message, ok []bool, again []notify.ID) error {
	at := make(map[notify.ID]int, len(ms))
	ids := make([]notify.ID, len(ms))
	for i, m := range ms {
		ok[i], at[m.ID], ids[i] = false, i, m.ID
	}
	d := s.dialect
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET state = 'suppressed', reason = 'expired', owner = NULL, updated_at = $1
		WHERE id`+d.inIDs(3)+` AND state = 'pending' AND owner = $2 AND expires_at <= $1`, millis(now), s.me, d.ids(ids)); err != nil {
		return err
	}
	begun := func(scan func(...any) error) error {
		var id notify.ID
		var attempt int
		err := scan(idOf{&id}, &attempt)
		if i, known := at[id]; known && err == nil {
			ms[i].Attempt, ok[i] = attempt, true
		}
		return err
	}
	if len(again) > 0 {
		rows, err := tx.QueryContext(ctx, `SELECT id, attempt FROM messages
			WHERE id`+d.inIDs(2)+` AND state = 'sending' AND owner = $1`, s.me, d.ids(again))
		if err == nil {
			_, err = drain(rows, begun)
		}
		if err != nil {
			return err
		}
	}
	rows, err := tx.QueryContext(ctx, `UPDATE messages SET state = 'sending', attempt = attempt + 1, updated_at = $1
		WHERE id`+d.inIDs(3)+` AND state = 'pending' AND owner = $2 AND due_at <= $1 AND expires_at > $1
		RETURNING id, attempt`, millis(now), s.me, d.ids(ids))
	if err == nil {
		_, err = drain(rows, begun)
	}
	return err
}

// Ours implements notify.Ledger.
func (s *Store) Ours(ctx context.Context, ms []*notify.Message, ok []bool) error {
	at := make(map[notify.ID]int, len(ms))
	ids := make([]notify.ID, len(ms))
	for i, m := range ms {
		ok[i], at[m.ID], ids[i] = false, i, m.ID
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM messages WHERE id`+s.dialect.inIDs(2)+`
		AND state = 'pending' AND owner = $1`, s.me, s.dialect.ids(ids))
	if err == nil {
		_, err = drain(rows, func(scan func(...any) error) error {
			var id notify.ID
			err := scan(idOf{&id})
			if i, known := at[id]; known && err == nil {
				ok[i] = true
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("ask for %d messages: %w", len(ms), err)
	}
	return nil
}

// Finish implements notify.Ledger.
func (s *Store) Finish(ctx context.Context, now time.Time, done []notify.Outcome) error {
	rounds, err := s.rounds(now, done)
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			if err := s.forget(ctx, tx, done); err != nil { // customers before messages, as in Add and PutCustomer
				return err
			}
			for _, rows := range rounds {
				if _, err := s.run(ctx, tx, finish, rows, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("store %d outcomes: %w", len(done), err)
	}
	return nil
}

// rounds are the rows of outcomes, cut so that no statement meets a message twice: it would follow any one of them.
func (s *Store) rounds(now time.Time, done []notify.Outcome) ([]cells, error) {
	rounds := []cells{make(cells, 0, len(done)*len(finish.given))}
	met := make(map[notify.ID]int, len(done))
	for i := range done {
		o := &done[i]
		a := o.Attempt
		a.StartedAt, a.FinishedAt = timeOf(millis(a.StartedAt)), timeOf(millis(a.FinishedAt))
		attempt, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		n := met[o.Message]
		met[o.Message]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], o.Message[:], s.me, millis(now), string(o.State), string(o.Reason), millis(o.DueAt),
			int64(a.No), !a.StartedAt.IsZero(), string(attempt), a.ProviderID)
	}
	return rounds, nil
}

// forget deletes push subscriptions that are gone.
func (s *Store) forget(ctx context.Context, tx *sql.Tx, done []notify.Outcome) error {
	var gone []string
	for i := range done {
		if done[i].Forget != "" {
			gone = append(gone, done[i].Forget)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	slices.Sort(gone)
	d := s.dialect
	err := touch(ctx, tx, `id IN (SELECT customer_id FROM push_subscriptions WHERE id`+d.inTexts(1)+`)`, d.texts(gone))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM push_subscriptions WHERE id`+d.inTexts(1), d.texts(gone))
	return err
}

// Release implements notify.Ledger.
func (s *Store) Release(ctx context.Context, ids []notify.ID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.db.ExecContext(ctx, `UPDATE messages SET owner = NULL WHERE id`+s.dialect.inIDs(2)+`
		AND state = 'pending' AND owner = $1`, s.me, s.dialect.ids(ids))
	if err != nil {
		return fmt.Errorf("release %d messages: %w", len(ids), err)
	}
	return nil
}
