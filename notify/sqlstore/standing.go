package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"onmyway/notify"
)

const (
	// lookSoon and lookLate are when the provider is asked about a text that it took and said nothing final of.
	lookSoon = 10 * time.Minute
	lookLate = 24 * time.Hour
	// lookLast is when nobody asks about it any more, though nobody could be asked so far.
	lookLast = 72 * time.Hour
)

// step is a notify.Step as stored.
type step struct {
	At     int64         `json:"at"` // milliseconds
	State  notify.State  `json:"state"`
	Reason notify.Reason `json:"reason,omitempty"`
	Code   int           `json:"code,omitempty"`
	Detail string        `json:"detail,omitempty"`
}

func (s step) json() (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// noteStep is the assignment that adds a step to the history of a message: an SQL expression of its JSON.
func noteStep(step string) string {
	return `history = CASE WHEN history IS NULL THEN '[' || ` + step + ` || ']'
		ELSE substr(history, 1, length(history) - 1) || ',' || ` + step + ` || ']' END`
}

// stepsIn reads the history of a message.
func stepsIn(history []byte) ([]notify.Step, error) {
	var stored []step
	if err := fromJSON(history, &stored); err != nil || len(stored) == 0 {
		return nil, err
	}
	steps := make([]notify.Step, len(stored))
	for i, s := range stored {
		steps[i] = notify.Step{At: timeOf(s.At), State: s.State, Reason: s.Reason, Code: s.Code, Detail: s.Detail}
	}
	return steps, nil
}

// standing is where a message stands, as far as reports and settlements need it. Its row is locked.
type standing struct {
	notify.Message // only ID, Milestone, State, Reason, Channel, Address, Body, Attempt, ProviderID, DueAt and UpdatedAt
	stop           notify.Reason
	lookAt         time.Time
	takenAt        time.Time
	history        []byte
}

// lockMessages reads messages for writing, always in the same order. Where says which: a condition, behind the index that it
// is made for.
func (s *Store) lockMessages(ctx context.Context, tx *sql.Tx, where string, args ...any) (list []*standing, err error) {
	rows, err := tx.QueryContext(ctx, lockQuery(s.dialect, where), args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		m := &standing{}
		list = append(list, m)
		return scan(idOf{&m.ID}, &m.Milestone, &m.State, &m.Reason, &m.Channel, &m.Address, &m.Body, &m.Attempt, &m.ProviderID,
			timeIn{&m.DueAt}, timeIn{&m.UpdatedAt}, &m.stop, timeIn{&m.lookAt}, timeIn{&m.takenAt}, &m.history)
	})
	return list, err
}

func lockQuery(d dialect, where string) string {
	return `SELECT id, milestone, state, reason, channel, address, body, attempt, provider_id, due_at, updated_at, stop,
		look_at, taken_at, history FROM messages` + where + ` ORDER BY id` + d.forUpdate()
}

// move lets a message go to a state, for which nobody has it in memory any more.
func (m *standing) move(now time.Time, to notify.State, why notify.Reason) {
	open := to == notify.Accepted || to == notify.Sent
	switch {
	case m.Channel != notify.SMS || !open:
		m.lookAt = time.Time{}
	case m.takenAt.IsZero():
		m.lookAt = now.Add(lookSoon)
	}
	if m.takenAt.IsZero() && to.Outranks(notify.Pending) {
		m.takenAt = now
	}
	m.State, m.Reason, m.UpdatedAt = to, why, now
}

// write stores where a message stands, and the step that led there; nil for none.
func (m *standing) write(ctx context.Context, tx *sql.Tx, noted *step) error {
	note, args := "", []any{m.ID[:], string(m.State), string(m.Reason), int64(m.Attempt), m.ProviderID, millis(m.DueAt), millis(m.UpdatedAt),
		millis(m.lookAt), millis(m.takenAt)}
	if noted != nil {
		text, err := noted.json()
		if err != nil {
			return err
		}
		note, args = ", "+noteStep("CAST($10 AS TEXT)"), append(args, text)
	}
	_, err := tx.ExecContext(ctx, `UPDATE messages SET state = $2, reason = $3, attempt = $4, provider_id = $5, due_at = $6,
		updated_at = $7, look_at = $8, taken_at = $9, owner = CASE WHEN state = $2 THEN owner END`+note+` WHERE id = $1`, args...)
	return err
}
