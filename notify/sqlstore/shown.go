package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"onmyway/notify"
)

// Shown implements notify.Showings.
func (s *Store) Shown(ctx context.Context, now time.Time, seen []notify.Shown) (spared []string, err error) {
	if len(seen) == 0 {
		return nil, nil
	}
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		events, err := s.eventsSeen(ctx, tx, seen)
		if err != nil || len(events) == 0 {
			return err
		}
		spared, err = s.spare(ctx, tx, now, events)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("note what %d screens showed: %w", len(seen), err)
	}
	return spared, nil
}

// eventsSeen finds the events that screens tell of: by their own id, or by that of a push message about them.
func (s *Store) eventsSeen(ctx context.Context, tx *sql.Tx, seen []notify.Shown) (events []notify.ID, err error) {
	ids := make([]notify.ID, 0, len(seen))
	by := make(map[notify.ID][]string, len(seen)) // the customers who say so
	for _, s := range seen {
		if by[s.ID] == nil {
			ids = append(ids, s.ID)
		}
		by[s.ID] = append(by[s.ID], s.CustomerID)
	}
	d := s.dialect
	rows, err := tx.QueryContext(ctx, seenQuery(d), d.ids(ids))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id, event notify.ID
		var customer string
		err := scan(idOf{&id}, idOf{&event}, &customer)
		for _, who := range by[id] {
			if who == "" || who == customer {
				events = append(events, event)
				break
			}
		}
		return err
	})
	return events, err
}

// spare notes when events were first seen and suppresses the texts that leave unless that happens, also those that a process
// has in memory: it asks before it sends.
func (s *Store) spare(ctx context.Context, tx *sql.Tx, now time.Time, events []notify.ID) (milestones []string, err error) {
	d := s.dialect
	if _, err := tx.ExecContext(ctx, firstSeenQuery(d), millis(now), d.ids(events)); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, spareQuery(d), millis(now), d.ids(events))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var milestone string
		err := scan(&milestone)
		milestones = append(milestones, milestone)
		return err
	})
	return milestones, err
}

func seenQuery(d dialect) string {
	return `SELECT id, id, customer_id FROM events WHERE id` + d.inIDs(1) + `
		UNION ALL SELECT id, event_id, customer_id FROM messages WHERE id` + d.inIDs(1)
}

func firstSeenQuery(d dialect) string {
	return `UPDATE events SET shown_at = $1 WHERE shown_at = 0 AND id` + d.inIDs(2)
}

func spareQuery(d dialect) string {
	return `UPDATE messages` + d.by("messages_unless_shown") + ` SET state = 'suppressed', reason = 'seen_on_screen', owner = NULL,
		updated_at = $1 WHERE event_id` + d.inIDs(2) + ` AND state = 'pending' AND unless_shown AND NOT ` + isDigest + ` RETURNING milestone`
}
