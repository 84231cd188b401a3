package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"onmyway/notify"
)

// isDigest is the condition of a text that tells the news of several messages. Newer news of one order does not supersede it: it
// is written anew before it is tried again.
const isDigest = `(template = '` + notify.DigestTemplate + `')`

// toldBack is how much older than a digest a text may be that it tells: no news stays true for so long.
const toldBack = 60 * 24 * time.Hour

// heldList are the columns of a HeldText.
const heldList = messageList + `, (SELECT data FROM events WHERE events.id = messages.event_id),
	EXISTS (SELECT 1 FROM messages AS n WHERE n.order_id = messages.order_id AND n.id > messages.id AND n.line = messages.line
		AND n.customer_id = messages.customer_id AND n.channel = 'sms' AND n.resend_no = 0 AND n.event_id <> messages.event_id
		AND (n.standing OR NOT messages.standing))`

func heldQuery(d dialect) string {
	return `SELECT ` + heldList + ` FROM messages` + d.by("messages_owner") + ` WHERE owner = '` + heldBy + `' AND ` + inFlight + `
		AND state = 'pending' AND due_at <= $1 ORDER BY address, customer_id, id LIMIT $2`
}

// toldQuery finds the messages of a number that a digest tells: their history names it.
func toldQuery(d dialect) string {
	return `SELECT ` + heldList + ` FROM messages` + d.by("messages_phone") + ` WHERE channel = 'sms' AND address = $1 AND state = 'suppressed'
		AND id >= $2 AND customer_id = $3 AND reason = 'digested' AND history LIKE $4`
}

// Held implements notify.HeldTexts.
func (s *Store) Held(ctx context.Context, now time.Time, limit int) ([]notify.HeldText, error) {
	texts, err := s.heldTexts(ctx, heldQuery(s.dialect), millis(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list texts that were held: %w", err)
	}
	return texts, nil
}

// Told implements notify.HeldTexts.
func (s *Store) Told(ctx context.Context, digest *notify.Message) ([]notify.HeldText, error) {
	floor := notify.FirstID(digest.OccurredAt.Add(-toldBack))
	texts, err := s.heldTexts(ctx, toldQuery(s.dialect), digest.Address, floor[:], digest.CustomerID, "%"+notify.ToldIn(digest.ID)+"%")
	if err != nil {
		return nil, fmt.Errorf("list what digest %s tells: %w", digest.ID, err)
	}
	return texts, nil
}

func (s *Store) heldTexts(ctx context.Context, query string, args ...any) (texts []notify.HeldText, err error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var t notify.HeldText
		err := scan(append(messageFields(&t.Message), &t.Data, &t.Outdated)...)
		texts = append(texts, t)
		return err
	})
	return texts, err
}

// Digest implements notify.HeldTexts.
func (s *Store) Digest(ctx context.Context, now time.Time, d *notify.Digest) (done bool, err error) {
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		if done, err = s.stillWait(ctx, tx, d.Waiting); err != nil || !done {
			return err
		}
		told := 0
		for i := range d.Moves {
			if d.Moves[i].Reason == notify.Digested {
				told++
			}
			if err := s.moveHeld(ctx, tx, now, &d.Moves[i], d.Carrier); err != nil {
				return err
			}
		}
		if d.Carrier == nil {
			return nil
		}
		return s.carry(ctx, tx, now, d.Carrier, told)
	})
	if err != nil {
		if isUnclear(err) && d.Carrier != nil {
			s.unsure.mayHaveClaimed([]notify.ID{d.Carrier.ID})
		}
		return false, fmt.Errorf("store what becomes of %d texts that were held: %w", len(d.Waiting), err)
	}
	return done, nil
}

// stillWait locks texts and tells whether all of them still wait: held, or claimed by this process.
func (s *Store) stillWait(ctx context.Context, tx *sql.Tx, ids []notify.ID) (bool, error) {
	d := s.dialect
	rows, err := tx.QueryContext(ctx, `SELECT id FROM messages WHERE id`+d.inIDs(2)+` AND state = 'pending'
		AND owner IN ('`+heldBy+`', $1) ORDER BY id`+d.forUpdate(), s.me, d.ids(ids))
	if err != nil {
		return false, err
	}
	wait := 0
	_, err = drain(rows, func(scan func(...any) error) error {
		var id notify.ID
		wait++
		return scan(idOf{&id})
	})
	return wait == len(ids), err
}

// moveHeld holds a text on, lets it go, or suppresses it. What a digest told before may turn out to be no news any more.
func (s *Store) moveHeld(ctx context.Context, tx *sql.Tx, now time.Time, o *notify.Outcome, carrier *notify.Message) error {
	if o.State == notify.Pending {
		const hold = `UPDATE messages SET reason = $2, due_at = $3, owner = CASE WHEN $2 <> '' THEN '` + heldBy + `' END WHERE id = $1`
		_, err := tx.ExecContext(ctx, hold, o.Message[:], string(o.Reason), millis(o.DueAt))
		return err
	}
	noted := step{At: millis(now), State: o.State, Reason: o.Reason}
	if o.Reason == notify.Digested {
		noted.Detail = notify.ToldIn(carrier.ID)
	}
	note, err := noted.json()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE messages SET state = 'suppressed', reason = $2, owner = NULL, updated_at = $3, `+
		noteStep("CAST($4 AS TEXT)")+` WHERE id = $1 AND (state = 'pending' OR state = 'suppressed' AND reason = 'digested')`,
		o.Message[:], string(o.Reason), millis(now), note)
	return err
}

// carry makes a text tell the news of others besides its own, and this process's own.
func (s *Store) carry(ctx context.Context, tx *sql.Tx, now time.Time, m *notify.Message, told int) error {
	if !clean(m.Body, m.Locale, m.Asked, m.Template) {
		return fmt.Errorf("store digest %s: a text has NUL or broken UTF-8: %w", m.ID, notify.ErrBadRow)
	}
	note, err := step{At: millis(now), State: notify.Pending, Detail: notify.Carries(told)}.json()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE messages SET body = $2, template = $3, locale = $4, asked = $5, expires_at = $6, due_at = $7,
		updated_at = $8, reason = '', owner = $9, `+noteStep("CAST($10 AS TEXT)")+` WHERE id = $1`,
		m.ID[:], m.Body, m.Template, m.Locale, m.Asked, millis(m.ExpiresAt), millis(m.DueAt), millis(now), s.me, note)
	return err
}
