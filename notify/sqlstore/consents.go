package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"onmyway/notify"
)

const consentList = `no, customer_id, channel, given, at, recorded_at, source, who, evidence`

var (
	consentColumns = []column{
		{"customer_id", text}, {"channel", text}, {"given", boolean}, {"at", integer}, {"recorded_at", integer}, {"source", text},
		{"who", text}, {"evidence", text},
	}
	insertConsents = insertAll("consents", consentColumns)
)

func appendConsent(rows cells, r *notify.ConsentRecord) (cells, error) {
	if !clean(r.CustomerID, r.Source, r.By, r.Evidence) {
		return nil, fmt.Errorf("store a consent: a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	return append(rows, r.CustomerID, string(r.Channel), r.Given, millis(r.At), millis(r.RecordedAt), r.Source, r.By, r.Evidence), nil
}

func scanConsent(scan func(...any) error) (r notify.ConsentRecord, err error) {
	err = scan(&r.No, &r.CustomerID, &r.Channel, &r.Given, timeIn{&r.At}, timeIn{&r.RecordedAt}, &r.Source, &r.By, &r.Evidence)
	return r, err
}

// AddConsent adds what a customer said to the ledger, and returns it as stored. When it is the newest that they said it holds
// from now on: in the same transaction texts that wait are suppressed if it is a withdrawal, and the audit is written. Without
// At it was said just now. A key that was used already gives what was added then, with again set; an empty one is none.
// Errors: notify.ErrNotFound for a customer who is not stored; notify.ErrKeyReused.
func (s *Store) AddConsent(ctx context.Context, act notify.Act, r notify.ConsentRecord, key notify.Idempotent) (added notify.ConsentRecord, again bool, err error) {
	err = s.inTxAgain(ctx, func(tx *sql.Tx) error {
		added, again, err = s.addConsent(ctx, tx, act, r, key)
		return err
	})
	if err != nil {
		return notify.ConsentRecord{}, false, fmt.Errorf("store a consent: %w", err)
	}
	return added, again, nil
}

func (s *Store) addConsent(ctx context.Context, tx *sql.Tx, act notify.Act, r notify.ConsentRecord, key notify.Idempotent) (added notify.ConsentRecord, again bool, err error) {
	edits, err := s.lockCustomers(ctx, tx, []string{r.CustomerID})
	if err != nil {
		return r, false, err
	}
	e := edits[r.CustomerID]
	if e.old.Version == 0 {
		return r, false, notify.ErrNotFound
	}
	if key.Key != "" {
		id, err := madeBefore(ctx, tx, key)
		if err == nil {
			r, err = s.consent(ctx, tx, noOf(id))
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return r, err == nil, err
		}
	}
	r.RecordedAt, r.By = timeOf(millis(act.At)), act.By
	if r.At.IsZero() {
		r.At = latest(r.RecordedAt, e.old.Consents[r.Channel].At)
	}
	r.At = timeOf(millis(r.At))
	if r.No, err = s.insertConsent(ctx, tx, &r); err != nil {
		return r, false, err
	}
	var newest bool
	if e.now.Consents, newest = e.old.Consents.Answer(&r); newest {
		if err := s.storeConsent(ctx, tx, act.At, e); err != nil {
			return r, false, err
		}
	}
	if key.Key != "" {
		if _, again, err := remember(ctx, tx, act.At, key, idOfNo(r.No)); err != nil || again {
			return r, again, errors.Join(err, errKeyTaken(again))
		}
	}
	return r, false, s.record(ctx, tx, act, deed{notify.DidConsent, notify.CustomerObject(r.CustomerID), map[string]any{
		"channel": r.Channel, "given": r.Given, "source": r.Source, "changes": append([]notify.Change{}, notify.Changes(&e.old, &e.now)...),
	}})
}

// errKeyTaken ends a transaction whose key was used for another customer at the same moment.
func errKeyTaken(taken bool) error {
	if taken {
		return notify.ErrKeyReused
	}
	return nil
}

// storeConsent makes the newest answer hold.
func (s *Store) storeConsent(ctx context.Context, tx *sql.Tx, now time.Time, e *edited) error {
	row, err := appendCustomer(nil, &e.now, e.old.Version, now)
	if err == nil {
		_, err = s.run(ctx, tx, updateCustomers, row, nil)
	}
	if err != nil {
		return err
	}
	return s.suppressUnwanted(ctx, tx, now, map[string]*notify.Customer{e.now.ID: &e.now})
}

func (s *Store) insertConsent(ctx context.Context, tx *sql.Tx, r *notify.ConsentRecord) (no int64, err error) {
	row, err := appendConsent(nil, r)
	if err != nil {
		return 0, err
	}
	const q = `INSERT INTO consents (customer_id, channel, given, at, recorded_at, source, who, evidence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING no`
	err = tx.QueryRowContext(ctx, q, row...).Scan(&no)
	return no, err
}

// consent is one row of the ledger.
func (s *Store) consent(ctx context.Context, tx *sql.Tx, no int64) (notify.ConsentRecord, error) {
	return scanConsent(tx.QueryRowContext(ctx, `SELECT `+consentList+` FROM consents WHERE no = $1`, no).Scan)
}

// idOfNo and noOf carry the number of a row where an id is kept.
func idOfNo(no int64) (id notify.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(no))
	return id
}

func noOf(id notify.ID) int64 { return int64(binary.BigEndian.Uint64(id[8:])) }

// Consents lists what a customer said, the newest row first: only rows before a number, unless it is 0.
func (s *Store) Consents(ctx context.Context, customerID string, before int64, limit int) (list []notify.ConsentRecord, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+consentList+` FROM consents
		WHERE customer_id = $1 AND ($2 = 0 OR no < $2) ORDER BY no DESC LIMIT $3`, customerID, before, limit)
	if err == nil {
		_, err = drain(rows, func(scan func(...any) error) error {
			r, err := scanConsent(scan)
			list = append(list, r)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	return list, nil
}

// consentsText is how the newest answers are stored.
func consentsText(c notify.Consents) (string, error) {
	if len(c) == 0 {
		return "", nil
	}
	b, err := json.Marshal(c)
	return string(b), err
}

// heard lists the answers that an edit has changed.
func (e *edited) heard(act notify.Act) (list []notify.ConsentRecord) {
	for _, ch := range notify.ConsentChannels {
		if said, there := e.now.Consents[ch]; there && said != e.old.Consents[ch] {
			list = append(list, notify.ConsentRecord{
				CustomerID: e.now.ID, Channel: ch, Consent: said, RecordedAt: act.At, By: act.By,
			})
		}
	}
	return list
}

// ledger adds rows to the ledger of consent.
func (s *Store) ledger(ctx context.Context, tx *sql.Tx, list []notify.ConsentRecord) error {
	var rows cells
	var err error
	for i := range list {
		if rows, err = appendConsent(rows, &list[i]); err != nil {
			return err
		}
	}
	_, err = s.run(ctx, tx, insertConsents, rows, nil)
	return err
}

// consents stores what new events say of consent. What waits for customers who took theirs back is suppressed, also what
// this batch has just stored.
func (a *addition) consents(ctx context.Context, tx *sql.Tx) error {
	var said []notify.ConsentRecord
	silent := map[string]*notify.Customer{}
	for i := range a.b.Events {
		if !a.inserted[i] {
			continue
		}
		for _, r := range a.b.Events[i].Consents {
			said = append(said, r)
			if !r.Given {
				silent[r.CustomerID] = nil
			}
		}
	}
	for i := range a.b.Customers {
		if c := &a.b.Customers[i]; len(silent) > 0 {
			if _, named := silent[c.ID]; named {
				silent[c.ID] = c
			}
		}
	}
	if err := a.s.ledger(ctx, tx, said); err != nil {
		return err
	}
	return a.s.suppressUnwanted(ctx, tx, a.b.Now, silent)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
