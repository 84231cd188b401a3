package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
)

// Stop implements notify.OptOuts. When it returns, nothing for the number that is not on its way begins any more, on any
// node. See silence for how.
func (s *Store) Stop(ctx context.Context, now time.Time, in notify.Inbound) (changed bool, locales []string, err error) {
	act := notify.Act{At: now, By: notify.ByRecipient}
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		changed = false
		if fresh, err := first(ctx, tx, now, in, notify.KeywordStop); err != nil || !fresh {
			return err
		}
		changed, err = s.stop(ctx, tx, act, in.From, notify.StoppedByReply, "")
		return err
	})
	if err == nil {
		err = s.silence(ctx, now, in.From)
	}
	if err == nil {
		locales, err = s.localesOf(ctx, in.From)
	}
	if err != nil {
		return false, nil, fmt.Errorf("stop a number: %w", err)
	}
	return changed, locales, nil
}

// Start implements notify.OptOuts. What staff have stopped stays stopped, and then nothing has changed.
func (s *Store) Start(ctx context.Context, now time.Time, in notify.Inbound) (changed bool, locales []string, err error) {
	act := notify.Act{At: now, By: notify.ByRecipient}
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		changed = false
		if fresh, err := first(ctx, tx, now, in, notify.KeywordStart); err != nil || !fresh {
			return err
		}
		lifted, err := s.start(ctx, tx, act, in.From, "", notify.StoppedByReply, notify.StoppedByProvider)
		if err != nil || !lifted {
			return err
		}
		_, still, err := s.stoppedNumber(ctx, tx, in.From)
		changed = !still
		return err
	})
	if err == nil {
		locales, err = s.localesOf(ctx, in.From)
	}
	if err != nil {
		return false, nil, fmt.Errorf("start a number: %w", err)
	}
	return changed, locales, nil
}

// StopNumber makes a number (E.164) get no texts, because staff say so. Why is stored for them. A number that staff have
// stopped already stays as it is. It returns the stop of staff that holds.
func (s *Store) StopNumber(ctx context.Context, act notify.Act, phone, why string) (held notify.StoppedNumber, err error) {
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		for {
			if _, err := s.stop(ctx, tx, act, phone, notify.StoppedByStaff, why); err != nil {
				return err
			}
			held.Source = notify.StoppedByStaff
			const q = `SELECT since, who, why FROM stopped_numbers WHERE address = $1 AND source = $2`
			err := tx.QueryRowContext(ctx, q, phone, string(held.Source)).Scan(timeIn{&held.Since}, &held.By, &held.Why)
			if !errors.Is(err, sql.ErrNoRows) { // else one that was there has just been lifted
				return err
			}
		}
	})
	if err == nil {
		err = s.silence(ctx, act.At, phone)
	}
	if err != nil {
		return notify.StoppedNumber{}, fmt.Errorf("stop a number: %w", err)
	}
	return held, nil
}

// AllowNumber lifts what StopNumber did. Why is stored for staff. It does nothing where staff have lifted it within
// notify.LiftedLately. Errors: notify.ErrNotStaffs when somebody else stopped the number, notify.ErrNotFound when nobody did.
func (s *Store) AllowNumber(ctx context.Context, act notify.Act, phone, why string) error {
	err := s.inTxAgain(ctx, func(tx *sql.Tx) error {
		lifted, err := s.start(ctx, tx, act, phone, why, notify.StoppedByStaff)
		if err != nil || lifted {
			return err
		}
		other, stopped, err := s.stoppedNumber(ctx, tx, phone)
		if err != nil {
			return err
		}
		const q = `SELECT COALESCE(max(lifted_at), 0) FROM lifted_stops WHERE address = $1 AND source = $2`
		var before time.Time
		err = tx.QueryRowContext(ctx, q, phone, string(notify.StoppedByStaff)).Scan(timeIn{&before})
		switch {
		case err != nil || act.At.Sub(before) < notify.LiftedLately && !other.Since.After(before):
			return err
		case stopped:
			return notify.ErrNotStaffs
		}
		return notify.ErrNotFound
	})
	if err != nil {
		return fmt.Errorf("allow a number: %w", err)
	}
	return nil
}

// StoppedNumber tells why a number (E.164) gets no texts, and whether it is so.
func (s *Store) StoppedNumber(ctx context.Context, phone string) (notify.StoppedNumber, bool, error) {
	why, stopped, err := s.stoppedNumber(ctx, s.read, phone)
	if err != nil {
		return why, false, fmt.Errorf("ask whether a number is stopped: %w", err)
	}
	return why, stopped, nil
}

func (s *Store) stoppedNumber(ctx context.Context, q querier, phone string) (n notify.StoppedNumber, stopped bool, err error) {
	rows, err := q.QueryContext(ctx, `SELECT source, since, who, why FROM stopped_numbers WHERE address = $1`, phone)
	if err != nil {
		return n, false, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var found notify.StoppedNumber
		err := scan(&found.Source, timeIn{&found.Since}, &found.By, &found.Why)
		if !stopped || slices.Index(notify.StopSources, found.Source) < slices.Index(notify.StopSources, n.Source) {
			n, stopped = found, true
		}
		return err
	})
	return n, stopped, err
}

// first notes a text that is acted on. It tells whether it is the first time.
func first(ctx context.Context, tx *sql.Tx, now time.Time, in notify.Inbound, word notify.Keyword) (bool, error) {
	if !clean(in.From, in.ProviderID) || in.From == "" {
		return false, fmt.Errorf("the number or name of a text to us is empty or no UTF-8: %w", notify.ErrBadRow)
	}
	if in.ProviderID == "" { // nothing tells it from another one
		return true, nil
	}
	const q = `INSERT INTO inbound_texts (provider_id, address, keyword, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	result, err := tx.ExecContext(ctx, q, in.ProviderID, in.From, string(word), millis(now))
	if err != nil {
		return false, err
	}
	n, err := affected(result)
	return n == 1, err
}

// stop adds that a source wants no texts to a number. It tells whether that is news, and comes last in a transaction.
func (s *Store) stop(ctx context.Context, tx *sql.Tx, act notify.Act, phone string, source notify.StopSource, why string) (bool, error) {
	if phone == "" || !clean(phone, act.By, why) {
		return false, fmt.Errorf("the number or reason of a stop is empty or no UTF-8: %w", notify.ErrBadRow)
	}
	const q = `INSERT INTO stopped_numbers (address, source, since, who, why) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	result, err := tx.ExecContext(ctx, q, phone, string(source), millis(act.At), act.By, why)
	if err != nil {
		return false, err
	}
	if n, err := affected(result); err != nil || n == 0 {
		return false, err
	}
	return true, s.record(ctx, tx, act, stopDeed(phone, source))
}

func stopDeed(phone string, source notify.StopSource) deed {
	return deed{notify.DidStop, notify.NumberObject(phone), map[string]any{"source": source}}
}

// start takes back what sources have said of a number. It tells whether they had said anything.
func (s *Store) start(ctx context.Context, tx *sql.Tx, act notify.Act, phone, why string, sources ...notify.StopSource) (bool, error) {
	if !clean(phone, why) {
		return false, fmt.Errorf("the number or reason is no UTF-8: %w", notify.ErrBadRow)
	}
	var lifted []notify.StopSource
	for _, source := range sources {
		const keep = `INSERT INTO lifted_stops (no, address, source, since, who, why, lifted_at, lifted_by, lifted_why)
			SELECT no, address, source, since, who, why, CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT)
			FROM stopped_numbers WHERE address = $1 AND source = $2 ON CONFLICT DO NOTHING`
		if _, err := tx.ExecContext(ctx, keep, phone, string(source), millis(act.At), act.By, why); err != nil {
			return false, err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM stopped_numbers WHERE address = $1 AND source = $2`, phone, string(source))
		if err != nil {
			return false, err
		}
		if n, err := affected(result); err != nil {
			return false, err
		} else if n > 0 {
			lifted = append(lifted, source)
		}
	}
	if len(lifted) == 0 {
		return false, nil
	}
	return true, s.record(ctx, tx, act, deed{notify.DidStart, notify.NumberObject(phone), map[string]any{"sources": lifted}})
}

// silence suppresses what waits for stopped numbers, and keeps what is on its way from coming back. It runs after the stop
// is committed: a Begin that has not seen the stop began before, so its message was stored before, so this finds it and
// waits until that Begin has ended.
func (s *Store) silence(ctx context.Context, now time.Time, phones ...string) error {
	note, err := step{At: millis(now), State: notify.Suppressed, Reason: notify.Stopped}.json()
	if err != nil {
		return err
	}
	d := s.dialect
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		waiting, err := s.lockMessages(ctx, tx, waitingFor(d), d.texts(phones))
		if err != nil || len(waiting) == 0 {
			return err
		}
		ids := make([]notify.ID, len(waiting))
		for i, m := range waiting {
			ids[i] = m.ID
		}
		_, err = tx.ExecContext(ctx, `UPDATE messages SET stop = 'stopped' WHERE state IN ('sending', 'verify') AND id`+d.inIDs(1), d.ids(ids))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE messages SET state = 'suppressed', reason = 'stopped', stop = 'stopped', owner = NULL,
			updated_at = $1, `+noteStep("CAST($2 AS TEXT)")+` WHERE state = 'pending' AND id`+d.inIDs(3), millis(now), note, d.ids(ids))
		return err
	})
	if err != nil {
		return fmt.Errorf("suppress what waits for a number: %w", err)
	}
	return nil
}

// waitingFor are the texts to stopped numbers that have not left for good.
func waitingFor(d dialect) string {
	return d.by("messages_phone") + ` WHERE channel = 'sms' AND state IN ('pending', 'sending', 'verify') AND address` + d.inTexts(1) + ` AND ` + stopped
}

const localesQuery = `SELECT DISTINCT locale FROM customers WHERE phone = $1 AND phone <> '' ORDER BY locale`

// localesOf are the languages of the customers who have a number.
func (s *Store) localesOf(ctx context.Context, phone string) (locales []string, err error) {
	rows, err := s.read.QueryContext(ctx, localesQuery, phone)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var locale string
		err := scan(&locale)
		locales = append(locales, locale)
		return err
	})
	return locales, err
}

// stopRefused stores that a provider refuses texts to the numbers of outcomes, because their recipients have opted out
// there. It returns the numbers.
func (s *Store) stopRefused(ctx context.Context, tx *sql.Tx, now time.Time, done []notify.Outcome) (phones []string, err error) {
	var ids []notify.ID
	for i := range done {
		if done[i].Attempt.Reason == notify.Stopped {
			ids = append(ids, done[i].Message)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	d := s.dialect
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT address FROM messages WHERE channel = 'sms' AND id`+d.inIDs(1)+` ORDER BY address`, d.ids(ids))
	if err != nil {
		return nil, err
	}
	if _, err := drain(rows, func(scan func(...any) error) error {
		var phone string
		err := scan(&phone)
		phones = append(phones, phone)
		return err
	}); err != nil {
		return nil, err
	}
	act := notify.Act{At: now, By: notify.ByProvider}
	for _, phone := range phones {
		if _, err := s.stop(ctx, tx, act, phone, notify.StoppedByProvider, ""); err != nil {
			return nil, err
		}
	}
	return phones, nil
}
