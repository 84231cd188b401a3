package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
)

// Doubts implements notify.Unsettled. A text is unclear since its row went to verify.
func (s *Store) Doubts(ctx context.Context, now, next time.Time, limit int) ([]notify.Doubt, error) {
	var list []notify.Doubt
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		list = list[:0]
		ms, err := s.look(ctx, tx, now, notify.Verify, limit, `$1`, millis(next))
		for _, m := range ms {
			list = append(list, notify.Doubt{Message: m, Since: m.UpdatedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list unclear texts: %w", err)
	}
	slices.SortFunc(list, func(a, b notify.Doubt) int { return a.Since.Compare(b.Since) })
	return list, nil
}

// Silent implements notify.Unheard. Who comes too late for the first look has only the second.
func (s *Store) Silent(ctx context.Context, now time.Time, limit int) ([]notify.Message, error) {
	const next = `CASE WHEN taken_at + $1 > $2 THEN taken_at + $1 ELSE 0 END`
	var list []notify.Message
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		list = list[:0]
		for _, state := range []notify.State{notify.Accepted, notify.Sent} {
			ms, err := s.look(ctx, tx, now, state, limit-len(list), next, lookLate.Milliseconds())
			if err != nil {
				return err
			}
			list = append(list, ms...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list texts without an end: %w", err)
	}
	return slices.DeleteFunc(list, func(m notify.Message) bool { return m.ProviderID == "" }), nil
}

// Unasked implements notify.Unheard.
func (s *Store) Unasked(ctx context.Context, next time.Time, ms []notify.Message) error {
	ids := make([]notify.ID, len(ms))
	for i := range ms {
		ids[i] = ms[i].ID
	}
	q := `UPDATE messages SET look_at = CASE WHEN taken_at + $1 > $2 THEN $2 ELSE 0 END
		WHERE id` + s.dialect.inIDs(3) + ` AND state IN ('accepted', 'sent')`
	if _, err := s.db.ExecContext(ctx, q, lookLast.Milliseconds(), millis(next), s.dialect.ids(ids)); err != nil {
		return fmt.Errorf("put off the look at %d texts: %w", len(ms), err)
	}
	return nil
}

// look takes texts in a state whose next look is due, the oldest first, and sets when the one after is: an expression of
// arg as $1 and now as $2.
func (s *Store) look(ctx context.Context, tx *sql.Tx, now time.Time, state notify.State, limit int, next string, arg int64) (list []notify.Message, err error) {
	if limit <= 0 {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, lookQuery(s.dialect, next), arg, millis(now), string(state), limit)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var m notify.Message
		err := scan(messageFields(&m)...)
		list = append(list, m)
		return err
	})
	return list, err
}

func lookQuery(d dialect, next string) string {
	return `WITH due AS MATERIALIZED (SELECT id FROM messages
			WHERE state = $3 AND look_at > 0 AND look_at <= $2 ORDER BY look_at LIMIT $4` + d.skipLocked() + `)
		UPDATE messages SET look_at = ` + next + ` WHERE id IN (SELECT id FROM due) AND state = $3
		RETURNING ` + messageList
}

// Taken implements notify.Unsettled.
func (s *Store) Taken(ctx context.Context, providerIDs []string, dst []bool) error {
	taken, err := s.taken(ctx, s.read, providerIDs)
	if err != nil {
		return fmt.Errorf("ask whose %d texts are: %w", len(providerIDs), err)
	}
	for i, id := range providerIDs {
		dst[i] = taken[id]
	}
	return nil
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) taken(ctx context.Context, q querier, providerIDs []string) (map[string]bool, error) {
	taken := map[string]bool{}
	rows, err := q.QueryContext(ctx, takenQuery(s.dialect), s.dialect.texts(providerIDs))
	if err == nil {
		_, err = drain(rows, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			taken[id] = true
			return err
		})
	}
	return taken, err
}

func takenQuery(d dialect) string {
	return `SELECT provider_id FROM messages` + d.by("messages_provider") + ` WHERE channel = 'sms' AND provider_id <> '' AND provider_id` + d.inTexts(1)
}

// Settle implements notify.Unsettled.
//
// What the provider has may be the text of a twin: a message with the same words for the same number. So all texts for
// these numbers that are under way are locked, which makes two who settle twins wait for each other; and nothing is taken
// while a twin is being sent, because the provider may have its text before we know.
func (s *Store) Settle(ctx context.Context, now time.Time, done []notify.Settlement) error {
	if len(done) == 0 {
		return nil
	}
	err := s.inTxAgain(ctx, func(tx *sql.Tx) error {
		under, err := s.lockUnderWay(ctx, tx, done)
		if err != nil {
			return err
		}
		var names []string
		for i := range done {
			if done[i].ProviderID != "" {
				names = append(names, done[i].ProviderID)
			}
		}
		taken, err := s.taken(ctx, tx, names)
		if err != nil {
			return err
		}
		for i := range done {
			if err := settle(ctx, tx, now, &done[i], under, taken); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle %d texts: %w", len(done), err)
	}
	return nil
}

// lockUnderWay locks what is unclear or being sent to the numbers of messages.
func (s *Store) lockUnderWay(ctx context.Context, tx *sql.Tx, done []notify.Settlement) ([]*standing, error) {
	ids := make([]notify.ID, len(done))
	for i := range done {
		ids[i] = done[i].Message
	}
	d := s.dialect
	return s.lockMessages(ctx, tx, underWay(d), d.ids(ids))
}

func underWay(d dialect) string {
	return d.by("messages_phone") + ` WHERE channel = 'sms' AND state IN ('sending', 'verify') AND address IN (SELECT address FROM messages WHERE id` + d.inIDs(1) + `)`
}

// settle moves one text out of verify, unless something has happened meanwhile.
func settle(ctx context.Context, tx *sql.Tx, now time.Time, done *notify.Settlement, under []*standing, taken map[string]bool) error {
	at := slices.IndexFunc(under, func(m *standing) bool { return m.ID == done.Message })
	if at < 0 || under[at].State != notify.Verify || under[at].Attempt != done.Attempt {
		return nil
	}
	m := under[at]
	if done.ProviderID != "" {
		if taken[done.ProviderID] || slices.ContainsFunc(under, m.isTwinBeingSent) {
			return nil
		}
		m.ProviderID, taken[done.ProviderID] = done.ProviderID, true
	}
	noted := &step{millis(now), done.State, done.Reason, done.Code, done.Detail}
	if done.State == notify.Pending {
		m.DueAt = done.DueAt
		if m.stop != "" {
			noted.State, noted.Reason = notify.Suppressed, m.stop
		}
	}
	m.move(now, noted.State, noted.Reason)
	return m.write(ctx, tx, noted)
}

// isTwinBeingSent tells whether another message with the same words for the same number is being sent.
func (m *standing) isTwinBeingSent(other *standing) bool {
	return other.State == notify.Sending && other.ID != m.ID && other.Address == m.Address && other.Body == m.Body
}
