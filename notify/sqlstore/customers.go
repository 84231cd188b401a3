package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"onmyway/notify"
)

// Customer is what is stored of a customer. Errors: notify.ErrNotFound.
func (s *Store) Customer(ctx context.Context, id string) (notify.Profile, error) {
	var p [1]notify.Profile
	err := s.profiles(ctx, []string{id}, p[:])
	if err == nil && p[0].Version == 0 {
		err = notify.ErrNotFound
	}
	if err != nil {
		return notify.Profile{}, fmt.Errorf("customer: %w", err)
	}
	return p[0], nil
}

// PutCustomer writes a customer as staff or the customer want it, and in the same transaction suppresses pending messages
// that they want no more. Version and CreatedAt of c are not looked at: the last write wins. It returns what is stored.
func (s *Store) PutCustomer(ctx context.Context, now time.Time, c notify.Customer) (notify.Customer, error) {
	preferences, err := json.Marshal(c.Preferences)
	if err != nil {
		return notify.Customer{}, fmt.Errorf("store a customer: %w", err)
	}
	if !clean(c.ID, c.Name, c.Phone, c.Locale, c.TimeZone) {
		return notify.Customer{}, fmt.Errorf("store a customer: a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	c.ByAPI, c.UpdatedAt = true, timeOf(millis(now))
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		const q = `INSERT INTO customers (` + customerList + `) VALUES ($1, $2, $3, $4, $5, $6, true, 1, $7, $7)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone = excluded.phone, locale = excluded.locale,
			time_zone = excluded.time_zone, preferences = excluded.preferences, by_api = true,
			version = customers.version + 1, updated_at = excluded.updated_at
			RETURNING version, created_at`
		row := tx.QueryRowContext(ctx, q, c.ID, c.Name, c.Phone, c.Locale, c.TimeZone, string(preferences), millis(now))
		if err := row.Scan(&c.Version, timeIn{&c.CreatedAt}); err != nil {
			return err
		}
		return s.suppressUnwanted(ctx, tx, now, &c)
	})
	if err != nil {
		return notify.Customer{}, fmt.Errorf("store a customer: %w", err)
	}
	return c, nil
}

// suppressUnwanted stops what waits for a customer on channels and in categories that they turned off. What is on its way
// may arrive, but does not come back.
func (s *Store) suppressUnwanted(ctx context.Context, tx *sql.Tx, now time.Time, c *notify.Customer) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, line, milestone, channel FROM messages
		WHERE customer_id = $1 AND state IN ('pending', 'sending', 'verify')`, c.ID)
	if err != nil {
		return err
	}
	var unwanted []notify.ID
	if _, err := drain(rows, func(scan func(...any) error) error {
		var id notify.ID
		var line notify.Line
		var name string
		var ch notify.Channel
		err := scan(idOf{&id}, &line, &name, &ch)
		kind := notify.MilestoneOf(line, name)
		if kind != nil && !c.Preferences.Allows(ch, kind.Category) {
			unwanted = append(unwanted, id)
		}
		return err
	}); err != nil || len(unwanted) == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE messages SET stop = 'opted_out',
		reason = CASE WHEN state = 'pending' THEN 'opted_out' ELSE reason END,
		owner = CASE WHEN state = 'pending' THEN NULL ELSE owner END,
		updated_at = CASE WHEN state = 'pending' THEN $1 ELSE updated_at END,
		state = CASE WHEN state = 'pending' THEN 'suppressed' ELSE state END
		WHERE id`+s.dialect.inIDs(2)+` AND state IN ('pending', 'sending', 'verify')`, millis(now), s.dialect.ids(unwanted))
	return err
}

// Subscribe stores a browser, or moves it to another customer. It counts as a new version of the customers concerned.
func (s *Store) Subscribe(ctx context.Context, sub notify.Subscription) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := touch(ctx, tx, `id = $1 OR id IN (SELECT customer_id FROM push_subscriptions WHERE id = $2)`,
			sub.CustomerID, sub.ID); err != nil {
			return err
		}
		const q = `INSERT INTO push_subscriptions (` + subscriptionList + `) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, endpoint = excluded.endpoint,
			p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at`
		_, err := tx.ExecContext(ctx, q, sub.ID, sub.CustomerID, sub.Endpoint, sub.P256dh, sub.Auth, millis(sub.CreatedAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("store a push subscription: %w", err)
	}
	return nil
}

// touch counts a write to profiles, so that nobody decides on older ones.
func touch(ctx context.Context, tx *sql.Tx, which string, args ...any) error {
	_, err := tx.ExecContext(ctx, `UPDATE customers SET version = version + 1 WHERE `+which, args...)
	return err
}

// Unsubscribe forgets a browser of a customer. Errors: notify.ErrNotFound.
func (s *Store) Unsubscribe(ctx context.Context, customerID, id string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		const q = `DELETE FROM push_subscriptions WHERE id = $1 AND customer_id = $2`
		result, err := tx.ExecContext(ctx, q, id, customerID)
		if err != nil {
			return err
		}
		if n, err := affected(result); err != nil || n == 0 {
			return errors.Join(err, notify.ErrNotFound)
		}
		return touch(ctx, tx, `id = $1`, customerID)
	})
	if err != nil {
		return fmt.Errorf("delete a push subscription: %w", err)
	}
	return nil
}

// Subscriptions lists the browsers of a customer, the oldest first.
func (s *Store) Subscriptions(ctx context.Context, customerID string) ([]notify.Subscription, error) {
	subs, err := s.subscriptions(ctx, `customer_id = $1 ORDER BY created_at, id`, customerID)
	if err != nil {
		return nil, fmt.Errorf("list push subscriptions: %w", err)
	}
	return subs, nil
}

// SubscriptionByID is one browser. Errors: notify.ErrNotFound.
func (s *Store) SubscriptionByID(ctx context.Context, id string) (notify.Subscription, error) {
	subs, err := s.subscriptions(ctx, `id = $1`, id)
	if err == nil && len(subs) == 0 {
		err = notify.ErrNotFound
	}
	if err != nil {
		return notify.Subscription{}, fmt.Errorf("push subscription: %w", err)
	}
	return subs[0], nil
}

func (s *Store) subscriptions(ctx context.Context, which string, args ...any) (subs []notify.Subscription, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+subscriptionList+` FROM push_subscriptions WHERE `+which, args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		sub, err := scanSubscription(scan)
		subs = append(subs, sub)
		return err
	})
	return subs, err
}
