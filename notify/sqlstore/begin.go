package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"

	"onmyway/notify"
)

const (
	// due is the condition of a message that this process may begin: $1 is now, $2 is us.
	due = `state = 'pending' AND owner = $2 AND due_at <= $1 AND expires_at > $1`
	// parked is the condition of a message of which a report came before it: it went out in a former life.
	parked = `EXISTS (SELECT 1 FROM parked_reports AS p WHERE p.message_id = messages.id)`
	// deferred is for how long a message waits that must not overtake an earlier one.
	deferred = time.Second
)

// behind is the condition of a text that would overtake an earlier one of its order to the same number: one that is being
// sent, or of which it is not clear whether it will be sent again. Few texts to a number are under way, so the way leads
// through these and not through the order.
func behind(d dialect) string {
	return `(channel = 'sms' AND EXISTS (SELECT 1 FROM messages AS e` + d.by("messages_phone") + ` WHERE e.channel = 'sms'
		AND e.address = messages.address AND e.state IN ('sending', 'verify') AND e.id < messages.id
		AND e.order_id = messages.order_id AND (e.state = 'sending' OR e.stop = '')))`
}

func beginQuery(d dialect) string {
	return `UPDATE messages SET state = 'sending', attempt = attempt + 1, updated_at = $1
		WHERE id` + d.inIDs(3) + ` AND ` + due + ` AND NOT ` + stopped + ` AND NOT ` + parked + ` AND NOT ` + behind(d) + `
		RETURNING id, attempt`
}

// Begin implements notify.Ledger.
func (s *Store) Begin(ctx context.Context, now time.Time, ms []*notify.Message, ok []bool) error {
	again := s.unsure.takeBegun(ms)
	err := s.untilFree(func() error {
		return s.inTxTogether(ctx, len(ms), func(tx *sql.Tx) error { return s.begin(ctx, tx, now, ms, ok, again) })
	})
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
	for i, m := range ms {
		ok[i], at[m.ID] = false, i
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
	d := s.dialect
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
	may, err := s.holdBack(ctx, tx, now, ms)
	if err != nil {
		return err
	}
	rows, err := s.askIn(ctx, tx, beginQuery(d), millis(now), s.me, d.ids(firstOfEach(may)))
	if err == nil {
		_, err = drain(rows, begun)
	}
	if err != nil {
		return err
	}
	var left []notify.ID
	for i, m := range ms {
		if !ok[i] {
			left = append(left, m.ID)
		}
	}
	return s.leave(ctx, tx, now, left)
}

// way is what texts have in common that must not overtake one another.
type way struct{ order, address string }

func wayOf(m *notify.Message) way { return way{m.OrderID, m.Address} }

// firstOfEach are the earliest messages of each order and address: the next ones must see that these have begun.
func firstOfEach(ms []*notify.Message) []notify.ID {
	earliest := make(map[way]notify.ID, len(ms))
	for _, m := range ms {
		w := wayOf(m)
		if id, met := earliest[w]; !met || bytes.Compare(m.ID[:], id[:]) < 0 {
			earliest[w] = m.ID
		}
	}
	ids := make([]notify.ID, 0, len(earliest))
	for _, id := range earliest {
		ids = append(ids, id)
	}
	return ids
}

// leave settles why messages do not begin, as far as it is for long.
func (s *Store) leave(ctx context.Context, tx *sql.Tx, now time.Time, ids []notify.ID) error {
	if len(ids) == 0 {
		return nil
	}
	d := s.dialect
	if _, err := s.unpark(ctx, tx, now, ids); err != nil {
		return err
	}
	if _, err := s.doIn(ctx, tx, suppressQuery(d), millis(now), s.me, d.ids(ids)); err != nil {
		return err
	}
	_, err := s.doIn(ctx, tx, deferQuery(d), millis(now), s.me, d.ids(ids), millis(now.Add(deferred)))
	return err
}

func suppressQuery(d dialect) string {
	return `UPDATE messages SET state = 'suppressed', owner = NULL, updated_at = $1,
		reason = CASE WHEN expires_at <= $1 THEN 'expired' ELSE 'stopped' END
		WHERE id` + d.inIDs(3) + ` AND state = 'pending' AND owner = $2 AND (expires_at <= $1 OR due_at <= $1 AND ` + stopped + `)`
}

func deferQuery(d dialect) string {
	return `UPDATE messages SET owner = NULL, due_at = $4 WHERE id` + d.inIDs(3) + ` AND ` + due + ` AND ` + behind(d)
}
