package notifytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"onmyway/notify"
)

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

// EditCustomer changes a customer as staff or the customer want it, and suppresses pending messages that they want no
// more. Edit gets what is stored; its error stores nothing and comes back as it is. When it changes nothing, nothing is
// written.
func (s *Store) EditCustomer(ctx context.Context, act notify.Act, id string, edit func(c *notify.Customer) error) (notify.Customer, error) {
	leave, err := s.enter(ctx, "EditCustomer")
	if err != nil {
		return notify.Customer{}, err
	}
	defer leave()
	c, changes, err := s.db.edited(act.At, id, edit)
	if err != nil {
		return notify.Customer{}, err
	}
	if c.Version == s.db.customers[id].Version {
		return c, nil
	}
	row := deed{notify.DidWriteCustomer, notify.CustomerObject(id), map[string]any{"changes": changes}}
	if err := s.db.record(act, row); err != nil {
		return notify.Customer{}, err
	}
	s.db.hear(act, &c)
	s.db.putCustomer(act.At, c)
	return c, s.lose("EditCustomer")
}

// EditCustomers is EditCustomer for many at once: edit gets the place in ids. It tells how many customers are new and how
// many others have changed.
func (s *Store) EditCustomers(ctx context.Context, act notify.Act, ids []string, edit func(i int, c *notify.Customer) error) (created, changed int, err error) {
	leave, err := s.enter(ctx, "EditCustomers")
	if err != nil {
		return 0, 0, err
	}
	defer leave()
	places := map[string][]int{}
	var names []string
	for i, id := range ids {
		if places[id] == nil {
			names = append(names, id)
		}
		places[id] = append(places[id], i)
	}
	var written []notify.Customer
	var rows []deed
	for _, id := range names {
		c, changes, err := s.db.edited(act.At, id, func(c *notify.Customer) error {
			for _, i := range places[id] {
				if err := edit(i, c); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case err != nil:
			return 0, 0, err
		case c.Version == s.db.customers[id].Version:
			continue
		case c.Version == 1:
			created++
		default:
			changed++
		}
		written = append(written, c)
		if anyChoice(changes) {
			rows = append(rows, deed{notify.DidWriteCustomer, notify.CustomerObject(id), map[string]any{"changes": changes}})
		}
	}
	if len(written) == 0 {
		return 0, 0, nil
	}
	detail := map[string]any{"customers": len(names), "created": created, "changed": changed}
	if err := s.db.record(act, append([]deed{{notify.DidImportCustomers, "customers", detail}}, rows...)...); err != nil {
		return 0, 0, err
	}
	for _, c := range written {
		s.db.hear(act, &c)
		s.db.putCustomer(act.At, c)
	}
	return created, changed, s.lose("EditCustomers")
}

// edited is what a customer shall be after an edit. Its version has grown when there is anything to write.
func (db *database) edited(now time.Time, id string, edit func(c *notify.Customer) error) (notify.Customer, []notify.Change, error) {
	old := db.profile(id).Customer
	next := db.profile(id).Customer
	if err := edit(&next); err != nil {
		return old, nil, err
	}
	c := old
	c.Contact, c.Preferences, c.Consents = next.Contact, clonePreferences(next.Preferences), next.Consents
	if !clean(c.ID, c.Name, c.Phone, c.Locale, c.TimeZone) {
		return old, nil, fmt.Errorf("store a customer: a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	changes := notify.Changes(&old, &c)
	if len(changes) == 0 && old.Version > 0 {
		return old, nil, nil
	}
	c.ByAPI, c.Version, c.UpdatedAt = true, old.Version+1, millis(now)
	if old.Version == 0 {
		c.CreatedAt = millis(now)
	}
	return c, append([]notify.Change{}, changes...), nil
}

// anyChoice tells whether a change is about what the customer wants to be told.
func anyChoice(changes []notify.Change) bool {
	return slices.ContainsFunc(changes, func(c notify.Change) bool {
		return strings.HasPrefix(c.Field, "preferences.") || strings.HasPrefix(c.Field, "consents.")
	})
}

func (db *database) putCustomer(now time.Time, c notify.Customer) {
	c.Preferences = clonePreferences(c.Preferences)
	db.customers[c.ID] = c
	db.suppressUnwanted(now, &c)
}

// suppressUnwanted stops what waits for a customer who does not want it.
func (db *database) suppressUnwanted(now time.Time, c *notify.Customer) {
	for _, m := range db.messages {
		kind := notify.MilestoneOf(m.Line, m.Milestone)
		if m.CustomerID != c.ID || kind == nil {
			continue
		}
		category := kind.Category
		if m.IsDigest() { // of news of many categories
			category = ""
		}
		why := c.Refuses(m.Channel, category)
		switch {
		case why == "":
		case m.State == notify.Pending:
			m.suppress(why, now)
		case m.State == notify.Sending || m.State == notify.Verify:
			m.stop = why
		}
	}
}

// Subscribe stores a browser, or moves it to another customer, which the audit of both says.
func (s *Store) Subscribe(ctx context.Context, act notify.Act, sub notify.Subscription) error {
	leave, err := s.enter(ctx, "Subscribe")
	if err != nil {
		return err
	}
	defer leave()
	detail := map[string]any{"subscription": sub.ID}
	rows := []deed{{notify.DidSubscribe, notify.CustomerObject(sub.CustomerID), detail}}
	old, moved := s.db.subs[sub.ID]
	if moved = moved && old.CustomerID != sub.CustomerID; moved {
		rows = append(rows, deed{notify.DidUnsubscribe, notify.CustomerObject(old.CustomerID), detail})
	}
	gone := s.db.tooMany(sub)
	for _, id := range gone {
		rows = append(rows, deed{notify.DidUnsubscribe, notify.CustomerObject(sub.CustomerID), map[string]any{"subscription": id}})
	}
	if err := s.db.record(act, rows...); err != nil {
		return err
	}
	if moved {
		s.db.touch(old.CustomerID)
	}
	sub.CreatedAt = millis(sub.CreatedAt)
	s.db.subs[sub.ID] = sub
	for _, old := range gone {
		delete(s.db.subs, old)
	}
	s.db.touch(sub.CustomerID)
	return nil
}

// tooMany are the oldest browsers of a customer that leave because one comes.
func (db *database) tooMany(come notify.Subscription) (gone []string) {
	for _, sub := range db.subscriptions(come.CustomerID) {
		if sub.ID != come.ID {
			gone = append(gone, sub.ID)
		}
	}
	return gone[:max(0, len(gone)-notify.MaxSubscriptions+1)]
}

// touch counts a write to a customer's profile, so that nobody decides on an older one.
func (db *database) touch(customer string) {
	if c, ok := db.customers[customer]; ok {
		c.Version++
		db.customers[customer] = c
	}
}

// Unsubscribe forgets a browser of a customer. Errors: notify.ErrNotFound.
func (s *Store) Unsubscribe(ctx context.Context, act notify.Act, customerID, id string) error {
	leave, err := s.enter(ctx, "Unsubscribe")
	if err != nil {
		return err
	}
	defer leave()
	if sub, ok := s.db.subs[id]; !ok || sub.CustomerID != customerID {
		return fmt.Errorf("push subscription: %w", notify.ErrNotFound)
	}
	row := deed{notify.DidUnsubscribe, notify.CustomerObject(customerID), map[string]any{"subscription": id}}
	if err := s.db.record(act, row); err != nil {
		return err
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
