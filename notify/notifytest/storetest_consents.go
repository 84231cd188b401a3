package notifytest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// answer records what c-1 said of texts.
func answer(t *testing.T, s Truth, act notify.Act, given bool, at time.Time, source string) notify.ConsentRecord {
	t.Helper()
	r, again, err := s.AddConsent(t.Context(), act, notify.ConsentRecord{
		CustomerID: "c-1", Channel: notify.SMS, Consent: notify.Consent{Given: given, At: at, Source: source}, Evidence: "seen",
	}, notify.Idempotent{})
	if err != nil || again {
		t.Fatalf("record a consent: again %v, %v", again, err)
	}
	return r
}

// holds checks the newest answer of a customer and how often their row was written.
func holds(t *testing.T, s Truth, customer string, want notify.Consents, version int64) {
	t.Helper()
	p, err := s.Customer(t.Context(), customer)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, p.Consents); diff != "" {
		t.Error("the newest answers (-want +got):\n" + diff)
	}
	if p.Version != version {
		t.Errorf("the customer is version %d, want %d", p.Version, version)
	}
}

func texts(given bool, at time.Time, source string) notify.Consents {
	return notify.Consents{notify.SMS: {Given: given, At: at, Source: source}}
}

// said lists the ledger of a customer in words, the newest row first.
func said(t *testing.T, s Truth, customer string) (words []string) {
	t.Helper()
	list, err := s.Consents(t.Context(), customer, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range list {
		if i > 0 && r.No >= list[i-1].No {
			t.Errorf("row %d comes after row %d", r.No, list[i-1].No)
		}
		words = append(words, fmt.Sprintf("%s %v %s by %s", r.Channel, r.Given, r.Source, r.By))
	}
	return words
}

func consentLedger(t *testing.T, nodes Nodes) {
	s := nodes(t)
	ask := notify.ConsentRecord{CustomerID: "c-1", Channel: notify.SMS}
	if _, _, err := s.AddConsent(t.Context(), By("ann", noon), ask, notify.Idempotent{}); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("of a customer who is not stored: %v, want ErrNotFound", err)
	}
	edit(t, s, "c-1", func(c *notify.Customer) { c.Phone = number })
	holds(t, s, "c-1", nil, 1)
	given := answer(t, s, By("ann", noon), true, noon.Add(-time.Hour), "web form")
	want := notify.ConsentRecord{
		No: given.No, CustomerID: "c-1", Channel: notify.SMS, Evidence: "seen", RecordedAt: noon, By: "ann",
		Consent: notify.Consent{Given: true, At: noon.Add(-time.Hour), Source: "web form"},
	}
	if diff := cmp.Diff(want, given); diff != "" || given.No == 0 {
		t.Error("what was stored (-want +got):\n" + diff)
	}
	holds(t, s, "c-1", texts(true, noon.Add(-time.Hour), "web form"), 2)
	// What is older is kept, and holds no more.
	answer(t, s, By("ann", noon), false, noon.Add(-2*time.Hour), "letter")
	holds(t, s, "c-1", texts(true, noon.Add(-time.Hour), "web form"), 2)
	answer(t, s, By("ann", noon), false, time.Time{}, "phone call")
	holds(t, s, "c-1", texts(false, noon, "phone call"), 3)
	// Said just now is the newest, also by a clock that is behind.
	answer(t, s, By("ben", noon.Add(-time.Minute)), true, time.Time{}, "web form")
	holds(t, s, "c-1", texts(true, noon, "web form"), 4)
	all := []string{"sms true web form by ben", "sms false phone call by ann", "sms false letter by ann", "sms true web form by ann"}
	if diff := cmp.Diff(all, said(t, s, "c-1")); diff != "" {
		t.Error("the ledger (-want +got):\n" + diff)
	}
	page, err := s.Consents(t.Context(), "c-1", given.No+1, 1)
	if err != nil || len(page) != 1 || page[0].No != given.No {
		t.Errorf("a page of one: %+v, %v", page, err)
	}
	if got := said(t, s, "c-2"); got != nil {
		t.Errorf("of somebody else: %q", got)
	}
	rows := deeds(audit(t, s, notify.CustomerObject("c-1")))
	first := `customer.consent customer:c-1 {"changes":[{"field":"consents.sms","from":"none","to":"given"}],"channel":"sms","given":true,"source":"web form"}`
	if len(rows) != 5 || rows[3] != first {
		t.Errorf("audit %q", rows)
	}
	verify(t, s, 5)
	bad := notify.ConsentRecord{CustomerID: "c-1", Channel: notify.SMS, Evidence: "a\x00"}
	if _, _, err := s.AddConsent(t.Context(), By("ann", noon), bad, notify.Idempotent{}); !errors.Is(err, notify.ErrBadRow) {
		t.Errorf("NUL in the evidence: %v, want ErrBadRow", err)
	}
}

func consentWithdrawn(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	edit(t, s, "c-1", func(c *notify.Customer) { c.Phone = number })
	waiting, sending, unclear := addTo(t, s, "CH-1", "c-1"), addTo(t, s, "CH-2", "c-1"), addTo(t, s, "CH-3", "c-1")
	other := addTo(t, s, "CH-4", "c-2")
	e := newEvent("CH-5", "c-1", "picked_up", 1)
	push := batchOf(e)
	push.Messages = []notify.Message{newMessage(&e, notify.Push, "sub-1")}
	add(t, s, push)
	for _, m := range []*notify.Message{&sending, &unclear} {
		begin(t, s, noon, m, true)
	}
	stages[notify.Verify](t, s, &unclear)
	answer(t, peer, By("ann", later), true, time.Time{}, "web form")
	stands(t, s, waiting.ID, notify.Pending, "")
	answer(t, peer, By("ann", later), false, time.Time{}, "phone call")
	stands(t, s, waiting.ID, notify.Suppressed, notify.NoConsent)
	begin(t, s, noon, &waiting, false)
	stands(t, s, other.ID, notify.Pending, "")
	stands(t, s, push.Messages[0].ID, notify.Pending, "")
	// What was on its way may arrive, and does not come back.
	stages[notify.Pending](t, s, &sending)
	stands(t, s, sending.ID, notify.Suppressed, notify.NoConsent)
	settle(t, s, notify.Settlement{Message: unclear.ID, Attempt: 1, State: notify.Pending, DueAt: noon})
	stands(t, s, unclear.ID, notify.Suppressed, notify.NoConsent)
	// Nothing is sent again, and nothing slips in that was decided before.
	resend := notify.Resend{Message: waiting, Of: waiting.ID, Force: true}
	_, _, err := s.AddResend(t.Context(), By("ann", noon.Add(time.Hour)), &resend)
	if refusal := (*notify.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != notify.RefuseConsent {
		t.Errorf("a resend: %v, want a refusal", err)
	}
	b := batchOf(newEvent("CH-6", "c-1", "picked_up", 1))
	b.Told = []notify.Customer{{ID: "c-1", Version: 2}}
	if err := s.Add(t.Context(), b); !errors.As(err, new(*notify.HeadMoved)) {
		t.Errorf("a text that was decided before the withdrawal: %v, want HeadMoved", err)
	}
}

func consentOnce(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	for _, id := range []string{"c-1", "c-2"} {
		edit(t, s, id, func(c *notify.Customer) { c.Name = "Dana" })
	}
	key := notify.Idempotent{Principal: "ann", Key: "k-1", BodyHash: [32]byte{1}}
	ask := notify.ConsentRecord{CustomerID: "c-1", Channel: notify.SMS, Consent: notify.Consent{Given: true, Source: "web form"}}
	first, again, err := s.AddConsent(t.Context(), By("ann", noon), ask, key)
	if err != nil || again {
		t.Fatal(again, err)
	}
	same, again, err := peer.AddConsent(t.Context(), By("ann", later), ask, key)
	if diff := cmp.Diff(first, same); err != nil || !again || diff != "" {
		t.Errorf("a repeat: again %v, %v (-want +got):\n%s", again, err, diff)
	}
	key.BodyHash = [32]byte{2}
	ask.CustomerID = "c-2"
	if _, _, err := s.AddConsent(t.Context(), By("ann", noon), ask, key); !errors.Is(err, notify.ErrKeyReused) {
		t.Errorf("another request under the same key: %v, want ErrKeyReused", err)
	}
	if n := len(said(t, s, "c-1")) + len(said(t, s, "c-2")); n != 1 {
		t.Errorf("%d rows in the ledger, want 1", n)
	}
}

// saying makes an event say something of consent, as Decide does.
func saying(b *notify.Batch, given bool, version int64) *notify.Batch {
	e := &b.Events[0]
	r := notify.ConsentRecord{
		CustomerID: e.CustomerID, Channel: notify.SMS, RecordedAt: b.Now, By: notify.ByEvent, Evidence: "event " + e.ID.String(),
		Consent: notify.Consent{Given: given, At: e.OccurredAt, Source: notify.ConsentByEvent},
	}
	e.Consents = []notify.ConsentRecord{r}
	b.Customers = []notify.Customer{{ID: e.CustomerID, Contact: notify.Contact{Phone: number}, Version: version,
		Consents: notify.Consents{notify.SMS: r.Consent}}}
	return b
}

func consentOfEvents(t *testing.T, nodes Nodes) {
	s := nodes(t)
	yes := saying(batchOf(newEvent("CH-1", "c-1", "picked_up", 1)), true, 0)
	add(t, s, yes)
	at := yes.Events[0].OccurredAt
	holds(t, s, "c-1", texts(true, at, notify.ConsentByEvent), 1)
	stands(t, s, yes.Messages[0].ID, notify.Pending, "")
	add(t, s, yes) // read again: said once
	no := saying(batchOf(newEvent("CH-2", "c-1", "picked_up", 2)), false, 1)
	add(t, s, no) // together with a text that was decided before
	holds(t, s, "c-1", texts(false, no.Events[0].OccurredAt, notify.ConsentByEvent), 2)
	for _, b := range []*notify.Batch{yes, no} {
		stands(t, s, b.Messages[0].ID, notify.Suppressed, notify.NoConsent)
	}
	want := []string{"sms false order event by event", "sms true order event by event"}
	if diff := cmp.Diff(want, said(t, s, "c-1")); diff != "" {
		t.Error("the ledger (-want +got):\n" + diff)
	}
}

func consentOfImport(t *testing.T, nodes Nodes) {
	s := nodes(t)
	took := func(at time.Time, given bool) (created, changed int) {
		t.Helper()
		created, changed, err := s.EditCustomers(t.Context(), By("command line", at), []string{"c-1"}, func(_ int, c *notify.Customer) error {
			c.Consents, _ = c.Consents.Hear(notify.SMS, notify.Consent{Given: given, At: at, Source: notify.ConsentByImport})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return created, changed
	}
	m := addTo(t, s, "CH-1", "c-1")
	if created, _ := took(noon, true); created != 1 {
		t.Error("the import creates nobody")
	}
	if created, changed := took(later, true); created+changed != 0 {
		t.Error("an import that says nothing new changes something")
	}
	if _, changed := took(later, false); changed != 1 {
		t.Error("the import takes nothing back")
	}
	stands(t, s, m.ID, notify.Suppressed, notify.NoConsent)
	holds(t, s, "c-1", texts(false, later, notify.ConsentByImport), 2)
	want := []string{"sms false import by command line", "sms true import by command line"}
	if diff := cmp.Diff(want, said(t, s, "c-1")); diff != "" {
		t.Error("the ledger (-want +got):\n" + diff)
	}
	if rows := audit(t, s, notify.CustomerObject("c-1")); len(rows) != 2 {
		t.Errorf("%d rows in the audit of the customer, want 2", len(rows))
	}
}
