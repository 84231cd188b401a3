package notifytest

import (
	"context"
	"fmt"
	"slices"

	"onmyway/notify"
)

// Find lists messages, newest first. An event is listed as its WebSocket message.
func (s *Store) Find(ctx context.Context, q notify.Query) ([]notify.Entry, error) {
	leave, err := s.enter(ctx, "Find")
	if err != nil {
		return nil, err
	}
	defer leave()
	var found []notify.Entry
	for _, m := range s.db.messages {
		if matches(&q, &m.Message) {
			found = append(found, s.db.entryOf(m))
		}
	}
	for id := range s.db.events {
		if e := s.db.shown(id); matches(&q, &e.Message) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b notify.Entry) int { return compareIDs(b.ID, a.ID) })
	return found[:min(q.Limit, len(found))], nil
}

func matches(q *notify.Query, m *notify.Message) bool {
	return (q.OrderID == "" || q.OrderID == m.OrderID) &&
		(q.CustomerID == "" || q.CustomerID == m.CustomerID) &&
		(q.Phone == "" || m.Channel == notify.SMS && q.Phone == m.Address) &&
		(q.Channel == "" || q.Channel == m.Channel) &&
		(q.State == "" || q.State == m.State) &&
		(q.Milestone == "" || q.Milestone == m.Milestone) &&
		(q.Since.IsZero() || compareIDs(m.ID, notify.FirstID(q.Since)) >= 0) &&
		(q.Until.IsZero() || compareIDs(m.ID, notify.FirstID(q.Until)) < 0) &&
		(q.Before.IsZero() || compareIDs(m.ID, q.Before) < 0)
}

// Entry is one message with all that explains it. Errors: notify.ErrNotFound.
func (s *Store) Entry(ctx context.Context, id notify.ID) (notify.Entry, error) {
	leave, err := s.enter(ctx, "Entry")
	if err != nil {
		return notify.Entry{}, err
	}
	defer leave()
	if m, ok := s.db.messages[id]; ok {
		return s.db.entryOf(m), nil
	}
	if _, ok := s.db.events[id]; ok {
		return s.db.shown(id), nil
	}
	return notify.Entry{}, fmt.Errorf("message %s: %w", id, notify.ErrNotFound)
}

func (db *database) entryOf(m *message) notify.Entry {
	e := notify.Entry{Message: m.Message, Attempts: slices.Clone(m.attempts), History: slices.Clone(m.history), By: m.by, Why: m.why}
	db.explain(&e)
	return e
}

// shown is the WebSocket message of an event.
func (db *database) shown(id notify.ID) notify.Entry {
	s, at := db.events[id], db.received[id]
	e := notify.Entry{NotSent: slices.Clone(s.NotSent), ShownAt: db.seen[id], Message: notify.Message{
		ID: id, EventID: id, OrderID: s.OrderID, CustomerID: s.CustomerID, Line: s.Line, Milestone: s.Milestone.Name,
		Sequence: s.Sequence, Channel: notify.WebSocket, Title: s.Title, Body: s.Body, Locale: s.Locale,
		Asked: s.Asked, Template: s.Template, Urgency: s.Milestone.Urgency, Standing: s.Milestone.Standing, State: s.State, Reason: s.Reason,
		OccurredAt: s.OccurredAt, CreatedAt: at, DueAt: at, UpdatedAt: at, RecordedAt: s.Origin.Time,
	}}
	db.explain(&e)
	return e
}

func (db *database) explain(e *notify.Entry) {
	if s, ok := db.events[e.EventID]; ok {
		e.EventKey, e.Data, e.Origin = s.Key, slices.Clone(s.Data), s.Origin
	}
	for _, m := range db.messages {
		if m.ResendOf == e.ID {
			e.Resends = append(e.Resends, m.ID)
		}
	}
	slices.SortFunc(e.Resends, compareIDs)
}

// Order is how far an order has come in each line of business, in the order of notify.Lines. Errors: notify.ErrNotFound.
func (s *Store) Order(ctx context.Context, orderID string) ([]notify.Head, error) {
	leave, err := s.enter(ctx, "Order")
	if err != nil {
		return nil, err
	}
	defer leave()
	var heads []notify.Head
	for _, line := range notify.Lines {
		if h, ok := s.db.heads[notify.OrderLine{OrderID: orderID, Line: line}]; ok {
			h.Facts = slices.Clone(h.Facts)
			heads = append(heads, h)
		}
	}
	if len(heads) == 0 {
		return nil, fmt.Errorf("order: %w", notify.ErrNotFound)
	}
	return heads, nil
}

// DeadLetters lists records that became no event, newest first, those before an id when it is not zero.
func (s *Store) DeadLetters(ctx context.Context, before notify.ID, limit int) ([]notify.DeadLetter, error) {
	leave, err := s.enter(ctx, "DeadLetters")
	if err != nil {
		return nil, err
	}
	defer leave()
	var letters []notify.DeadLetter
	for _, r := range s.db.rejects {
		l := notify.DeadLetter{ID: notify.LetterID(&r.Record), Reject: cloneReject(r)}
		if before.IsZero() || compareIDs(l.ID, before) < 0 {
			letters = append(letters, l)
		}
	}
	slices.SortFunc(letters, func(a, b notify.DeadLetter) int { return compareIDs(b.ID, a.ID) })
	return letters[:min(limit, len(letters))], nil
}
