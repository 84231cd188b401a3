package notifytest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// edit changes a customer and returns what is stored.
func edit(t *testing.T, s Truth, id string, change func(c *notify.Customer)) notify.Customer {
	t.Helper()
	c, err := s.EditCustomer(t.Context(), By("ann", noon), id, func(c *notify.Customer) error { change(c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func editSees(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first := edit(t, s, "c-1", func(c *notify.Customer) {
		if diff := cmp.Diff(notify.Customer{ID: "c-1"}, *c); diff != "" {
			t.Error("a customer that is not stored (-want +got):\n" + diff)
		}
		c.Phone, c.Locale = "+14155550123", "es"
		c.Preferences.Channels = map[notify.Channel]bool{notify.Push: true}
		c.ID, c.Version, c.ByAPI = "c-2", 9, false // not theirs to change
	})
	second := edit(t, s, "c-1", func(c *notify.Customer) {
		if diff := cmp.Diff(first, *c); diff != "" {
			t.Error("a customer that is stored (-want +got):\n" + diff)
		}
		c.Preferences.Channels[notify.Push] = false
		c.Preferences.Quiet = &notify.QuietHours{Start: 22 * 60, End: 8 * 60}
		c.Locale = "en"
	})
	if second.Version != 2 || second.ID != "c-1" || !second.ByAPI {
		t.Errorf("the second edit gave %+v", second)
	}
	third := edit(t, s, "c-1", func(c *notify.Customer) {})
	if diff := cmp.Diff(second, third); diff != "" {
		t.Error("an edit that changes nothing (-want +got):\n" + diff)
	}
	broken := &notify.Refusal{Code: "broken"}
	_, err := s.EditCustomer(t.Context(), By("ann", noon), "c-1", func(c *notify.Customer) error { c.Name = "x"; return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the edit as it is", err)
	}
	_, err = s.EditCustomer(t.Context(), By("ann", noon), "c-1", func(c *notify.Customer) error { c.Name = "a\x00"; return nil })
	if !errors.Is(err, notify.ErrBadRow) {
		t.Errorf("NUL in a name: %v, want ErrBadRow", err)
	}
	if p, err := s.Customer(t.Context(), "c-1"); err != nil || cmp.Diff(second, p.Customer) != "" {
		t.Errorf("in the end: %+v, %v", p.Customer, err)
	}
	want := []string{
		`customer.write customer:c-1 {"changes":[{"field":"locale","from":"es","to":"en"},` +
			`{"field":"preferences.channels.push","from":"on","to":"off"},` +
			`{"field":"preferences.quiet_hours","from":"none","to":"22:00-08:00"}]}`,
		`customer.write customer:c-1 {"changes":[{"field":"phone"},{"field":"locale","to":"es"},` +
			`{"field":"preferences.channels.push","from":"default","to":"on"}]}`,
	}
	if diff := cmp.Diff(want, deeds(audit(t, s, notify.CustomerObject("c-1")))); diff != "" {
		t.Error("audit (-want +got):\n" + diff)
	}
	edit(t, s, "c-3", func(*notify.Customer) {})
	if rows := audit(t, s, notify.CustomerObject("c-3")); len(rows) != 1 || string(rows[0].Detail) != `{"changes":[]}` {
		t.Errorf("the audit of an empty customer: %q", deeds(rows))
	}
	verify(t, s, 3)
}

// Edits on two nodes at the same time see each other, from the first one on.
func editParallel(t *testing.T, nodes Nodes) {
	both := []Truth{nodes(t), nodes(t)}
	const editors, each = 8, 5
	var all sync.WaitGroup
	for w := range editors {
		all.Go(func() {
			for range each {
				_, err := both[w%2].EditCustomer(t.Context(), By("ann", noon), "c-1", func(c *notify.Customer) error {
					n, _ := strconv.Atoi(c.Name) // 0 before the first
					c.Name = strconv.Itoa(n + 1)
					return nil
				})
				if err != nil {
					t.Errorf("editor %d: %v", w, err)
				}
			}
		})
	}
	all.Wait()
	if p, err := both[0].Customer(t.Context(), "c-1"); err != nil || p.Name != strconv.Itoa(editors*each) || p.Version != editors*each {
		t.Errorf("%s edits are left in version %d (%v), want %d", p.Name, p.Version, err, editors*each)
	}
	verify(t, both[1], editors*each)
}

func importCustomers(t *testing.T, nodes Nodes) {
	s := nodes(t)
	addFour(t, s)
	for _, id := range []string{"c-2", "c-3"} {
		edit(t, s, id, func(c *notify.Customer) { c.Name = "Dana" })
	}
	// c-1 is new and turns SMS off, c-2 gets another name, c-3 stays, c-4 is new and comes twice.
	ids := []string{"c-1", "c-2", "c-3", "c-4", "c-4"}
	change := func(i int, c *notify.Customer) error {
		if c.ID != ids[i] {
			return fmt.Errorf("line %d has customer %s", i, c.ID)
		}
		switch i {
		case 0:
			c.Preferences.Channels = map[notify.Channel]bool{notify.SMS: false}
		case 1:
			c.Name = "Sam"
		case 3:
			c.Name = "Lee"
		case 4:
			c.Name += " Ann"
		}
		return nil
	}
	put := func(at time.Time, created, changed int) {
		t.Helper()
		gotCreated, gotChanged, err := s.EditCustomers(t.Context(), By("import", at), ids, change)
		if err != nil || gotCreated != created || gotChanged != changed {
			t.Errorf("%d created, %d changed (%v), want %d and %d", gotCreated, gotChanged, err, created, changed)
		}
	}
	put(noon.Add(time.Hour), 2, 1)
	p, err := s.Customer(t.Context(), "c-4")
	want := notify.Customer{ID: "c-4", Contact: notify.Contact{Name: "Lee Ann"}, ByAPI: true, Version: 1,
		CreatedAt: noon.Add(time.Hour), UpdatedAt: noon.Add(time.Hour)}
	if diff := cmp.Diff(want, p.Customer); err != nil || diff != "" {
		t.Errorf("%v, c-4 (-want +got):\n%s", err, diff)
	}
	if got := find(t, s, notify.Query{CustomerID: "c-1", State: notify.Suppressed, Limit: 10}); len(got) != 1 || got[0].Reason != notify.OptedOut {
		t.Errorf("%d messages were suppressed, want the SMS of c-1", len(got))
	}
	if p, err := s.Customer(t.Context(), "c-3"); err != nil || p.Version != 1 {
		t.Errorf("c-3 has version %d (%v), want 1", p.Version, err)
	}
	rows := audit(t, s)
	wantRows := []string{
		`customer.write customer:c-1 {"changes":[{"field":"preferences.channels.sms","from":"default","to":"off"}]}`,
		`customers.import customers {"changed":1,"created":2,"customers":4}`,
	}
	if diff := cmp.Diff(wantRows, deeds(rows[:2])); diff != "" || len(rows) != 4 {
		t.Errorf("%d rows in the audit, want 4; the last two (-want +got):\n%s", len(rows), diff)
	}

	broken := errors.New("line 1 is broken")
	_, _, err = s.EditCustomers(t.Context(), By("import", noon), ids, func(i int, c *notify.Customer) error {
		c.Name = "nobody"
		return []error{nil, broken, nil, nil, nil}[i]
	})
	if err != broken {
		t.Errorf("got %v, want the error of the edit as it is", err)
	}
	change = func(int, *notify.Customer) error { return nil }
	put(noon, 0, 0)
	ids = nil
	put(noon, 0, 0)
	if p, err := s.Customer(t.Context(), "c-2"); err != nil || p.Name != "Sam" || p.Version != 2 {
		t.Errorf("c-2 is %+v (%v) in the end", p.Customer, err)
	}
	verify(t, s, 4)
}

func subscribeBounded(t *testing.T, nodes Nodes) {
	s := nodes(t)
	edit(t, s, "c-1", func(c *notify.Customer) { c.Name = "Dana" })
	come := func(i int, customer string, at time.Duration) {
		t.Helper()
		sub := notify.Subscription{ID: fmt.Sprintf("b-%02d", i), CustomerID: customer, Endpoint: "https://push.example/x", CreatedAt: noon.Add(at)}
		if err := s.Subscribe(t.Context(), By("ann", noon), sub); err != nil {
			t.Fatal(err)
		}
	}
	come(99, "c-2", 0)
	for i := range notify.MaxSubscriptions {
		come(i, "c-1", time.Duration(i)*time.Second)
	}
	come(0, "c-1", time.Minute)                           // the oldest comes again
	come(notify.MaxSubscriptions, "c-1", -10*time.Minute) // a new one by a clock that is behind
	subs, err := s.Subscriptions(t.Context(), "c-1")
	if err != nil || len(subs) != notify.MaxSubscriptions {
		t.Fatalf("%d browsers, %v; want %d", len(subs), err, notify.MaxSubscriptions)
	}
	ids := map[string]bool{}
	for _, sub := range subs {
		ids[sub.ID] = true
	}
	if ids["b-01"] || !ids["b-00"] || !ids["b-02"] || !ids["b-20"] {
		t.Errorf("kept %v, want all but b-01", ids)
	}
	if rows := deeds(audit(t, s, notify.CustomerObject("c-1"))); rows[0] != `push_subscription.remove customer:c-1 {"subscription":"b-01"}` {
		t.Errorf("audit %q", rows[0])
	}
	if subs, err := s.Subscriptions(t.Context(), "c-2"); err != nil || len(subs) != 1 {
		t.Errorf("of somebody else: %d, %v", len(subs), err)
	}
}
