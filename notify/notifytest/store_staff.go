package notifytest

import (
	"context"
	"fmt"
	"slices"
	"time"

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
		(q.Since.IsZero() || !m.CreatedAt.Before(millis(q.Since))) &&
		(q.Until.IsZero() || m.CreatedAt.Before(millis(q.Until))) &&
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
	e := notify.Entry{Message: m.Message, Attempts: slices.Clone(m.attempts), By: m.by, Why: m.why}
	db.explain(&e)
	return e
}

// shown is the WebSocket message of an event.
func (db *database) shown(id notify.ID) notify.Entry {
	s, at := db.events[id], db.received[id]
	e := notify.Entry{NotSent: slices.Clone(s.NotSent), Message: notify.Message{
		ID: id, EventID: id, OrderID: s.OrderID, CustomerID: s.CustomerID, Line: s.Line, Milestone: s.Milestone.Name,
		Sequence: s.Sequence, Channel: notify.WebSocket, Title: s.Title, Body: s.Body, Locale: s.Locale,
		Template: s.Template, Urgency: s.Milestone.Urgency, Standing: s.Milestone.Standing, State: s.State, Reason: s.Reason,
		OccurredAt: s.OccurredAt, CreatedAt: at, DueAt: at, UpdatedAt: at,
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

// Customer is what is stored of a customer. Errors: notify.ErrNotFound.
func (s *Store) Customer(ctx context.Context, id string) (notify.Profile, error) {
	leave, err := s.enter(ctx, "Customer")
	if err != nil {
		return notify.Profile{}, err
	}
	defer leave()
	if _, ok := s.db.customers[id]; !ok {
		return notify.Profile{}, fmt.Errorf("customer: %w", notify.ErrNotFound)
	}
	return s.db.profile(id), nil
}

// PutCustomer writes a customer as staff or the customer want it, and suppresses pending messages that they want no more.
func (s *Store) PutCustomer(ctx context.Context, now time.Time, c notify.Customer) (notify.Customer, error) {
	leave, err := s.enter(ctx, "PutCustomer")
	if err != nil {
		return notify.Customer{}, err
	}
	defer leave()
	old, ok := s.db.customers[c.ID]
	c.ByAPI, c.Version, c.CreatedAt, c.UpdatedAt = true, old.Version+1, old.CreatedAt, millis(now)
	if !ok {
		c.CreatedAt = millis(now)
	}
	c.Preferences = clonePreferences(c.Preferences)
	s.db.customers[c.ID] = c
	for _, m := range s.db.messages {
		kind := notify.MilestoneOf(m.Line, m.Milestone)
		if m.CustomerID != c.ID || kind == nil || c.Preferences.Allows(m.Channel, kind.Category) {
			continue
		}
		switch m.State {
		case notify.Pending:
			m.suppress(notify.OptedOut, now)
		case notify.Sending, notify.Verify:
			m.stop = notify.OptedOut
		}
	}
	c.Preferences = clonePreferences(c.Preferences)
	return c, nil
}

// Subscribe stores a browser, or moves it to another customer.
func (s *Store) Subscribe(ctx context.Context, sub notify.Subscription) error {
	leave, err := s.enter(ctx, "Subscribe")
	if err != nil {
		return err
	}
	defer leave()
	if old, ok := s.db.subs[sub.ID]; ok && old.CustomerID != sub.CustomerID {
		s.db.touch(old.CustomerID)
	}
	sub.CreatedAt = millis(sub.CreatedAt)
	s.db.subs[sub.ID] = sub
	s.db.touch(sub.CustomerID)
	return nil
}

// touch counts a write to a customer's profile, so that nobody decides on an older one.
func (db *database) touch(customer string) {
	if c, ok := db.customers[customer]; ok {
		c.Version++
		db.customers[customer] = c
	}
}

// Unsubscribe forgets a browser of a customer. Errors: notify.ErrNotFound.
func (s *Store) Unsubscribe(ctx context.Context, customerID, id string) error {
	leave, err := s.enter(ctx, "Unsubscribe")
	if err != nil {
		return err
	}
	defer leave()
	if sub, ok := s.db.subs[id]; !ok || sub.CustomerID != customerID {
		return fmt.Errorf("push subscription: %w", notify.ErrNotFound)
	}
	delete(s.db.subs, id)
	s.db.touch(customerID)
	return nil
}

// Subscriptions lists the browsers of a customer, the oldest first.
func (s *Store) Subscriptions(ctx context.Context, customerID string) ([]notify.Subscription, error) {
	leave, err := s.enter(ctx, "Subscriptions")
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.db.subscriptions(customerID), nil
}

// SubscriptionByID is one browser. Errors: notify.ErrNotFound.
func (s *Store) SubscriptionByID(ctx context.Context, id string) (notify.Subscription, error) {
	leave, err := s.enter(ctx, "SubscriptionByID")
	if err != nil {
		return notify.Subscription{}, err
	}
	defer leave()
	sub, ok := s.db.subs[id]
	if !ok {
		return sub, fmt.Errorf("push subscription: %w", notify.ErrNotFound)
	}
	return sub, nil
}

// AddResend stores m as a new message made from another one. The same idempotency key gives the same message, with again
// set. Errors: notify.ErrKeyReused; notify.ErrNotFound when the event of m is not stored.
func (s *Store) AddResend(ctx context.Context, now time.Time, of notify.ID, m notify.Message, by, why string, idem notify.Idempotent) (id notify.ID, again bool, err error) {
	leave, err := s.enter(ctx, "AddResend")
	if err != nil {
		return id, false, err
	}
	defer leave()
	key := call{idem.Principal, idem.Key}
	if was, ok := s.db.calls[key]; ok && idem.Key != "" {
		if was.BodyHash != idem.BodyHash {
			return id, false, notify.ErrKeyReused
		}
		return s.db.answers[key], true, nil
	}
	event, ok := s.db.events[m.EventID]
	if !ok {
		return id, false, fmt.Errorf("event %s: %w", m.EventID, notify.ErrNotFound)
	}
	if kind := notify.MilestoneOf(m.Line, m.Milestone); kind != nil {
		if p := s.db.customers[m.CustomerID].Preferences; !p.Allows(m.Channel, kind.Category) {
			return id, false, notify.OptedOutRefusal()
		}
	}
	m.ResendNo = 0
	for _, other := range s.db.messages {
		if other.EventID == m.EventID && other.Channel == m.Channel {
			m.ResendNo = max(m.ResendNo, other.ResendNo)
		}
	}
	m.ResendNo++
	m.ID, m.ResendOf = notify.MessageID(event.Event, m.Channel, m.Address, m.ResendNo), of
	m.State, m.Reason, m.Attempt, m.ProviderID = notify.Pending, "", 0, ""
	m.CreatedAt, m.UpdatedAt = now, now
	if m.DueAt.IsZero() {
		m.DueAt = now
	}
	s.db.insertMessage(&message{Message: m, by: by, why: why})
	if idem.Key != "" {
		s.db.calls[key], s.db.answers[key] = idem, m.ID
	}
	return m.ID, false, s.lose("AddResend")
}

// Repeated returns the message that an earlier AddResend under the same key made. Errors: notify.ErrKeyReused.
func (s *Store) Repeated(ctx context.Context, idem notify.Idempotent) (id notify.ID, made bool, err error) {
	leave, err := s.enter(ctx, "Repeated")
	if err != nil {
		return id, false, err
	}
	defer leave()
	key := call{idem.Principal, idem.Key}
	was, ok := s.db.calls[key]
	if ok && was.BodyHash != idem.BodyHash {
		return id, false, notify.ErrKeyReused
	}
	return s.db.answers[key], ok, nil
}
