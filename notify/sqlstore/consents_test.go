package sqlstore_test

import (
	"strings"
	"testing"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// The database itself refuses to change what a customer said, whoever asks.
func TestConsentsCannotBeChanged(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		notifytest.PutCustomer(t, s, noon, notify.Customer{ID: "c-1", Contact: notify.Contact{Name: "Dana"}})
		said := notify.ConsentRecord{CustomerID: "c-1", Channel: notify.SMS, Consent: notify.Consent{Source: "phone call"}}
		if _, _, err := s.AddConsent(t.Context(), notifytest.By("ann", noon), said, notify.Idempotent{}); err != nil {
			t.Fatal(err)
		}
		attacks := []string{`UPDATE consents SET given = true`, `DELETE FROM consents`}
		if s.Engine() == "sqlite" {
			attacks = append(attacks, `INSERT OR REPLACE INTO consents SELECT no, customer_id, channel, 1, at, recorded_at, source, who, evidence FROM consents`)
		} else {
			attacks = append(attacks, `TRUNCATE consents`)
		}
		for _, q := range attacks {
			if _, err := s.DB().ExecContext(t.Context(), q); err == nil || !strings.Contains(err.Error(), "ledger of consent") {
				t.Errorf("%s: %v, want to be refused", q, err)
			}
		}
		if list, err := s.Consents(t.Context(), "c-1", 0, 10); err != nil || len(list) != 1 || list[0].Given {
			t.Errorf("the ledger has %+v, %v", list, err)
		}
	})
}
