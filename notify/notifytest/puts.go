package notifytest

import (
	"context"
	"testing"
	"time"

	"onmyway/notify"
)

// CustomerStore is a store that PutCustomer writes to.
type CustomerStore interface {
	EditCustomer(ctx context.Context, act notify.Act, id string, edit func(c *notify.Customer) error) (notify.Customer, error)
}

// PutCustomer gives a customer the contact and preferences of c, and returns what is stored.
func PutCustomer(t testing.TB, s CustomerStore, at time.Time, c notify.Customer) notify.Customer {
	t.Helper()
	stored, err := s.EditCustomer(t.Context(), By("ann", at), c.ID, func(now *notify.Customer) error {
		now.Contact, now.Preferences = c.Contact, c.Preferences
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// By is an act of somebody.
func By(who string, at time.Time) notify.Act { return notify.Act{At: at, By: who, Request: "req-1"} }
