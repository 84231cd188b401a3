package notifytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func addOnce(t *testing.T, nodes Nodes) {
	s := nodes(t)
	e := newEvent("CH-1", "c-1", "picked_up", 1)
	b := batchOf(e)
	add(t, s, b)
	areNew(t, b, true)
	again := batchOf(e)
	add(t, s, again)
	areNew(t, again, false)

	known := make([]bool, 2)
	if err := s.Known(t.Context(), []notify.ID{e.ID, notify.NewID(noon, "other")}, known); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, false}, known); diff != "" {
		t.Error("known (-want +got):\n" + diff)
	}
	want := b.Messages[0]
	if diff := cmp.Diff(want, entry(t, s, want.ID).Message); diff != "" {
		t.Error("message (-want +got):\n" + diff)
	}
}

func addRepeatsInBatch(t *testing.T, nodes Nodes) {
	s := nodes(t)
	e, other := newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-1", "c-1", "picked_up", 2)
	b := batchOf(e, e, other, e)
	add(t, s, b)
	areNew(t, b, true, false, true, false)
}

func addSameFact(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first := newEvent("CH-1", "c-1", "picked_up", 1)
	twin := first
	twin.Key, twin.OccurredAt = "another-id", first.OccurredAt.Add(time.Minute)
	twin.ID = notify.NewID(twin.OccurredAt, twin.Key)
	b := batchOf(first, twin)
	add(t, s, b)
	areNew(t, b, true, false)
	later := batchOf(twin)
	add(t, s, later)
	areNew(t, later, false)
	if _, err := s.Entry(t.Context(), later.Messages[0].ID); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("the message of a repeat: %v, want ErrNotFound", err)
	}
}

func addHeads(t *testing.T, nodes Nodes) {
	s := nodes(t)
	if h := head(t, s, "CH-1"); h.Version != 0 || h.OrderID != "CH-1" || h.Line != notify.CarHaul {
		t.Fatalf("head of an unknown order: %+v", h)
	}
	for i, name := range []string{"order_booked", "picked_up", "delivered"} {
		e := newEvent("CH-1", "c-1", name, int64(i+1))
		b := batchOf(e)
		b.Heads = []notify.Head{headOf(&e, int64(i))}
		add(t, s, b)
		if diff := cmp.Diff(headOf(&e, int64(i+1)), head(t, s, "CH-1")); diff != "" {
			t.Errorf("head after %s (-want +got):\n%s", name, diff)
		}
	}
}

func addHeadMoved(t *testing.T, nodes Nodes) {
	s := nodes(t)
	e := newEvent("CH-1", "c-1", "order_booked", 1)
	b := batchOf(e)
	b.Heads = []notify.Head{headOf(&e, 0)}
	b.Customers = []notify.Customer{{ID: "c-1"}}
	add(t, s, b)

	next, other := newEvent("CH-1", "c-1", "picked_up", 2), newEvent("CH-2", "c-2", "picked_up", 2)
	b = batchOf(next, other)
	b.Heads = []notify.Head{headOf(&next, 0), headOf(&other, 4)} // one is there already, the other is not there at all
	b.Customers = []notify.Customer{{ID: "c-1", Version: 7}, {ID: "c-2"}}
	err := s.Add(t.Context(), b)
	var moved *notify.HeadMoved
	if !errors.As(err, &moved) {
		t.Fatalf("error %v, want *HeadMoved", err)
	}
	want := &notify.HeadMoved{
		Orders:    []notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}, {OrderID: "CH-2", Line: notify.CarHaul}},
		Customers: []string{"c-1"},
	}
	if diff := cmp.Diff(want, moved); diff != "" {
		t.Error("moved (-want +got):\n" + diff)
	}
	known := make([]bool, 2)
	if err := s.Known(t.Context(), []notify.ID{next.ID, other.ID}, known); err != nil {
		t.Fatal(err)
	}
	if known[0] || known[1] {
		t.Error("a batch that was refused has left events")
	}
	if h := head(t, s, "CH-1"); h.Milestone != "order_booked" || h.Version != 1 {
		t.Errorf("a batch that was refused has changed a head: %+v", h)
	}
}

func addRepeatLeavesHeads(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first, second := newEvent("CH-1", "c-1", "order_booked", 1), newEvent("CH-1", "c-1", "picked_up", 2)
	for i, e := range []notify.Event{first, second} {
		b := batchOf(e)
		b.Heads = []notify.Head{headOf(&e, int64(i))}
		b.Customers = []notify.Customer{{ID: "c-1", Contact: notify.Contact{Name: "Dana"}, Version: int64(i)}}
		add(t, s, b)
	}
	// A cache that forgot everything makes the repeat look like a first event.
	b := batchOf(first)
	b.Heads = []notify.Head{headOf(&first, 0)}
	b.Customers = []notify.Customer{{ID: "c-1", Contact: notify.Contact{Name: "Old"}}}
	add(t, s, b)
	if h := head(t, s, "CH-1"); h.Milestone != "picked_up" || h.Version != 2 {
		t.Errorf("a repeat has changed the head: %+v", h)
	}
	if p, err := s.Customer(t.Context(), "c-1"); err != nil || p.Name != "Dana" {
		t.Errorf("a repeat has changed the customer: %+v, %v", p, err)
	}
}

func addCustomers(t *testing.T, nodes Nodes) {
	s := nodes(t)
	c := notify.Customer{
		ID:      "c-1",
		Contact: notify.Contact{Name: "Dana Reyes", Phone: "+14155550123", Locale: "en-US", TimeZone: "America/Los_Angeles"},
		Preferences: notify.Preferences{
			Channels:   map[notify.Channel]bool{notify.SMS: true},
			Categories: map[notify.Category]map[notify.Channel]bool{notify.Delays: {notify.Push: false}},
			Quiet:      &notify.QuietHours{Start: 22 * 60, End: 7 * 60},
		},
	}
	e := newEvent("CH-1", "c-1", "order_booked", 1)
	b := batchOf(e)
	b.Customers = []notify.Customer{c}
	add(t, s, b)

	e = newEvent("CH-1", "c-1", "picked_up", 2)
	b = batchOf(e)
	b.Now = noon.Add(time.Hour)
	c.Version, c.Locale = 1, "es"
	b.Customers = []notify.Customer{c}
	add(t, s, b)

	c.Version, c.CreatedAt, c.UpdatedAt = 2, noon, noon.Add(time.Hour)
	profiles := make([]notify.Profile, 3)
	if err := s.Lookup(t.Context(), []string{"c-9", "c-1", "c-1"}, profiles, nil, nil); err != nil {
		t.Fatal(err)
	}
	want := []notify.Profile{{Customer: notify.Customer{ID: "c-9"}}, {Customer: c}, {Customer: c}}
	if diff := cmp.Diff(want, profiles); diff != "" {
		t.Error("profiles (-want +got):\n" + diff)
	}
}

func addNewOwner(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i, customer := range []string{"c-1", "c-2"} {
		e := newEvent("CH-1", customer, "picked_up", int64(i+1))
		b := batchOf(e)
		b.Heads = []notify.Head{headOf(&e, int64(i))}
		add(t, s, b)
		if h := head(t, s, "CH-1"); h.CustomerID != customer {
			t.Errorf("the order belongs to %s, want %s", h.CustomerID, customer)
		}
	}
	found, err := s.Find(t.Context(), notify.Query{CustomerID: "c-2", Limit: 10})
	if err != nil || len(found) != 2 {
		t.Errorf("found %d messages of the new customer (%v), want 2", len(found), err)
	}
}

func addPosition(t *testing.T, nodes Nodes) {
	s := nodes(t)
	if _, known, err := s.Position(t.Context(), "order-events", 3); known || err != nil {
		t.Fatalf("position before anything: known %v, %v", known, err)
	}
	for _, next := range []int64{100, 250, 10} { // it goes back when the topic was made anew
		add(t, s, &notify.Batch{Topic: "order-events", Partition: 3, Next: next, Now: noon})
		got, known, err := s.Position(t.Context(), "order-events", 3)
		if got != next || !known || err != nil {
			t.Errorf("position %d (%v, %v), want %d", got, known, err, next)
		}
	}
	add(t, s, &notify.Batch{Now: noon})
	if _, known, _ := s.Position(t.Context(), "", 0); known {
		t.Error("a batch without topic has a position")
	}
}

func addBadBytes(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for name, spoil := range map[string]func(*notify.Batch){
		"NUL in an order":      func(b *notify.Batch) { b.Events[0].OrderID = "CH\x00" },
		"broken UTF-8 in data": func(b *notify.Batch) { b.Events[0].Data = []byte("{\"a\":\"\xff\"}") },
		"NUL in a text":        func(b *notify.Batch) { b.Messages[0].Body = "a\x00b" },
	} {
		b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1))
		spoil(b)
		if err := s.Add(t.Context(), b); !errors.Is(err, notify.ErrBadRow) {
			t.Errorf("%s: %v, want ErrBadRow", name, err)
		}
	}
	addSent(t, s, 1)
}

func addMany(t *testing.T, nodes Nodes) {
	s := nodes(t)
	var events []notify.Event
	for i := range 137 { // no multiple of anything
		events = append(events, newEvent(fmt.Sprint("CH-", i%40), fmt.Sprint("c-", i%7), "picked_up", int64(i+1)))
	}
	b := batchOf(events...)
	for i := range 40 {
		b.Heads = append(b.Heads, headOf(&events[i], 0))
	}
	add(t, s, b)
	b.Heads, b.Next = nil, 500
	events = append(events, newEvent("CH-1", "c-1", "delivered", 900))
	b = batchOf(events...)
	add(t, s, b)
	for i := range b.Events {
		if b.Events[i].New != (i == 137) {
			t.Errorf("event %d: new is %v", i, b.Events[i].New)
		}
	}
	orders, heads := make([]notify.OrderLine, 60), make([]notify.Head, 60)
	for i := range orders {
		orders[i] = notify.OrderLine{OrderID: fmt.Sprint("CH-", i), Line: notify.CarHaul}
	}
	if err := s.Lookup(t.Context(), nil, nil, orders, heads); err != nil {
		t.Fatal(err)
	}
	for i := range heads {
		if (heads[i].Version == 1) != (i < 40) {
			t.Errorf("order %d has version %d", i, heads[i].Version)
		}
	}
}

func addRejects(t *testing.T, nodes Nodes) {
	s := nodes(t)
	r := notify.Reject{
		Record: notify.Record{Topic: "order-events", Partition: 3, Offset: 9, Time: noon, Key: nil, Value: []byte("\x00\xffnot json"),
			Headers: []notify.Header{{Key: "trace", Value: []byte{1, 2}}}},
		Reason: "not_json", Problems: []notify.Problem{{Field: "customer.phone", Detail: "write it as +14155550123"}}, At: noon,
	}
	for range 2 { // a repeat changes nothing
		add(t, s, &notify.Batch{Topic: "order-events", Partition: 3, Next: 10, Now: noon, Rejects: []notify.Reject{r}})
	}
	letters, err := s.DeadLetters(t.Context(), notify.ID{}, 10)
	want := []notify.DeadLetter{{ID: notify.LetterID(&r.Record), Reject: r}}
	if diff := cmp.Diff(want, letters); err != nil || diff != "" {
		t.Errorf("%v, dead letters (-want +got):\n%s", err, diff)
	}
}

// A choice that was made while a batch was decided: the batch has to be decided again.
func addTold(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first := PutCustomer(t, s, noon, notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: "+14155550123"}})
	e := newEvent("CH-1", "c-1", "picked_up", 1)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.SMS, "+14155550123")}
	b.Told = []notify.Customer{{ID: "c-1", Version: first.Version}}
	first.Preferences.Channels = map[notify.Channel]bool{notify.SMS: false}
	PutCustomer(t, s, noon, first)
	moved := (*notify.HeadMoved)(nil)
	if err := s.Add(t.Context(), b); !errors.As(err, &moved) || len(moved.Customers) != 1 || moved.Customers[0] != "c-1" {
		t.Fatalf("error %v, want *HeadMoved of c-1", err)
	}
	// Of two decisions one may have known the choice, and the other one not.
	b.Told = []notify.Customer{b.Told[0], {ID: "c-1", Version: first.Version + 1}}
	for range b.Told {
		if err := s.Add(t.Context(), b); !errors.As(err, &moved) || !slices.Contains(moved.Customers, "c-1") {
			t.Fatalf("error %v, want *HeadMoved of c-1", err)
		}
		slices.Reverse(b.Told)
	}
	b.Told = b.Told[1:]
	add(t, s, b)
}

// A head that several decisions have made counts a version for each of them.
func addSteps(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i, steps := range []int64{3, 0, 2} {
		e := newEvent("CH-1", "c-1", "picked_up", int64(i))
		b := batchOf(e)
		h := headOf(&e, head(t, s, "CH-1").Version)
		h.Steps = steps
		b.Heads = []notify.Head{h}
		add(t, s, b)
	}
	if h := head(t, s, "CH-1"); h.Version != 6 || h.Steps != 0 {
		t.Errorf("the head has version %d and %d steps, want 6 and none", h.Version, h.Steps)
	}
}

// A batch is stored only where its process left the partition, or where a try of it whose answer was lost did.
func addRewound(t *testing.T, nodes Nodes) {
	s := nodes(t)
	place := func(next int64, since *int64) error {
		b := &notify.Batch{Topic: "order-events", Partition: 1, Next: next, Now: noon}
		if since != nil {
			b.Since = notify.Place{Next: *since, Known: true}
		}
		return s.Add(t.Context(), b)
	}
	at := func(n int64) *int64 { return &n }
	for _, step := range []struct {
		name  string
		next  int64
		since *int64
		err   error
		want  int64
	}{
		{"nothing is known of it", 10, at(0), notify.ErrRewound, -1},
		{"the first", 10, nil, nil, 10},
		{"the next", 20, at(10), nil, 20},
		{"the next once more, its answer was lost", 20, at(10), nil, 20},
		{"it stands before", 40, at(30), notify.ErrRewound, 20},
		{"it stands behind", 15, at(10), notify.ErrRewound, 20},
		{"back, of a topic that was made anew", 5, at(20), nil, 5},
		{"anywhere", 50, nil, nil, 50},
	} {
		if err := place(step.next, step.since); !errors.Is(err, step.err) {
			t.Errorf("%s: %v, want %v", step.name, err, step.err)
		}
		got, known, err := s.Position(t.Context(), "order-events", 1)
		if err != nil || known != (step.want >= 0) || known && got != step.want {
			t.Errorf("%s: position %d (%v, %v), want %d", step.name, got, known, err, step.want)
		}
	}
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1))
	b.Topic, b.Partition, b.Next, b.Since = "order-events", 1, 60, notify.Place{Next: 49, Known: true}
	if err := s.Add(t.Context(), b); !errors.Is(err, notify.ErrRewound) {
		t.Fatalf("a batch that stands elsewhere: %v", err)
	}
	known := make([]bool, 1)
	if err := s.Known(t.Context(), []notify.ID{b.Events[0].ID}, known); err != nil || known[0] {
		t.Errorf("its event is stored all the same (%v)", err)
	}
}

// A message that is unclear from the start is asked about, and is superseded like any other.
func addUnclear(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "driver_en_route_to_pickup", 1), newEvent("CH-1", "c-1", "picked_up", 2))
	for i := range b.Messages {
		b.Messages[i].State, b.Messages[i].Reason = notify.Verify, notify.UnclearEnd
	}
	last := b.Events[1]
	b.Supersede = []notify.Supersede{{OrderID: last.OrderID, Line: last.Line, CustomerID: last.CustomerID, Channel: notify.SMS, Keep: last.ID, Standing: true}}
	add(t, s, b)
	list := doubts(t, s, noon, later, 10)
	if len(list) != 2 || !list[0].Since.Equal(noon) || list[0].Attempt != 0 {
		t.Fatalf("doubts: %+v", list)
	}
	for i := range b.Messages {
		settle(t, s, notify.Settlement{Message: b.Messages[i].ID, State: notify.Pending, DueAt: later})
	}
	if e := entry(t, s, b.Messages[0].ID); e.State != notify.Suppressed || e.Reason != notify.Superseded {
		t.Errorf("the older one is %s (%s) when the provider does not have it", e.State, e.Reason)
	}
	m := &b.Messages[1]
	if e := entry(t, s, m.ID); e.State != notify.Pending {
		t.Errorf("the newer one is %s when the provider does not have it", e.State)
	}
	claimed, err := s.Claim(t.Context(), later, notify.SMS, 10)
	if err != nil || len(claimed) != 1 || claimed[0].ID != m.ID {
		t.Errorf("claimed %+v (%v)", claimed, err)
	}
}
