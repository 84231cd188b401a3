package notifytest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"onmyway/notify"
)

// deed is a row of the audit that is yet to be written.
type deed struct {
	did    string
	object string
	detail any
}

// record writes the audit of an act: all rows or, with an error, none.
func (db *database) record(act notify.Act, deeds ...deed) error {
	rows := slices.Clone(db.audit)
	for _, d := range deeds {
		r := notify.AuditRow{
			No: int64(len(rows) + 1), At: millis(act.At), By: act.By, Request: act.Request, Did: d.did, Object: d.object,
			Detail: json.RawMessage("{}"),
		}
		if d.detail != nil {
			text, err := json.Marshal(d.detail)
			if err != nil {
				return fmt.Errorf("write the audit: %w", err)
			}
			r.Detail = text
		}
		if !clean(r.By, r.Request, r.Did, r.Object) {
			return fmt.Errorf("write the audit: a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
		}
		var prev [32]byte
		if len(rows) > 0 {
			prev = rows[len(rows)-1].Hash
		}
		r.Hash = r.Sum(prev)
		rows = append(rows, r)
	}
	db.audit = rows
	return nil
}

// Record writes the audit of an act that stores nothing else.
func (s *Store) Record(ctx context.Context, act notify.Act, did, object string, detail any) error {
	leave, err := s.enter(ctx, "Record")
	if err != nil {
		return err
	}
	defer leave()
	return s.db.record(act, deed{did, object, detail})
}

// Audit lists what was done to objects, to all of them when objects is nil, the newest first.
func (s *Store) Audit(ctx context.Context, objects []string, limit int) ([]notify.AuditRow, error) {
	leave, err := s.enter(ctx, "Audit")
	if err != nil {
		return nil, err
	}
	defer leave()
	var found []notify.AuditRow
	for _, r := range slices.Backward(s.db.audit) {
		if len(found) < limit && (objects == nil || slices.Contains(objects, r.Object)) {
			found = append(found, r)
		}
	}
	return found, nil
}

// VerifyAudit checks every row against its hash and the row before. Errors: notify.ErrAuditBroken.
func (s *Store) VerifyAudit(ctx context.Context) (rows int64, err error) {
	leave, err := s.enter(ctx, "VerifyAudit")
	if err != nil {
		return 0, err
	}
	defer leave()
	var prev [32]byte
	for i := range s.db.audit {
		r := &s.db.audit[i]
		if r.No != rows+1 || r.Hash != r.Sum(prev) {
			return rows, fmt.Errorf("row %d: %w", rows+1, notify.ErrAuditBroken)
		}
		prev = r.Hash
		rows++
	}
	return rows, nil
}
