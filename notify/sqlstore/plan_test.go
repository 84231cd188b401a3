package sqlstore_test

import (
	"strings"
	"testing"
)

// The tables grow for years: what runs for every batch or sweep must not read them whole.
func TestSweepsUseIndexes(t *testing.T) {
	s := open(t, newSQLite(t))
	for _, q := range []string{
		`UPDATE messages SET owner = NULL WHERE owner = 'a' AND state IN ('pending', 'sending')`,
		`UPDATE messages SET owner = NULL WHERE owner = 'a' AND state IN ('pending', 'sending') AND state = 'pending' AND event_id IN (x'00')`,
		`SELECT min(owner) FROM messages WHERE state IN ('pending', 'sending') AND owner > 'a'`,
		`SELECT id FROM messages WHERE channel = 'sms' AND state = 'pending' AND owner IS NULL AND due_at <= 5 AND expires_at > 5 ORDER BY due_at LIMIT 5`,
		`UPDATE messages SET stop = 'superseded' WHERE order_id = 'a' AND line = 'b' AND state IN ('pending', 'sending', 'verify')`,
		`SELECT id FROM messages WHERE customer_id IN ('a', 'b') AND state IN ('pending', 'sending', 'verify')`,
		`SELECT id, resend_of FROM messages WHERE resend_of IS NOT NULL AND resend_of IN (x'00', x'01') ORDER BY id`,
		`SELECT no FROM audit WHERE object IN ('a', 'b')`,
	} {
		rows, err := s.DB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+q)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(step, "SCAN") {
				t.Errorf("%s\nreads a whole table: %s", q, step)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
