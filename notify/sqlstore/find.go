package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"onmyway/notify"
)

const (
	messageList = `id, event_id, order_id, customer_id, line, milestone, sequence, channel, address, title, body, link, locale,
		template, urgency, standing, state, reason, occurred_at, created_at, due_at, expires_at, updated_at, attempt,
		provider_id, resend_of, resend_no`
	// An event's own row, read as its WebSocket message. What it does not have is filled in by shownFields.
	shownList = `id, order_id, customer_id, line, milestone, sequence, title, body, locale, template, state, reason,
		occurred_at, received_at, not_sent, event_key, data, topic, part, off, record_at`
	originList = `event_key, data, topic, part, off, record_at`
)

// messageFields is where the columns of messageList go.
func messageFields(m *notify.Message) []any {
	return []any{idOf{&m.ID}, idOf{&m.EventID}, &m.OrderID, &m.CustomerID, &m.Line, &m.Milestone, &m.Sequence, &m.Channel,
		&m.Address, &m.Title, &m.Body, &m.Link, &m.Locale, &m.Template, &m.Urgency, &m.Standing, &m.State, &m.Reason,
		timeIn{&m.OccurredAt}, timeIn{&m.CreatedAt}, timeIn{&m.DueAt}, timeIn{&m.ExpiresAt}, timeIn{&m.UpdatedAt},
		&m.Attempt, &m.ProviderID, idOf{&m.ResendOf}, &m.ResendNo}
}

// originFields is where the columns of originList go.
func originFields(e *notify.Entry) []any {
	o := &e.Origin
	return []any{&e.EventKey, &e.Data, &o.Topic, &o.Partition, &o.Offset, timeIn{&o.Time}}
}

// Find lists messages, newest first. An event is listed as its WebSocket message. Limit is taken as it is.
func (s *Store) Find(ctx context.Context, q notify.Query) ([]notify.Entry, error) {
	var found []notify.Entry
	if q.Phone == "" && (q.Channel == "" || q.Channel == notify.WebSocket) {
		shown, err := s.findShown(ctx, s.conditions(&q, "received_at"), q.Limit)
		if err != nil {
			return nil, fmt.Errorf("find live messages: %w", err)
		}
		found = shown
	}
	if q.Channel != notify.WebSocket {
		own, err := s.findMessages(ctx, s.conditions(&q, "created_at"), q.Limit)
		if err != nil {
			return nil, fmt.Errorf("find messages: %w", err)
		}
		found = append(found, own...)
	}
	slices.SortFunc(found, func(a, b notify.Entry) int { return bytes.Compare(b.ID[:], a.ID[:]) })
	found = found[:min(q.Limit, len(found))]
	if err := s.explain(ctx, found); err != nil {
		return nil, fmt.Errorf("explain messages: %w", err)
	}
	return found, nil
}

// Entry is one message with all that explains it. Errors: notify.ErrNotFound.
func (s *Store) Entry(ctx context.Context, id notify.ID) (notify.Entry, error) {
	var w where
	w.and("id = ", id[:])
	found, err := s.findMessages(ctx, w, 1)
	if err == nil && len(found) == 0 {
		found, err = s.findShown(ctx, w, 1)
	}
	if err == nil && len(found) == 0 {
		err = notify.ErrNotFound
	}
	if err == nil {
		err = s.explain(ctx, found)
	}
	if err != nil {
		return notify.Entry{}, fmt.Errorf("message %s: %w", id, err)
	}
	return found[0], nil
}

// where collects the conditions of a query.
type where struct {
	terms []string
	args  []any
	// narrow tells that an index on something else than the id finds the few rows in question. They are then read first
	// and ordered afterwards; PostgreSQL may otherwise walk all ids from the newest in search of them.
	narrow bool
}

func (w *where) and(term string, arg any) {
	w.args = append(w.args, arg)
	w.terms = append(w.terms, term+"$"+strconv.Itoa(len(w.args)))
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return "true"
	}
	return strings.Join(w.terms, " AND ")
}

func (s *Store) conditions(q *notify.Query, created string) (w where) {
	if q.CustomerID != "" {
		w.and("customer_id = ", q.CustomerID)
		// The big tables have no index by customer: the orders of a customer are few, and lead to everything.
		w.terms = append(w.terms, "order_id IN (SELECT order_id FROM order_heads WHERE customer_id = $1)")
	}
	if q.OrderID != "" {
		w.and("order_id = ", q.OrderID)
	}
	if q.Phone != "" {
		w.and("channel = 'sms' AND address = ", q.Phone)
	}
	w.narrow = len(w.args) > 0
	if q.Channel != "" && q.Channel != notify.WebSocket {
		w.and("channel = ", string(q.Channel))
	}
	if q.State != "" {
		w.and("state = ", string(q.State))
	}
	if q.Milestone != "" {
		w.and("milestone = ", q.Milestone)
	}
	if !q.Since.IsZero() {
		w.and(created+" >= ", millis(q.Since))
	}
	if !q.Until.IsZero() {
		w.and(created+" < ", millis(q.Until))
	}
	if !q.Before.IsZero() {
		w.and("id < ", q.Before[:])
	}
	return w
}

// newest writes a query for the newest rows of a table.
func (w *where) newest(list, table string, limit int) (string, []any) {
	last := " ORDER BY id DESC LIMIT $" + strconv.Itoa(len(w.args)+1)
	args := append(slices.Clone(w.args), limit)
	q := "SELECT " + list + " FROM " + table + " WHERE " + w.String()
	if w.narrow {
		return "WITH few AS MATERIALIZED (" + q + ") SELECT * FROM few" + last, args
	}
	return q + last, args
}

func (s *Store) findMessages(ctx context.Context, w where, limit int) (found []notify.Entry, err error) {
	q, args := w.newest(messageList+", attempts, asked_by, asked_why", "messages", limit)
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var e notify.Entry
		var attempts []byte
		if err := scan(append(messageFields(&e.Message), &attempts, &e.By, &e.Why)...); err != nil {
			return err
		}
		found = append(found, e)
		return fromJSON(attempts, &found[len(found)-1].Attempts)
	})
	if err != nil {
		return nil, err
	}
	return found, s.origins(ctx, found)
}

func (s *Store) findShown(ctx context.Context, w where, limit int) (found []notify.Entry, err error) {
	q, args := w.newest(shownList, "events", limit)
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var e notify.Entry
		var notSent []byte
		if err := scan(append(shownFields(&e.Message, &notSent), originFields(&e)...)...); err != nil {
			return err
		}
		e.EventID, e.Channel, e.DueAt, e.UpdatedAt = e.ID, notify.WebSocket, e.CreatedAt, e.CreatedAt
		if kind := notify.MilestoneOf(e.Line, e.Milestone); kind != nil {
			e.Urgency, e.Standing = kind.Urgency, kind.Standing
		}
		found = append(found, e)
		return fromJSON(notSent, &found[len(found)-1].NotSent)
	})
	return found, err
}

// shownFields is where the first columns of shownList go; originFields is where the rest goes.
func shownFields(m *notify.Message, notSent *[]byte) []any {
	return []any{idOf{&m.ID}, &m.OrderID, &m.CustomerID, &m.Line, &m.Milestone, &m.Sequence, &m.Title, &m.Body, &m.Locale,
		&m.Template, &m.State, &m.Reason, timeIn{&m.OccurredAt}, timeIn{&m.CreatedAt}, notSent}
}

func fromJSON(b []byte, v any) error {
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, v)
}

// origins fills in what the events of messages say.
func (s *Store) origins(ctx context.Context, found []notify.Entry) error {
	if len(found) == 0 {
		return nil
	}
	ids, at := make([]notify.ID, len(found)), make(map[notify.ID][]int, len(found))
	for i := range found {
		ids[i] = found[i].EventID
		at[ids[i]] = append(at[ids[i]], i)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT id, `+originList+` FROM events WHERE id`+s.dialect.inIDs(1), s.dialect.ids(ids))
	if err != nil {
		return err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id notify.ID
		var e notify.Entry
		err := scan(append([]any{idOf{&id}}, originFields(&e)...)...)
		for _, i := range at[id] {
			found[i].EventKey, found[i].Data, found[i].Origin = e.EventKey, e.Data, e.Origin
		}
		return err
	})
	return err
}

// explain fills in which messages were made from those found.
func (s *Store) explain(ctx context.Context, found []notify.Entry) error {
	if len(found) == 0 {
		return nil
	}
	ids, orders, at := make([]notify.ID, len(found)), make([]string, len(found)), make(map[notify.ID]int, len(found))
	for i := range found {
		ids[i], orders[i], at[found[i].ID] = found[i].ID, found[i].OrderID, i
	}
	d := s.dialect
	rows, err := s.read.QueryContext(ctx, `SELECT id, resend_of FROM messages
		WHERE order_id`+d.inTexts(1)+` AND resend_of`+d.inIDs(2)+` ORDER BY id`, d.texts(orders), d.ids(ids))
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
