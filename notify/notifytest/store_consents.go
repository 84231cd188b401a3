package notifytest

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"onmyway/notify"
)

// AddConsent adds what a customer said to the ledger. When it is the newest that they said it holds from now on. Errors:
// notify.ErrNotFound, notify.ErrKeyReused.
func (s *Store) AddConsent(ctx context.Context, act notify.Act, r notify.ConsentRecord, key notify.Idempotent) (added notify.ConsentRecord, again bool, err error) {
	leave, err := s.enter(ctx, "AddConsent")
	if err != nil {
		return r, false, err
	}
	defer leave()
	old, ok := s.db.customers[r.CustomerID]
	if !ok {
		return r, false, fmt.Errorf("store a consent: %w", notify.ErrNotFound)
	}
	id, again, err := s.db.answer(key)
	switch {
	case err != nil:
		return r, false, err
	case again:
		return s.db.consents[binary.BigEndian.Uint64(id[8:])-1], true, nil
	}
	if !clean(r.Source, r.Evidence) {
		return r, false, fmt.Errorf("store a consent: %w", notify.ErrBadRow)
	}
	r.No, r.RecordedAt, r.By = int64(len(s.db.consents)+1), millis(act.At), act.By
	if r.At.IsZero() {
		r.At = latest(r.RecordedAt, old.Consents[r.Channel].At)
	}
	r.At = millis(r.At)
	now := old
	newest := false
	if now.Consents, newest = old.Consents.Answer(&r); newest {
		now.Version, now.UpdatedAt = old.Version+1, millis(act.At)
	}
	row := deed{notify.DidConsent, notify.CustomerObject(r.CustomerID), map[string]any{
		"channel": r.Channel, "given": r.Given, "source": r.Source, "changes": append([]notify.Change{}, notify.Changes(&old, &now)...),
	}}
	if err := s.db.record(act, row); err != nil {
		return r, false, err
	}
	s.db.consents = append(s.db.consents, r)
	if key.Key != "" {
		var id notify.ID
		binary.BigEndian.PutUint64(id[8:], uint64(r.No))
		s.db.remember(act.At, key, id)
	}
	s.db.putCustomer(act.At, now)
	return r, false, s.lose("AddConsent")
}

// Consents lists what a customer said, the newest row first.
func (s *Store) Consents(ctx context.Context, customerID string, before int64, limit int) ([]notify.ConsentRecord, error) {
	leave, err := s.enter(ctx, "Consents")
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []notify.ConsentRecord
	for _, r := range slices.Backward(s.db.consents) {
		if len(list) < limit && r.CustomerID == customerID && (before == 0 || r.No < before) {
			list = append(list, r)
		}
	}
	return list, nil
}

// hear adds the answers that an edit changes to the ledger.
func (db *database) hear(act notify.Act, c *notify.Customer) {
	for _, ch := range notify.ConsentChannels {
		if said, there := c.Consents[ch]; there && said != db.customers[c.ID].Consents[ch] {
			db.keep(notify.ConsentRecord{CustomerID: c.ID, Channel: ch, Consent: said, RecordedAt: act.At, By: act.By})
		}
	}
}

// heard adds what a new event says to the ledger. What waits for a customer who took their consent back is suppressed.
func (db *database) heard(b *notify.Batch, said []notify.ConsentRecord) {
	for _, r := range said {
		db.keep(r)
		if c := db.customers[r.CustomerID]; !r.Given {
			db.suppressUnwanted(b.Now, &c)
		}
	}
}

func (db *database) keep(r notify.ConsentRecord) {
	r.No, r.At, r.RecordedAt = int64(len(db.consents)+1), millis(r.At), millis(r.RecordedAt)
	db.consents = append(db.consents, r)
}
