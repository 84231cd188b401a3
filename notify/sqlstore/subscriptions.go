package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"onmyway/notify"
)

// Subscribe stores a browser, or moves it to another customer, which the audit of both says. Of more than
// notify.MaxSubscriptions the oldest leave. It counts as a new version of the customers concerned.
func (s *Store) Subscribe(ctx context.Context, act notify.Act, sub notify.Subscription) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if err := touch(ctx, tx, `id = $1 OR id IN (SELECT customer_id FROM push_subscriptions WHERE id = $2)`,
			sub.CustomerID, sub.ID); err != nil {
			return err
		}
		detail := map[string]any{"subscription": sub.ID}
		deeds := []deed{{notify.DidSubscribe, notify.CustomerObject(sub.CustomerID), detail}}
		var before string
		err := tx.QueryRowContext(ctx, `SELECT customer_id FROM push_subscriptions WHERE id = $1`+s.dialect.forUpdate(), sub.ID).Scan(&before)
		switch {
		case err == nil && before != sub.CustomerID:
			deeds = append(deeds, deed{notify.DidUnsubscribe, notify.CustomerObject(before), detail})
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		const q = `INSERT INTO push_subscriptions (` + subscriptionList + `) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, endpoint = excluded.endpoint,
			p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at`
		if _, err := tx.ExecContext(ctx, q, sub.ID, sub.CustomerID, sub.Endpoint, sub.P256dh, sub.Auth, millis(sub.CreatedAt)); err != nil {
			return err
		}
		gone, err := s.forgetOldest(ctx, tx, sub)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, act, append(deeds, gone...)...)
	})
	if err != nil {
		return fmt.Errorf("store a push subscription: %w", err)
	}
	return nil
}

// forgetOldest deletes the browsers of a customer that are too many, but not the one that has just come.
func (s *Store) forgetOldest(ctx context.Context, tx *sql.Tx, come notify.Subscription) (gone []deed, err error) {
	const q = `DELETE FROM push_subscriptions WHERE id IN (SELECT id FROM push_subscriptions WHERE customer_id = $1 AND id <> $2
		ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $3) RETURNING id`
	rows, err := tx.QueryContext(ctx, q, come.CustomerID, come.ID, notify.MaxSubscriptions-1)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		gone = append(gone, deed{notify.DidUnsubscribe, notify.CustomerObject(come.CustomerID), map[string]any{"subscription": id}})
		return err
	})
	return gone, err
}

// touch counts a write to profiles, so that nobody decides on older ones.
func touch(ctx context.Context, tx *sql.Tx, which string, args ...any) error {
	_, err := tx.ExecContext(ctx, `UPDATE customers SET version = version + 1 WHERE `+which, args...)
	return err
}

// Unsubscribe forgets a browser of a customer. Errors: notify.ErrNotFound.
func (s *Store) Unsubscribe(ctx context.Context, act notify.Act, customerID, id string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		const q = `DELETE FROM push_subscriptions WHERE id = $1 AND customer_id = $2`
		result, err := tx.ExecContext(ctx, q, id, customerID)
		if err != nil {
			return err
		}
		if n, err := affected(result); err != nil || n == 0 {
			return errors.Join(err, notify.ErrNotFound)
		}
		if err := touch(ctx, tx, `id = $1`, customerID); err != nil {
			return err
		}
		return s.record(ctx, tx, act, deed{notify.DidUnsubscribe, notify.CustomerObject(customerID), map[string]any{"subscription": id}})
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
