package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"onmyway/notify"
)

const (
	parkedFor  = 24 * time.Hour // how long a report waits for its message
	parkedStep = 200            // how many are deleted at once when they have waited in vain
)

// Report implements notify.Reports. It also refuses what notify.Report.Check does.
func (s *Store) Report(ctx context.Context, now time.Time, r notify.Report) error {
	err := r.Check()
	if err == nil && !clean(r.ProviderID) {
		err = fmt.Errorf("the provider's name of a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	if err != nil {
		return fmt.Errorf("store a report: %w", err)
	}
	var parked bool
	var moved []*standing
	err = s.inTxAgain(ctx, func(tx *sql.Tx) (err error) {
		var known bool
		known, moved, err = s.report(ctx, tx, now, &r)
		if parked = !known; parked && err == nil {
			err = park(ctx, tx, now, &r)
		}
		return err
	})
	if err == nil && parked {
		// Its message may have come after we looked for it.
		err = s.inTxAgain(ctx, func(tx *sql.Tx) (err error) {
			moved, err = s.unpark(ctx, tx, now, []notify.ID{r.Message})
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store a report on message %s: %w", r.Message, err)
	}
	for _, m := range moved {
		s.tell(&m.Message)
	}
	return nil
}

// OnReport has f called with every message that a report has moved, when that is committed: only ID, Channel, Milestone,
// State and Reason count. Set it before the first report; f must be quick. A report that came before its message is told
// only where Report itself finds the message.
func (s *Store) OnReport(f func(m *notify.Message)) { s.tell = f }

// report applies a report to its message; known is false when that is not stored, and moved has it when the report has
// changed its state.
func (s *Store) report(ctx context.Context, tx *sql.Tx, now time.Time, r *notify.Report) (known bool, moved []*standing, err error) {
	found, err := s.lockMessages(ctx, tx, ` WHERE id = $1`, r.Message[:])
	if err != nil || len(found) == 0 {
		return false, nil, err
	}
	m := found[0]
	moves, older := r.Moves(&m.Message), r.Attempt < m.Attempt
	noted := &step{millis(now), r.State, r.Reason, r.Code, r.Detail}
	if older {
		noted.Detail = strings.TrimSuffix("attempt "+strconv.Itoa(r.Attempt)+": "+r.Detail, ": ")
	}
	named := (moves || !older) && m.ProviderID == "" && r.ProviderID != ""
	switch again, err := m.noted(noted); {
	case err != nil:
		return true, nil, err
	case moves:
		m.move(now, r.State, r.Reason)
		moved = found
	case older && !again:
	case named:
		noted = nil
	default:
		return true, nil, nil
	}
	if named {
		m.ProviderID = r.ProviderID
	}
	m.Attempt = max(m.Attempt, r.Attempt)
	return true, moved, m.write(ctx, tx, noted)
}

// noted tells whether the history has such a step, at whatever time.
func (m *standing) noted(like *step) (bool, error) {
	var steps []step
	err := fromJSON(m.history, &steps)
	return slices.ContainsFunc(steps, func(s step) bool { s.At = like.At; return s == *like }), err
}

// park keeps a report whose message is not stored.
func park(ctx context.Context, tx *sql.Tx, now time.Time, r *notify.Report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	const q = `INSERT INTO parked_reports (message_id, attempt, state, report, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	_, err = tx.ExecContext(ctx, q, r.Message[:], int64(r.Attempt), string(r.State), string(text), millis(now))
	return err
}

func parkedQuery(d dialect) string {
	return `SELECT report FROM parked_reports WHERE message_id` + d.inIDs(1) + ` ORDER BY message_id, at, attempt, state`
}

// unpark applies parked reports to those of the messages that are stored, and returns those that have moved.
func (s *Store) unpark(ctx context.Context, tx *sql.Tx, now time.Time, messages []notify.ID) (moved []*standing, err error) {
	var parked []notify.Report
	d := s.dialect
	rows, err := s.askIn(ctx, tx, parkedQuery(d), d.ids(messages))
	if err != nil {
		return nil, err
	}
	if _, err := drain(rows, func(scan func(...any) error) error {
		var text []byte
		var r notify.Report
		err := scan(&text)
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		parked = append(parked, r)
		return err
	}); err != nil {
		return nil, err
	}
	for i := range parked {
		r := &parked[i]
		known, one, err := s.report(ctx, tx, now, r)
		moved = append(moved, one...)
		if err == nil && known {
			_, err = tx.ExecContext(ctx, `DELETE FROM parked_reports WHERE message_id = $1 AND attempt = $2 AND state = $3`,
				r.Message[:], int64(r.Attempt), string(r.State))
		}
		if err != nil {
			return nil, err
		}
	}
	return moved, nil
}

const forgetParkedQuery = `DELETE FROM parked_reports WHERE (message_id, attempt, state) IN
	(SELECT message_id, attempt, state FROM parked_reports WHERE at <= $1 ORDER BY at LIMIT $2)`

// forgetParked deletes reports whose messages never came, some at a time.
func (s *Store) forgetParked(ctx context.Context, now time.Time) error {
	_, err := s.db.ExecContext(ctx, forgetParkedQuery, millis(now.Add(-parkedFor)), parkedStep)
	return err
}
