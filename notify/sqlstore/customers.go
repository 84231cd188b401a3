package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// EditCustomer changes a customer as staff or the customer want it. Edit gets what is stored, locked; of a customer that is
// not, only the ID is set. What it makes of name, contact and preferences is stored, and in the same transaction pending
// messages that the customer wants no more are suppressed and the audit is written. An error of edit stores nothing and
// comes back as it is. When nothing changes, nothing is written. Edit may be called again: it must have no other effect.
func (s *Store) EditCustomer(ctx context.Context, act notify.Act, id string, edit func(c *notify.Customer) error) (notify.Customer, error) {
	var c notify.Customer
	err := s.edit(ctx, act, []string{id}, func(_ int, c *notify.Customer) error { return edit(c) }, func(edits []*edited) []deed {
		c = edits[0].now
		if !edits[0].written {
			return nil
		}
		return []deed{edits[0].deed()}
	})
	if err != nil {
		return notify.Customer{}, err
	}
	return c, nil
}

// EditCustomers is EditCustomer for an import of up to some hundred customers, all or none: edit gets the place in ids.
// It tells how many customers are new and how many others have changed. The audit has one row for all, and one for each
// customer whose preferences have changed.
func (s *Store) EditCustomers(ctx context.Context, act notify.Act, ids []string, edit func(i int, c *notify.Customer) error) (created, changed int, err error) {
	err = s.edit(ctx, act, ids, edit, func(edits []*edited) []deed {
		created, changed = 0, 0
		deeds := make([]deed, 1)
		for _, e := range edits {
			switch {
			case !e.written:
				continue
			case e.old.Version == 0:
				created++
			default:
				changed++
			}
			if e.choice() {
				deeds = append(deeds, e.deed())
			}
		}
		if created+changed == 0 {
			return nil
		}
		deeds[0] = deed{notify.DidImportCustomers, "customers", map[string]any{
			"customers": len(edits), "created": created, "changed": changed,
		}}
		return deeds
	})
	if err != nil {
		return 0, 0, err
	}
	return created, changed, nil
}

// edited is a customer before and after an edit.
type edited struct {
	old, now notify.Customer
	changes  []notify.Change
	written  bool
}

func (e *edited) deed() deed {
	changes := append([]notify.Change{}, e.changes...) // a list also when it is empty
	return deed{notify.DidWriteCustomer, notify.CustomerObject(e.now.ID), map[string]any{"changes": changes}}
}

// choice tells whether the edit changed what the customer wants to be told.
func (e *edited) choice() bool {
	return slices.ContainsFunc(e.changes, func(c notify.Change) bool { return isChoice(c.Field) })
}

// isChoice tells whether a field is about what the customer wants to be told.
func isChoice(field string) bool {
	return strings.HasPrefix(field, "preferences.") || strings.HasPrefix(field, "consents.")
}

// errEditAgain means that somebody stored a customer for the first time while we did.
var errEditAgain = errors.New("a customer was stored meanwhile")

// refused carries an error of the caller's own through a transaction.
type refused struct{ err error }

func (r refused) Error() string { return r.err.Error() }

// edit runs a transaction of EditCustomer or EditCustomers. The audit is what audit makes of the edits; nil is none.
func (s *Store) edit(ctx context.Context, act notify.Act, ids []string, edit func(i int, c *notify.Customer) error, audit func([]*edited) []deed) error {
	for {
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			edits, err := s.lockCustomers(ctx, tx, ids)
			if err != nil {
				return err
			}
			for i, id := range ids {
				if err := edit(i, &edits[id].now); err != nil {
					return refused{err}
				}
			}
			return s.storeEdits(ctx, tx, act, inOrder(ids, edits), audit)
		})
		own := refused{}
		switch {
		case err == nil:
			return nil
		case errors.As(err, &own):
			return own.err
		case !errors.Is(err, errEditAgain): // the other's row stays, so the next round finds it
			return fmt.Errorf("store %d customers: %w", len(ids), err)
		}
	}
}

// lockCustomers reads customers for writing, always in the same order.
func (s *Store) lockCustomers(ctx context.Context, tx *sql.Tx, ids []string) (map[string]*edited, error) {
	edits := make(map[string]*edited, len(ids))
	for _, id := range ids {
		blank := notify.Customer{ID: id}
		edits[id] = &edited{old: blank, now: blank}
	}
	d := s.dialect
	rows, err := tx.QueryContext(ctx, `SELECT `+customerList+` FROM customers WHERE id`+d.inTexts(1)+` ORDER BY id`+d.forUpdate(), d.texts(ids))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var twice [2]notify.Customer // edits must not reach the maps of what was
		for i := range twice {
			var err error
			if twice[i], err = scanCustomer(scan); err != nil {
				return err
			}
		}
		*edits[twice[0].ID] = edited{old: twice[0], now: twice[1]}
		return nil
	})
	return edits, err
}

// inOrder lists edits, each once.
func inOrder(ids []string, edits map[string]*edited) (list []*edited) {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		list = append(list, edits[id])
	}
	return list
}

// storeEdits writes what has changed, lets go of what is wanted no more, and writes the audit.
func (s *Store) storeEdits(ctx context.Context, tx *sql.Tx, act notify.Act, edits []*edited, audit func([]*edited) []deed) error {
	var fresh, changed cells
	written := map[string]*notify.Customer{}
	var heard []notify.ConsentRecord
	var err error
	for _, e := range edits {
		e.settle(act.At)
		switch {
		case !e.written:
			continue
		case e.old.Version == 0:
			fresh, err = appendCustomer(fresh, &e.now, 1, act.At)
		default:
			changed, err = appendCustomer(changed, &e.now, e.old.Version, act.At)
		}
		if err != nil {
			return err
		}
		written[e.now.ID] = &e.now
		heard = append(heard, e.heard(act)...)
	}
	for _, write := range []struct {
		batch *batch
		rows  cells
	}{{insertCustomers, fresh}, {updateCustomers, changed}} {
		n, err := s.run(ctx, tx, write.batch, write.rows, nil)
		if err != nil {
			return err
		}
		if int(n) != len(write.rows)/len(write.batch.given) {
			return errEditAgain
		}
	}
	if err := s.ledger(ctx, tx, heard); err != nil {
		return err
	}
	if err := s.suppressUnwanted(ctx, tx, act.At, written); err != nil {
		return err
	}
	if deeds := audit(edits); len(deeds) > 0 {
		return s.record(ctx, tx, act, deeds...)
	}
	return nil
}

// settle completes what an edit has made of a customer.
func (e *edited) settle(now time.Time) {
	contact, preferences, consents := e.now.Contact, e.now.Preferences, e.now.Consents
	e.now = e.old
	e.now.Contact, e.now.Preferences, e.now.Consents = contact, preferences, consents
	e.changes = notify.Changes(&e.old, &e.now)
	e.written = len(e.changes) > 0 || e.old.Version == 0
	if !e.written {
		e.now = e.old
		return
	}
	e.now.ByAPI, e.now.Version, e.now.UpdatedAt = true, e.old.Version+1, timeOf(millis(now))
	if e.old.Version == 0 {
		e.now.CreatedAt = e.now.UpdatedAt
	}
}

// suppressUnwanted stops what waits for customers on channels and in categories that they turned off. What is on its way
// may arrive, but does not come back.
func (s *Store) suppressUnwanted(ctx context.Context, tx *sql.Tx, now time.Time, customers map[string]*notify.Customer) error {
	if len(customers) == 0 {
		return nil
	}
	d := s.dialect
	rows, err := tx.QueryContext(ctx, `SELECT id, line, milestone, channel, customer_id, `+isDigest+` FROM messages
		WHERE customer_id`+d.inTexts(1)+` AND state IN ('pending', 'sending', 'verify')`, d.texts(sortedKeys(customers)))
	if err != nil {
		return err
	}
	unwanted := map[notify.Reason][]notify.ID{}
	if _, err := drain(rows, func(scan func(...any) error) error {
		var id notify.ID
		var line notify.Line
		var name, customer string
		var ch notify.Channel
		var digest bool // of news of many categories: it is written anew, see Digest
		err := scan(idOf{&id}, &line, &name, &ch, &customer, &digest)
		kind := notify.MilestoneOf(line, name)
		if c := customers[customer]; c != nil && kind != nil {
			category := kind.Category
			if digest {
				category = ""
			}
			why := c.Refuses(ch, category)
			unwanted[why] = append(unwanted[why], id)
		}
		return err
	}); err != nil {
		return err
	}
	for _, why := range []notify.Reason{notify.OptedOut, notify.NoConsent} {
		if err := s.suppressFor(ctx, tx, now, why, unwanted[why]); err != nil {
			return err
		}
	}
	return nil
}

// suppressFor suppresses what waits, and lets nothing of the rest come back.
func (s *Store) suppressFor(ctx context.Context, tx *sql.Tx, now time.Time, why notify.Reason, ids []notify.ID) error {
	if len(ids) == 0 {
		return nil
	}
	d := s.dialect
	_, err := tx.ExecContext(ctx, `UPDATE messages SET stop = $3,
		reason = CASE WHEN state = 'pending' THEN $3 ELSE reason END,
		owner = CASE WHEN state = 'pending' THEN NULL ELSE owner END,
		updated_at = CASE WHEN state = 'pending' THEN $1 ELSE updated_at END,
		state = CASE WHEN state = 'pending' THEN 'suppressed' ELSE state END
		WHERE id`+d.inIDs(2)+` AND state IN ('pending', 'sending', 'verify')`, millis(now), d.ids(ids), string(why))
	return err
}
