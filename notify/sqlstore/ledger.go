package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"onmyway/notify"
)

func oursQuery(d dialect) string {
	return `SELECT id FROM messages WHERE id` + d.inIDs(2) + ` AND state = 'pending' AND owner = $1`
}

// Ours implements notify.Ledger.
func (s *Store) Ours(ctx context.Context, ms []*notify.Message, ok []bool) error {
	at := make(map[notify.ID]int, len(ms))
	ids := make([]notify.ID, len(ms))
	for i, m := range ms {
		ok[i], at[m.ID], ids[i] = false, i, m.ID
	}
	rows, err := s.ask(ctx, oursQuery(s.dialect), s.me, s.dialect.ids(ids))
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
	var stopped []string // numbers that the provider refuses
	write := func(tx *sql.Tx) error {
		if err := s.forget(ctx, tx, done); err != nil { // customers before messages, as in Add and EditCustomer
			return err
		}
		for _, rows := range rounds {
			if _, err := s.run(ctx, tx, finish, rows, nil); err != nil {
				return err
			}
		}
		stopped, err = s.stopRefused(ctx, tx, now, done)
		return err
	}
	if err == nil {
		err = s.untilFree(func() error { return s.inTxTogether(ctx, len(done), write) })
	}
	if err == nil && len(stopped) > 0 {
		err = s.silence(ctx, now, stopped...)
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
			int64(a.No), !a.StartedAt.IsZero(), string(attempt), a.ProviderID, recorded(a.No))
	}
	return rounds, nil
}

// recorded is the LIKE pattern of attempts that have one with a number: a quote inside of a text is written with a backslash.
func recorded(no int) string { return `%{"no":` + strconv.Itoa(no) + `,%` }

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

// HandBack implements notify.Ledger.
func (s *Store) HandBack(ctx context.Context, now time.Time, back []notify.Handback) error {
	var plain []notify.ID
	var waiting cells
	for _, b := range back {
		if b.DueAt.IsZero() && b.Reason == "" {
			plain = append(plain, b.Message)
			continue
		}
		waiting = append(waiting, b.Message[:], s.me, millis(now), millis(b.DueAt), string(b.Reason))
	}
	err := s.release(ctx, plain)
	if err == nil && len(waiting) > 0 {
		err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
			_, err := s.run(ctx, tx, handBack, waiting, nil)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("hand %d messages back: %w", len(back), err)
	}
	return nil
}

// release makes messages that are pending and ours nobody's, as they are.
func (s *Store) release(ctx context.Context, ids []notify.ID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := s.db.ExecContext(ctx, `UPDATE messages SET owner = NULL WHERE id`+s.dialect.inIDs(2)+`
		AND state = 'pending' AND owner = $1`, s.me, s.dialect.ids(ids))
	return err
}
