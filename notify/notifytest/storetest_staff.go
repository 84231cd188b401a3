package notifytest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func find(t *testing.T, s Truth, q notify.Query) []notify.Entry {
	t.Helper()
	found, err := s.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// addFour stores two orders of two customers, each with an SMS and a push, and heads that lead to them.
func addFour(t *testing.T, s Truth) {
	t.Helper()
	for i, order := range []string{"CH-1", "CH-2"} {
		e := newEvent(order, []string{"c-1", "c-2"}[i], []string{"picked_up", "delivered"}[i], int64(i+1))
		b := batchOf(e)
		b.Now = noon.Add(time.Duration(i) * time.Hour)
		b.Heads = []notify.Head{headOf(&e, 0)}
		b.Messages[0].Address = []string{"+14155550101", "+14155550102"}[i]
		b.Messages = append(b.Messages, newMessage(&e, notify.Push, "sub-"+order))
		for j := range b.Messages {
			b.Messages[j].CreatedAt = b.Now
		}
		add(t, s, b)
	}
}

func findPages(t *testing.T, nodes Nodes) {
	s := nodes(t)
	addFour(t, s)
	for _, test := range []struct {
		name string
		q    notify.Query
		want int
	}{
		{"all", notify.Query{}, 6},
		{"order", notify.Query{OrderID: "CH-1"}, 3},
		{"unknown order", notify.Query{OrderID: "CH-9"}, 0},
		{"customer", notify.Query{CustomerID: "c-2"}, 3},
		{"customer and order of another", notify.Query{CustomerID: "c-2", OrderID: "CH-1"}, 0},
		{"phone", notify.Query{Phone: "+14155550102"}, 1},
		{"phone is no device", notify.Query{Phone: "sub-CH-1"}, 0},
		{"live", notify.Query{Channel: notify.WebSocket}, 2},
		{"push", notify.Query{Channel: notify.Push, OrderID: "CH-2"}, 1},
		{"sent", notify.Query{State: notify.Sent}, 2},
		{"pending", notify.Query{State: notify.Pending}, 4},
		{"milestone", notify.Query{Milestone: "delivered"}, 3},
		{"since", notify.Query{Since: noon.Add(2 * time.Second)}, 3},
		{"since before the Epoch", notify.Query{Since: time.Unix(-9, 0)}, 6},
		{"until", notify.Query{Until: noon.Add(2 * time.Second)}, 3},
		{"a second", notify.Query{Since: noon.Add(time.Second), Until: noon.Add(2 * time.Second)}, 3},
		{"no time at all", notify.Query{Since: noon.Add(time.Second), Until: noon.Add(time.Second)}, 0},
		{"everything", notify.Query{OrderID: "CH-2", CustomerID: "c-2", Phone: "+14155550102", Channel: notify.SMS,
			State: notify.Pending, Milestone: "delivered", Since: noon, Until: noon.Add(2 * time.Hour)}, 1},
	} {
		var got []notify.ID
		test.q.Limit = 2
		for { // by pages
			page := find(t, s, test.q)
			for _, e := range page {
				got = append(got, e.ID)
			}
			if len(page) < test.q.Limit {
				break
			}
			test.q.Before = page[len(page)-1].ID
		}
		if len(got) != test.want {
			t.Errorf("%s: found %d, want %d", test.name, len(got), test.want)
		}
		for i := 1; i < len(got); i++ {
			if compareIDs(got[i-1], got[i]) <= 0 {
				t.Errorf("%s: %s comes before %s", test.name, got[i-1], got[i])
			}
		}
	}
}

func findStory(t *testing.T, nodes Nodes) {
	s := nodes(t)
	e := newEvent("CH-1", "c-1", "picked_up", 1)
	b := batchOf(e)
	b.Events[0].Asked, b.Messages[0].Asked = "es-MX", "es-MX"
	b.Messages[0].RecordedAt, b.Messages[0].Trace = noon.Add(-time.Second), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	add(t, s, b)
	ours := b.Messages[0]
	begin(t, s, noon, &ours, true)
	a := attempt(1, notify.Took)
	a.ProviderID = "SM1"
	finish(t, s, notify.Outcome{Message: ours.ID, State: notify.Accepted, Attempt: a})
	again := newMessage(&e, notify.SMS, "+14155550123")
	again.Asked, again.RecordedAt, again.Trace = "es-AR", noon, "00-of-the-first-one"
	resend, _, err := s.AddResend(t.Context(), By("staff:ann", noon.Add(time.Minute)), &notify.Resend{Message: again, Of: ours.ID, Why: "never came"})
	if err != nil {
		t.Fatal(err)
	}

	want := ours
	want.State, want.ProviderID, want.UpdatedAt = notify.Accepted, "SM1", noon.Add(time.Second)
	shown := notify.Message{
		ID: e.ID, EventID: e.ID, OrderID: e.OrderID, CustomerID: e.CustomerID, Line: e.Line, Milestone: "picked_up", Sequence: 1,
		Channel: notify.WebSocket, Title: "On the way", Body: "Sam is on the way.", Locale: "en", Asked: "es-MX", Template: "v1",
		Urgency: notify.High, State: notify.Sent, OccurredAt: e.OccurredAt, CreatedAt: noon, DueAt: noon, UpdatedAt: noon,
		RecordedAt: e.Origin.Time,
	}
	resent := again
	resent.ID, resent.ResendOf, resent.ResendNo = resend, ours.ID, 1
	resent.CreatedAt, resent.UpdatedAt = noon.Add(time.Minute), noon.Add(time.Minute)
	resent.RecordedAt, resent.Trace = time.Time{}, ""
	stories := map[notify.ID]notify.Entry{
		ours.ID: {Message: want, Attempts: []notify.Attempt{a}, Resends: []notify.ID{resend}},
		e.ID:    {Message: shown, NotSent: []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}}},
		resend:  {Message: resent, By: "staff:ann", Why: "never came"},
	}
	found := find(t, s, notify.Query{OrderID: "CH-1", Limit: 100})
	if len(found) != len(stories) {
		t.Fatalf("found %d messages, want %d", len(found), len(stories))
	}
	for _, got := range found {
		want := stories[got.ID]
		want.EventKey, want.Data, want.Origin = e.Key, e.Data, e.Origin
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s as listed (-want +got):\n%s", got.Channel, diff)
		}
		if diff := cmp.Diff(want, entry(t, s, got.ID)); diff != "" {
			t.Errorf("%s by itself (-want +got):\n%s", got.Channel, diff)
		}
	}
}

func entryNotFound(t *testing.T, nodes Nodes) {
	if _, err := nodes(t).Entry(t.Context(), notify.NewID(noon, "nothing")); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}

func editCustomer(t *testing.T, nodes Nodes) {
	s := nodes(t)
	addFour(t, s)
	delays := newEvent("CH-1", "c-1", "delayed", 9)
	b := batchOf(delays)
	b.Messages = append(b.Messages, newMessage(&delays, notify.Push, "sub-CH-1"))
	add(t, s, b)

	c := notify.Customer{ID: "c-1", Contact: notify.Contact{Name: "Dana"}}
	got := PutCustomer(t, s, noon, c)
	want := c
	want.ByAPI, want.Version, want.CreatedAt, want.UpdatedAt = true, 1, noon, noon
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("written (-want +got):\n" + diff)
	}
	if n := len(find(t, s, notify.Query{CustomerID: "c-1", State: notify.Suppressed, Limit: 100})); n != 0 {
		t.Errorf("%d messages were suppressed although nothing was turned off", n)
	}

	c.Preferences = notify.Preferences{
		Channels:   map[notify.Channel]bool{notify.SMS: false},
		Categories: map[notify.Category]map[notify.Channel]bool{notify.Delays: {notify.Push: false}},
	}
	got = PutCustomer(t, s, noon.Add(time.Hour), c)
	if got.Version != 2 || !got.CreatedAt.Equal(noon) || !got.UpdatedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("second write: %+v", got)
	}
	if p, err := s.Customer(t.Context(), "c-1"); err != nil || cmp.Diff(got, p.Customer) != "" {
		t.Errorf("read back: %+v, %v", p, err)
	}
	var left []notify.Channel
	for _, e := range find(t, s, notify.Query{CustomerID: "c-1", State: notify.Pending, Limit: 100}) {
		left = append(left, e.Channel)
	}
	if diff := cmp.Diff([]notify.Channel{notify.Push}, left); diff != "" {
		t.Error("still pending (-want +got):\n" + diff)
	}
	for _, e := range find(t, s, notify.Query{CustomerID: "c-1", State: notify.Suppressed, Limit: 100}) {
		stands(t, s, e.ID, notify.Suppressed, notify.OptedOut)
	}
	if n := len(find(t, s, notify.Query{CustomerID: "c-2", State: notify.Pending, Limit: 100})); n != 2 {
		t.Errorf("%d messages of another customer are pending, want 2", n)
	}
}

func subscriptions(t *testing.T, nodes Nodes) {
	s := nodes(t)
	ctx := t.Context()
	first := notify.Subscription{ID: "sub-1", CustomerID: "c-1", Endpoint: "https://push.example/1", P256dh: "key", Auth: "auth", CreatedAt: noon}
	second := first
	second.ID, second.CreatedAt = "sub-2", noon.Add(time.Second)
	for _, sub := range []notify.Subscription{second, first, first} {
		if err := s.Subscribe(ctx, By("ann", noon), sub); err != nil {
			t.Fatal(err)
		}
	}
	list := func(customer string) []notify.Subscription {
		t.Helper()
		subs, err := s.Subscriptions(ctx, customer)
		if err != nil {
			t.Fatal(err)
		}
		return subs
	}
	if diff := cmp.Diff([]notify.Subscription{first, second}, list("c-1")); diff != "" {
		t.Error("browsers (-want +got):\n" + diff)
	}
	if got, err := s.SubscriptionByID(ctx, "sub-1"); err != nil || got != first {
		t.Errorf("by id: %+v, %v", got, err)
	}
	first.CustomerID = "c-2" // somebody else signed in on that browser
	if err := s.Subscribe(ctx, By("ann", noon), first); err != nil {
		t.Fatal(err)
	}
	if len(list("c-1")) != 1 || len(list("c-2")) != 1 {
		t.Errorf("%d and %d browsers after a move, want 1 and 1", len(list("c-1")), len(list("c-2")))
	}
	if err := s.Unsubscribe(ctx, By("ann", noon), "c-1", "sub-1"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("another's browser: %v, want ErrNotFound", err)
	}
	if err := s.Unsubscribe(ctx, By("ann", noon), "c-2", "sub-1"); err != nil || len(list("c-2")) != 0 {
		t.Errorf("unsubscribe: %v, %d left", err, len(list("c-2")))
	}
	if _, err := s.SubscriptionByID(ctx, "sub-1"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("a browser that is gone: %v, want ErrNotFound", err)
	}
	want := []string{`push_subscription.remove customer:c-2 {"subscription":"sub-1"}`,
		`push_subscription.remove customer:c-1 {"subscription":"sub-1"}`, `push_subscription.add customer:c-2 {"subscription":"sub-1"}`}
	rows := deeds(audit(t, s))
	if diff := cmp.Diff(want, rows[:3]); diff != "" || len(rows) != 6 {
		t.Errorf("%d rows in the audit, want 6; the last three (-want +got):\n%s", len(rows), diff)
	}
}

func addResend(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := sentAt(t, s, noon).Message
	e := newEvent("CH-1", "c-1", "picked_up", 1)
	ask := func(idem notify.Idempotent) (notify.ID, bool, error) {
		return s.AddResend(t.Context(), By("staff:ann", noon), &notify.Resend{
			Message: newMessage(&e, notify.SMS, "+14155550123"), Of: m.ID, Why: "never came", Force: true, Key: idem,
		})
	}
	idem := notify.Idempotent{Principal: "ann", Key: "k-1", BodyHash: [32]byte{1}}
	if _, made, err := s.Repeated(t.Context(), idem); made || err != nil {
		t.Errorf("before the first: made %v, %v", made, err)
	}
	first, again, err := ask(idem)
	if err != nil || again || first != notify.MessageID(&e, notify.SMS, "+14155550123", 1) {
		t.Fatalf("first: %s, again %v, %v", first, again, err)
	}
	if id, again, err := ask(idem); err != nil || !again || id != first {
		t.Errorf("the same key: %s, again %v, %v; want %s", id, again, err, first)
	}
	if id, made, err := s.Repeated(t.Context(), idem); err != nil || !made || id != first {
		t.Errorf("looked up: %s, made %v, %v; want %s", id, made, err, first)
	}
	idem.BodyHash[0] = 2
	if _, _, err := s.Repeated(t.Context(), idem); !errors.Is(err, notify.ErrKeyReused) {
		t.Errorf("looked up with another body: %v, want ErrKeyReused", err)
	}
	if _, _, err := ask(idem); !errors.Is(err, notify.ErrKeyReused) {
		t.Errorf("the same key with another body: %v, want ErrKeyReused", err)
	}
	idem.Principal = "bob"
	second, again, err := ask(idem)
	if err != nil || again || entry(t, s, second).ResendNo != 2 {
		t.Errorf("another principal: again %v, %v", again, err)
	}
	if _, _, err := ask(notify.Idempotent{}); err != nil {
		t.Errorf("without a key: %v", err)
	}
	// A newer milestone does not supersede what a person asked for, and any node may send it.
	b := batchOf(newEvent("CH-1", "c-1", "in_transit", 2))
	b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
	add(t, s, b)
	if got := claim(t, nodes(t), noon, notify.SMS, 10); len(got) != 3 {
		t.Errorf("claimed %d resends, want 3", len(got))
	}
	e.ID = notify.NewID(noon, "unknown")
	if _, _, err := ask(notify.Idempotent{}); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("an event that is not stored: %v, want ErrNotFound", err)
	}
}
