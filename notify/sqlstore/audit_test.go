package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"onmyway/notify"
	"onmyway/notify/notifytest"
	"onmyway/notify/sqlstore"
)

// recorded makes rows in the audit.
func recorded(t *testing.T, s *sqlstore.Store, n int) {
	t.Helper()
	for i := range n {
		err := s.Record(t.Context(), notifytest.By("ann", noon), notify.DidMakeToken, fmt.Sprint("customer:c-", i), map[string]any{"i": i})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The database itself refuses to change what was recorded, whoever asks.
func TestAuditCannotBeChanged(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		recorded(t, s, 3)
		attacks := []string{`UPDATE audit SET who = 'bob' WHERE no = 2`, `DELETE FROM audit WHERE no = 3`, `DELETE FROM audit`}
		if s.Engine() == "sqlite" {
			attacks = append(attacks, `INSERT OR REPLACE INTO audit SELECT no, at, 'bob', request, did, object, detail, hash FROM audit WHERE no = 2`,
				`INSERT INTO audit SELECT no + 7, at, who, request, did, object, detail, hash FROM audit WHERE no = 2`)
		} else {
			attacks = append(attacks, `TRUNCATE audit`)
		}
		for _, q := range attacks {
			if _, err := s.DB().ExecContext(t.Context(), q); err == nil || !strings.Contains(err.Error(), "rows of the audit are") {
				t.Errorf("%s: %v, want to be refused", q, err)
			}
		}
		if n, err := s.VerifyAudit(t.Context()); n != 3 || err != nil {
			t.Errorf("verified %d rows (%v), want 3", n, err)
		}
	})
}

// Who may drop the triggers is still found out.
func TestAuditShowsTampering(t *testing.T) {
	for _, test := range []struct {
		name, attack string
		good         int64
		says         string
	}{
		{"a detail is changed", `UPDATE audit SET detail = '{"i":9}' WHERE no = 3`, 2, "row 3 was changed"},
		{"a name is changed in the last row", `UPDATE audit SET who = 'bob' WHERE no = 5`, 4, "row 5 was changed"},
		{"a row is taken out", `DELETE FROM audit WHERE no = 2`, 1, "row 2 is missing"},
		{"the first row is taken out", `DELETE FROM audit WHERE no = 1`, 0, "row 1 is missing"},
		{"the end is cut off", `DELETE FROM audit WHERE no > 3`, 3, "row 4 is missing"},
		{"all is taken out", `DELETE FROM audit`, 0, "row 1 is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, url string) {
				s := open(t, url)
				recorded(t, s, 5)
				off := []string{`DROP TRIGGER audit_unchanged`, `DROP TRIGGER audit_undeleted`}
				if s.Engine() == "postgres" {
					off = []string{`ALTER TABLE audit DISABLE TRIGGER ALL`}
				}
				for _, q := range append(off, test.attack) {
					if _, err := s.DB().ExecContext(t.Context(), q); err != nil {
						t.Fatal(err)
					}
				}
				n, err := s.VerifyAudit(t.Context())
				if n != test.good || !errors.Is(err, notify.ErrAuditBroken) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("verified %d rows (%v), want %d and an error that says %q", n, err, test.good, test.says)
				}
			})
		})
	}
}

// VerifyAudit reads page by page, and rows that come meanwhile do not disturb it.
func TestAuditOfManyRows(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		const n = 6000 // more than a page
		ids := make([]string, 500)
		for i := range n / 500 {
			for j := range ids {
				ids[j] = fmt.Sprintf("c-%d", j)
			}
			if _, _, err := s.EditCustomers(t.Context(), notifytest.By("import", noon), ids, func(_ int, c *notify.Customer) error {
				c.Preferences.Quiet = &notify.QuietHours{Start: notify.Clock(i + 1)}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if rows, err := s.VerifyAudit(t.Context()); rows != n+n/500 || err != nil {
			t.Errorf("verified %d rows (%v), want %d", rows, err, n+n/500)
		}
	})
}
