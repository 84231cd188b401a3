package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"onmyway/notify"
)

func knownQuery(d dialect) string { return `SELECT id FROM events WHERE id` + d.inIDs(1) }

func customersQuery(d dialect) string {
	return `SELECT ` + customerList + ` FROM customers WHERE id` + d.inTexts(1)
}

func subscriptionsQuery(d dialect) string {
	return `SELECT ` + subscriptionList + ` FROM push_subscriptions WHERE customer_id` + d.inTexts(1) + ` ORDER BY created_at, id`
}

func headsQuery(d dialect) string {
	return `SELECT order_id, line, customer_id, milestone, sequence, occurred_at, facts, version, told_start, told_end
		FROM order_heads WHERE order_id` + d.inTexts(1)
}

// Known implements notify.Store.
func (s *Store) Known(ctx context.Context, ids []notify.ID, dst []bool) error {
	at := make(map[notify.ID][]int, len(ids))
	for i, id := range ids {
		dst[i] = false
		at[id] = append(at[id], i)
	}
	rows, err := s.ask(ctx, knownQuery(s.dialect), s.dialect.ids(ids))
	if err != nil {
		return fmt.Errorf("look for %d events: %w", len(ids), err)
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id notify.ID
		err := scan(idOf{&id})
		for _, i := range at[id] {
			dst[i] = true
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look for %d events: %w", len(ids), err)
	}
	s.unsure.mask(ids, dst)
	return nil
}

// Lookup implements notify.Store.
func (s *Store) Lookup(ctx context.Context, customers []string, profiles []notify.Profile, orders []notify.OrderLine, heads []notify.Head) error {
	if err := s.profiles(ctx, customers, profiles); err != nil {
		return fmt.Errorf("look up %d customers: %w", len(customers), err)
	}
	if err := s.heads(ctx, orders, heads); err != nil {
		return fmt.Errorf("look up %d orders: %w", len(orders), err)
	}
	return nil
}

const customerList = `id, name, phone, locale, time_zone, preferences, by_api, version, created_at, updated_at, consents`

func scanCustomer(scan func(...any) error) (c notify.Customer, err error) {
	var preferences, consents []byte
	err = scan(&c.ID, &c.Name, &c.Phone, &c.Locale, &c.TimeZone, &preferences, &c.ByAPI, &c.Version,
		timeIn{&c.CreatedAt}, timeIn{&c.UpdatedAt}, &consents)
	if err == nil {
		err = json.Unmarshal(preferences, &c.Preferences)
	}
	if err == nil && len(consents) > 0 {
		err = json.Unmarshal(consents, &c.Consents)
	}
	return c, err
}

const subscriptionList = `id, customer_id, endpoint, p256dh, auth, created_at`

func scanSubscription(scan func(...any) error) (sub notify.Subscription, err error) {
	err = scan(&sub.ID, &sub.CustomerID, &sub.Endpoint, &sub.P256dh, &sub.Auth, timeIn{&sub.CreatedAt})
	return sub, err
}

// profiles reads customers before their subscriptions: a subscription that comes in between counts a newer version, which
// a decision on the older one cannot overwrite.
func (s *Store) profiles(ctx context.Context, customers []string, dst []notify.Profile) error {
	if len(customers) == 0 {
		return nil
	}
	at := make(map[string][]int, len(customers))
	for i, id := range customers {
		dst[i] = notify.Profile{Customer: notify.Customer{ID: id}}
		at[id] = append(at[id], i)
	}
	d := s.dialect
	rows, err := s.ask(ctx, customersQuery(d), d.texts(customers))
	if err != nil {
		return err
	}
	if _, err := drain(rows, func(scan func(...any) error) error {
		c, err := scanCustomer(scan)
		for _, i := range at[c.ID] {
			dst[i].Customer = c
		}
		return err
	}); err != nil {
		return err
	}
	rows, err = s.ask(ctx, subscriptionsQuery(d), d.texts(customers))
	if err != nil {
		return err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		sub, err := scanSubscription(scan)
		for _, i := range at[sub.CustomerID] {
			dst[i].Subscriptions = append(dst[i].Subscriptions, sub)
		}
		return err
	})
	return err
}

func (s *Store) heads(ctx context.Context, orders []notify.OrderLine, dst []notify.Head) error {
	if len(orders) == 0 {
		return nil
	}
	at := make(map[notify.OrderLine][]int, len(orders))
	names := make([]string, len(orders))
	for i, o := range orders {
		dst[i] = notify.Head{OrderID: o.OrderID, Line: o.Line}
		at[o] = append(at[o], i)
		names[i] = o.OrderID
	}
	return s.eachHead(ctx, names, func(h notify.Head) {
		for _, i := range at[notify.OrderLine{OrderID: h.OrderID, Line: h.Line}] {
			dst[i] = h
		}
	})
}

func (s *Store) eachHead(ctx context.Context, orders []string, each func(h notify.Head)) error {
	rows, err := s.ask(ctx, headsQuery(s.dialect), s.dialect.texts(orders))
	if err != nil {
		return err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var h notify.Head
		err := scan(&h.OrderID, &h.Line, &h.CustomerID, &h.Milestone, &h.Sequence, timeIn{&h.OccurredAt}, &h.Facts, &h.Version,
			timeIn{&h.Told.Start}, timeIn{&h.Told.End})
		if err == nil {
			each(h)
		}
		return err
	})
	return err
}

// Order is how far an order has come in each line of business, in the order of notify.Lines. Errors: notify.ErrNotFound.
func (s *Store) Order(ctx context.Context, orderID string) (heads []notify.Head, err error) {
	err = s.eachHead(ctx, []string{orderID}, func(h notify.Head) { heads = append(heads, h) })
	if err == nil && len(heads) == 0 {
		err = notify.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	slices.SortFunc(heads, func(a, b notify.Head) int {
		return slices.Index(notify.Lines, a.Line) - slices.Index(notify.Lines, b.Line)
	})
	return heads, nil
}

// Position tells the offset at which reading a partition goes on, and whether anything was ever stored of it.
func (s *Store) Position(ctx context.Context, topic string, partition int) (next int64, known bool, err error) {
	const q = `SELECT next FROM positions WHERE topic = $1 AND part = $2`
	err = s.read.QueryRowContext(ctx, q, topic, partition).Scan(&next)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("read the position of partition %d: %w", partition, err)
	}
	return next, true, nil
}
