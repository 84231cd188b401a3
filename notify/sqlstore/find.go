package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"onmyway/notify"
)

const (
	messageList = `id, event_id, order_id, customer_id, line, milestone, sequence, channel, address, title, body, link, locale,
		template, urgency, standing, state, reason, occurred_at, created_at, due_at, expires_at, updated_at, attempt,
		provider_id, resend_of, resend_no, asked, recorded_at, trace, unless_shown`
	// An event's own row, read as its WebSocket message. What it does not have is filled in by shownFields.
	shownList = `id, order_id, customer_id, line, milestone, sequence, title, body, locale, asked, template, state,
		reason, occurred_at, received_at, not_sent, event_key, data, topic, part, off, record_at,
		shown_at`
)

// messageFields is where the columns of messageList go.
func messageFields(m *notify.Message) []any {
	return []any{idOf{&m.ID}, idOf{&m.EventID}, &m.OrderID, &m.CustomerID, &m.Line, &m.Milestone, &m.Sequence, &m.Channel,
		&m.Address, &m.Title, &m.Body, &m.Link, &m.Locale, &m.Template, &m.Urgency, &m.Standing, &m.State, &m.Reason,
		timeIn{&m.OccurredAt}, timeIn{&m.CreatedAt}, timeIn{&m.DueAt}, timeIn{&m.ExpiresAt}, timeIn{&m.UpdatedAt},
		&m.Attempt, &m.ProviderID, idOf{&m.ResendOf}, &m.ResendNo, &m.Asked, timeIn{&m.RecordedAt}, &m.Trace, &m.UnlessShown}
}

// originFields is where the last columns of shownList go.
func originFields(e *notify.Entry) []any {
	o := &e.Origin
	return []any{&e.EventKey, &e.Data, &o.Topic, &o.Partition, &o.Offset, timeIn{&o.Time}, timeIn{&e.ShownAt}}
}

// Find lists messages, newest first. An event is listed as its WebSocket message. Limit is taken as it is.
func (s *Store) Find(ctx context.Context, q notify.Query) ([]notify.Entry, error) {
	own, err := s.ownIDs(ctx, &q)
	if err != nil {
		return nil, fmt.Errorf("find messages: %w", err)
	}
	shown, err := s.shownIDs(ctx, &q)
	if err != nil {
		return nil, fmt.Errorf("find live messages: %w", err)
	}
	page := newest(append(own, shown...), q.Limit)
	found, err := s.entries(ctx, page)
	if err != nil {
		return nil, fmt.Errorf("read %d messages: %w", len(page), err)
	}
	return found, nil
}

// newest keeps the newest ids, the newest first.
func newest(ids []notify.ID, limit int) []notify.ID {
	slices.SortFunc(ids, func(a, b notify.ID) int { return bytes.Compare(b[:], a[:]) })
	return ids[:min(limit, len(ids))]
}

// Entry is one message with all that explains it. Errors: notify.ErrNotFound.
func (s *Store) Entry(ctx context.Context, id notify.ID) (notify.Entry, error) {
	found, err := s.entries(ctx, []notify.ID{id})
	if err == nil && len(found) == 0 {
		err = notify.ErrNotFound
	}
	if err != nil {
		return notify.Entry{}, fmt.Errorf("message %s: %w", id, err)
	}
	return found[0], nil
}

func (s *Store) ownIDs(ctx context.Context, q *notify.Query) ([]notify.ID, error) {
	if q.Channel == notify.WebSocket {
		return nil, nil
	}
	l := messagesList(q)
	return s.ids(ctx, l.query(s.dialect), l.args)
}

// asksShown tells whether a WebSocket message can answer a query.
func asksShown(q *notify.Query) bool {
	return q.Phone == "" && (q.Channel == "" || q.Channel == notify.WebSocket) &&
		(q.State == "" || slices.Contains(shownStates, q.State))
}

// shownIDs lists events. Those of a customer with many orders are looked for among the latest of all, and only when these
// do not fill the page by the customer's orders.
func (s *Store) shownIDs(ctx context.Context, q *notify.Query) ([]notify.ID, error) {
	if !asksShown(q) {
		return nil, nil
	}
	if q.CustomerID != "" && q.OrderID == "" {
		many, err := s.hasManyOrders(ctx, q.CustomerID)
		if err != nil {
			return nil, err
		}
		if many {
			l := latestEventsList(q)
			ids, err := s.ids(ctx, l.query(s.dialect), l.args)
			if err != nil || len(ids) >= q.Limit {
				return ids, err
			}
			more, args := l.more(s.dialect)
			if rest, err := s.ids(ctx, more, args); err != nil || len(rest) == 0 {
				return ids, err
			}
		}
	}
	l := eventsList(q)
	return s.ids(ctx, l.query(s.dialect), l.args)
}

func (s *Store) hasManyOrders(ctx context.Context, customer string) (bool, error) {
	const q = `SELECT count(*) FROM (SELECT 1 FROM order_heads WHERE customer_id = $1 LIMIT $2) AS orders`
	var n int
	err := s.read.QueryRowContext(ctx, q, customer, manyOrders).Scan(&n)
	return n == manyOrders, err
}

func (s *Store) ids(ctx context.Context, q string, args []any) (ids []notify.ID, err error) {
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id notify.ID
		err := scan(idOf{&id})
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// entries reads messages and events in the order of their ids. Those that are not there are left out.
func (s *Store) entries(ctx context.Context, ids []notify.ID) ([]notify.Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.ownEntries(ctx, ids)
	if err != nil {
		return nil, err
	}
	if found, err = s.withEvents(ctx, ids, found); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b notify.Entry) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	return found, s.resends(ctx, found)
}

func (s *Store) ownEntries(ctx context.Context, ids []notify.ID) (found []notify.Entry, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+messageList+`, attempts, history, asked_by, asked_why FROM messages
		WHERE id`+s.dialect.inIDs(1), s.dialect.ids(ids))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var e notify.Entry
		var attempts, history []byte
		err := scan(append(messageFields(&e.Message), &attempts, &history, &e.By, &e.Why)...)
		if err == nil {
			err = fromJSON(attempts, &e.Attempts)
		}
		if err == nil {
			e.History, err = stepsIn(history)
		}
		found = append(found, e)
		return err
	})
	return found, err
}

// withEvents adds the events among ids as WebSocket messages, and fills in what the events of other messages say.
func (s *Store) withEvents(ctx context.Context, ids []notify.ID, found []notify.Entry) ([]notify.Entry, error) {
	asked, at := make(map[notify.ID]bool, len(ids)), make(map[notify.ID][]int, len(found))
	for _, id := range ids {
		asked[id] = true
	}
	for i := range found {
		asked[found[i].ID] = false
		at[found[i].EventID] = append(at[found[i].EventID], i)
	}
	events := make([]notify.ID, 0, len(ids))
	for id, shown := range asked {
		if shown && at[id] == nil {
			events = append(events, id)
		}
	}
	for id := range at {
		events = append(events, id)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+shownList+` FROM events WHERE id`+s.dialect.inIDs(1), s.dialect.ids(events))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		e, err := scanShown(scan)
		for _, i := range at[e.ID] {
			found[i].EventKey, found[i].Data, found[i].Origin = e.EventKey, e.Data, e.Origin
		}
		if asked[e.ID] {
			found = append(found, e)
		}
		return err
	})
	return found, err
}

func scanShown(scan func(...any) error) (e notify.Entry, err error) {
	var notSent []byte
	if err := scan(append(shownFields(&e.Message, &notSent), originFields(&e)...)...); err != nil {
		return e, err
	}
	e.EventID, e.Channel, e.DueAt, e.UpdatedAt = e.ID, notify.WebSocket, e.CreatedAt, e.CreatedAt
	e.RecordedAt = e.Origin.Time
	if kind := notify.MilestoneOf(e.Line, e.Milestone); kind != nil {
		e.Urgency, e.Standing = kind.Urgency, kind.Standing
	}
	return e, fromJSON(notSent, &e.NotSent)
}

// shownFields is where the first columns of shownList go; originFields is where the rest goes.
func shownFields(m *notify.Message, notSent *[]byte) []any {
	return []any{idOf{&m.ID}, &m.OrderID, &m.CustomerID, &m.Line, &m.Milestone, &m.Sequence, &m.Title, &m.Body, &m.Locale,
		&m.Asked, &m.Template, &m.State, &m.Reason, timeIn{&m.OccurredAt}, timeIn{&m.CreatedAt}, notSent}
}

func fromJSON(b []byte, v any) error {
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, v)
}

// resends fills in which messages were made from those found.
func (s *Store) resends(ctx context.Context, found []notify.Entry) error {
	if len(found) == 0 {
		return nil
	}
	ids, at := make([]notify.ID, len(found)), make(map[notify.ID]int, len(found))
	for i := range found {
		ids[i], at[found[i].ID] = found[i].ID, i
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, resend_of FROM messages WHERE resend_of IS NOT NULL
		AND resend_of`+s.dialect.inIDs(1)+` ORDER BY id`, s.dialect.ids(ids))
	if err != nil {
		return err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id, of notify.ID
		err := scan(idOf{&id}, idOf{&of})
		if i, known := at[of]; known {
			found[i].Resends = append(found[i].Resends, id)
		}
		return err
	})
	return err
}
