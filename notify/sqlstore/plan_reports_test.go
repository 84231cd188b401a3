package sqlstore_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// wholeTable is a step of a plan that reads a table whole. Tables that are nearly always empty may be.
var wholeTable = regexp.MustCompile(`Seq Scan on (events|messages|customers)\b|SCAN (events|messages|customers|parked_reports)\b`)

func TestSendingUsesIndexes(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		rows := 20_000
		if s.Engine() == "sqlite" {
			rows /= 2 // it plans by the number of different values alone, and is slow under the race detector
		}
		a := newArchive(rows)
		a.fill(t, s)
		if _, err := s.DB().ExecContext(t.Context(), `INSERT INTO customers (id, name, phone, locale, time_zone, preferences, by_api,
			version, created_at, updated_at) SELECT 'c-' || order_id, '', order_id, 'en', '', '{}', false, 1, 1, 1 FROM order_heads`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().ExecContext(t.Context(), `UPDATE messages SET provider_id = 'SM' || order_id`); err != nil {
			t.Fatal(err)
		}
		found, err := s.Find(t.Context(), notify.Query{Channel: notify.SMS, Limit: 8})
		if err != nil || len(found) != 8 {
			t.Fatal(len(found), err)
		}
		var ids []notify.ID
		for i := range found {
			ids = append(ids, found[i].ID)
		}
		if s.Engine() == "sqlite" {
			findsByIndexes(t, s, a, ids) // nobody analyses the file of a running service
		}
		if _, err := s.DB().ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		findsByIndexes(t, s, a, ids)
	})
}

// findsByIndexes demands that statements find their rows by the indexes that are there for them.
func findsByIndexes(t *testing.T, s *sqlstore.Store, a *archive, ids []notify.ID) {
	t.Helper()
	for _, q := range s.Statements(ids, a.phone(3)) {
		plan := explain(t, s, q.SQL, q.Args...)
		text := strings.Join(plan, "\n")
		if slices.ContainsFunc(plan, wholeTable.MatchString) {
			t.Errorf("%s reads a table whole:\n%s\n%s", q.Name, q.SQL, text)
		}
		if len(q.Indexes) > 0 && !slices.ContainsFunc(q.Indexes, func(index string) bool { return strings.Contains(text, index) }) {
			t.Errorf("%s uses none of %v:\n%s\n%s", q.Name, q.Indexes, q.SQL, text)
		}
		if testing.Verbose() {
			fmt.Printf("%s: %s\n", q.Name, strings.Join(plan, "\n    "))
		}
	}
}
