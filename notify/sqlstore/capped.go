package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"time"

	"onmyway/notify"
)

const (
	// heldBy owns texts that wait because their number had enough: nobody claims them until Digest lets them go. A process of
	// an earlier release takes it for one that died and lets them go at once.
	heldBy = "digest"
	// cappedOver is the time in which the texts of a number are counted.
	cappedOver = time.Hour
	// countedBack is how old the event of a text may be that is counted. Ids begin with the time of the event, so the count
	// reads no more of a number's history; news that is told later than that is rare, and then a number gets one text more.
	countedBack = 48 * time.Hour
	// wentOut is when a text began or, better, was taken.
	wentOut = `CASE WHEN taken_at > 0 THEN taken_at ELSE updated_at END`
)

// recentQuery lists when texts went to numbers ($1): later than $3, about events since the id $2. Those that did not reach
// anybody do not count.
func recentQuery(d dialect) string {
	return `SELECT address, ` + wentOut + ` FROM messages` + d.by("messages_phone") + ` WHERE channel = 'sms' AND address` + d.inTexts(1) + `
		AND state IN ('sending', 'verify', 'accepted', 'sent', 'delivered', 'unknown') AND id >= $2 AND ` + wentOut + ` > $3`
}

// holdQuery holds one text ($3) until $4, or until it is no longer true.
func holdQuery() string {
	return `UPDATE messages SET owner = '` + heldBy + `', reason = 'capped', due_at = CASE WHEN $4 < expires_at THEN $4 ELSE expires_at END
		WHERE id = $3 AND ` + due + ` AND NOT ` + stopped + ` AND NOT ` + parked
}

// holdBack holds the texts of a Begin whose numbers had enough, and returns the others. Of these only the first of each order begins
// now, so only that one counts.
func (s *Store) holdBack(ctx context.Context, tx *sql.Tx, now time.Time, ms []*notify.Message) ([]*notify.Message, error) {
	went, err := s.recent(ctx, tx, now, ms)
	if err != nil || len(went) == 0 {
		return ms, err
	}
	ms = slices.SortedFunc(slices.Values(ms), func(a, b *notify.Message) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	may := make([]*notify.Message, 0, len(ms))
	begins := make(map[way]bool, len(ms))
	for _, m := range ms {
		times, counted := went[m.Address]
		if !counted || m.PerHour == 0 || len(times) < m.PerHour {
			if w := wayOf(m); counted && !begins[w] {
				begins[w], went[m.Address] = true, append(times, millis(now))
			}
			may = append(may, m)
			continue
		}
		slices.Sort(times)
		free := timeOf(times[len(times)-m.PerHour]).Add(cappedOver) // when one less than the limit is left in the hour
		result, err := tx.ExecContext(ctx, holdQuery(), millis(now), s.me, m.ID[:], millis(free))
		if err != nil {
			return nil, err
		}
		if n, err := affected(result); err != nil {
			return nil, err
		} else if n > 0 {
			m.Reason, m.DueAt = notify.Capped, free
		}
	}
	return may, nil
}

// recent is when texts went to the numbers that have a limit, in milliseconds; each of them has an entry, if only an empty one.
// It is nil when there is no limit.
func (s *Store) recent(ctx context.Context, tx *sql.Tx, now time.Time, ms []*notify.Message) (map[string][]int64, error) {
	var numbers []string
	var went map[string][]int64
	for _, m := range ms {
		if _, met := went[m.Address]; m.PerHour > 0 && !met {
			if went == nil {
				went = make(map[string][]int64, len(ms))
			}
			went[m.Address], numbers = nil, append(numbers, m.Address)
		}
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	d, floor := s.dialect, notify.FirstID(now.Add(-countedBack))
	rows, err := tx.QueryContext(ctx, recentQuery(d), d.texts(numbers), floor[:], millis(now.Add(-cappedOver)))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var number string
		var at int64
		err := scan(&number, &at)
		went[number] = append(went[number], at)
		return err
	})
	return went, err
}
