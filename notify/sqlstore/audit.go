package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"onmyway/notify"
)

// deed is a row of the audit that is yet to be written.
type deed struct {
	did    string
	object string
	detail any
}

const auditList = `no, at, who, request, did, object, detail, hash`

// record writes the audit of an act. It comes last in a transaction: the lock on the head makes all writers of the audit
// wait for each other until it ends.
func (s *Store) record(ctx context.Context, tx *sql.Tx, act notify.Act, deeds ...deed) error {
	no, prev, err := auditHead(ctx, tx, s.dialect.forUpdate())
	if err != nil {
		return fmt.Errorf("lock the audit: %w", err)
	}
	rows := make(cells, 0, len(deeds)*len(insertAudit.given))
	for _, d := range deeds {
		no++
		r, err := d.row(no, act)
		if err != nil {
			return err
		}
		hash := r.Sum(prev)
		rows = append(rows, r.No, millis(r.At), r.By, r.Request, r.Did, r.Object, string(r.Detail), hash[:])
		prev = hash
	}
	if _, err := s.run(ctx, tx, insertAudit, rows, nil); err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE audit_head SET no = $1, hash = $2`, no, prev[:]); err != nil {
		return fmt.Errorf("move the head of the audit: %w", err)
	}
	return nil
}

func (d *deed) row(no int64, act notify.Act) (r notify.AuditRow, err error) {
	r = notify.AuditRow{
		No: no, At: timeOf(millis(act.At)), By: act.By, Request: act.Request, Did: d.did, Object: d.object,
		Detail: json.RawMessage("{}"),
	}
	if !clean(r.By, r.Request, r.Did, r.Object) {
		return r, fmt.Errorf("write the audit: a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	if d.detail != nil {
		if r.Detail, err = json.Marshal(d.detail); err != nil {
			return r, fmt.Errorf("write the audit: %w", err)
		}
	}
	return r, nil
}

// auditHead is the number and hash of the last row.
func auditHead(ctx context.Context, q asker, lock string) (no int64, sum [32]byte, err error) {
	var hash []byte
	if err := q.QueryRowContext(ctx, `SELECT no, hash FROM audit_head`+lock).Scan(&no, &hash); err != nil {
		return 0, sum, err
	}
	if copy(sum[:], hash) != len(sum) {
		return 0, sum, fmt.Errorf("the hash of the last row has %d bytes: %w", len(hash), notify.ErrAuditBroken)
	}
	return no, sum, nil
}

// Record writes the audit of an act that stores nothing else. Detail becomes a JSON object; nil is an empty one.
func (s *Store) Record(ctx context.Context, act notify.Act, did, object string, detail any) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return s.record(ctx, tx, act, deed{did, object, detail}) })
}

// Audit lists what was done to objects, to all of them when objects is nil, the newest first.
func (s *Store) Audit(ctx context.Context, objects []string, limit int) (found []notify.AuditRow, err error) {
	q, args := `SELECT `+auditList+` FROM audit ORDER BY no DESC LIMIT $1`, []any{limit}
	if objects != nil {
		// The index leads to the few rows of the objects. They are ordered afterwards: an engine may otherwise walk all
		// rows from the newest in search of them.
		q = `WITH few AS MATERIALIZED (SELECT no FROM audit WHERE object` + s.dialect.inTexts(2) + `)
			SELECT ` + auditList + ` FROM audit WHERE no IN (SELECT no FROM few ORDER BY no DESC LIMIT $1) ORDER BY no DESC`
		args = append(args, s.dialect.texts(objects))
	}
	if found, err = s.auditRows(ctx, q, args...); err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return found, nil
}

func (s *Store) auditRows(ctx context.Context, q string, args ...any) (found []notify.AuditRow, err error) {
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var r notify.AuditRow
		var detail, hash []byte
		err := scan(&r.No, timeIn{&r.At}, &r.By, &r.Request, &r.Did, &r.Object, &detail, &hash)
		r.Detail = detail
		copy(r.Hash[:], hash)
		found = append(found, r)
		return err
	})
	return found, err
}

// verifyRows is how many rows VerifyAudit reads with one statement.
const verifyRows = 5000

// VerifyAudit reads the whole audit and checks every row against its hash, the row before and the number of rows. It
// returns how many rows are right. Errors: notify.ErrAuditBroken, with the first row that is not.
func (s *Store) VerifyAudit(ctx context.Context) (rows int64, err error) {
	// Rows that are added meanwhile come after the head as it is now.
	last, sum, err := auditHead(ctx, s.read, "")
	if err != nil {
		return 0, fmt.Errorf("read the head of the audit: %w", err)
	}
	broken := func(no int64, what string) error {
		return fmt.Errorf("verify the audit: %w: row %d %s", notify.ErrAuditBroken, no, what)
	}
	for prev, page := ([32]byte{}), verifyRows; page == verifyRows; {
		found, err := s.auditRows(ctx, `SELECT `+auditList+` FROM audit WHERE no > $1 ORDER BY no LIMIT $2`, rows, verifyRows)
		if err != nil {
			return rows, fmt.Errorf("verify the audit: %w", err)
		}
		page = len(found)
		for i := range found {
			r := &found[i]
			switch {
			case r.No != rows+1:
				return rows, broken(rows+1, "is missing")
			case r.Hash != r.Sum(prev) || r.No == last && r.Hash != sum:
				return rows, broken(r.No, "was changed")
			}
			rows, prev = r.No, r.Hash
		}
	}
	if rows < last {
		return rows, broken(rows+1, "is missing")
	}
	return rows, nil
}
