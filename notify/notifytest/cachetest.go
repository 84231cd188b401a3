package notifytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// TestCache checks what every notify.Cache promises. The open func returns an empty cache; it is called once for every
// subtest and cleans up through t.
func TestCache(t *testing.T, open func(t *testing.T) notify.Cache) {
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, c notify.Cache)
	}{
		{"empty", cacheEmpty},
		{"round trip", cacheRoundTrip},
		{"blank fields", cacheBlank},
		{"an older profile never replaces a newer", cacheVersions},
		{"same version replaces", cacheSameVersion},
		{"not stored is not kept", cacheVersionZero},
		{"lines of one order are apart", cacheLines},
		{"hostile keys are apart", cacheKeys},
		{"repeats in one question", cacheRepeats},
		{"nothing asked", cacheNothing},
		{"answer belongs to the caller", cacheOwnership},
		{"who is here", cachePresent},
		{"full batch", cacheFullBatch},
		{"writers at once", cacheConcurrent},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

var cacheTime = time.Date(2026, 11, 21, 19, 0, 0, 123456789, time.UTC)

// FullProfile is a profile with something in every field.
func FullProfile(customer string, version int64) notify.Profile {
	return notify.Profile{
		Customer: notify.Customer{
			ID:      customer,
			Contact: notify.Contact{Name: "Dana Réyes 🚗", Phone: "+14155550123", Locale: "es-MX", TimeZone: "America/Los_Angeles"},
			Preferences: notify.Preferences{
				Channels: map[notify.Channel]bool{notify.SMS: false, notify.Push: true},
				Categories: map[notify.Category]map[notify.Channel]bool{
					notify.Delays: {notify.SMS: true, notify.Push: false},
					notify.Papers: {notify.SMS: false},
				},
				Quiet: &notify.QuietHours{Start: 22*60 + 30, End: 7 * 60},
			},
			Consents: notify.Consents{notify.SMS: {Given: false, At: cacheTime, Source: "web form"}},
			ByAPI:    true, Version: version, CreatedAt: cacheTime, UpdatedAt: cacheTime.Add(time.Hour),
		},
		Subscriptions: []notify.Subscription{
			{ID: "a1", CustomerID: customer, Endpoint: "https://push.example/a", P256dh: "BKey", Auth: "secret", CreatedAt: cacheTime},
			{ID: "b2", CustomerID: customer, Endpoint: "https://push.example/b", P256dh: "BKey2", Auth: "secret2"},
		},
	}
}

// FullHead is a head with something in every field.
func FullHead(order string, line notify.Line, version int64) notify.Head {
	return notify.Head{
		OrderID: order, Line: line, CustomerID: "c-42", Milestone: "picked_up", Sequence: 1<<53 - 1,
		OccurredAt: cacheTime, Facts: []byte(`{"driver_name":"Sam \u0000"}`), Version: version,
	}
}

func cacheID(n int) notify.ID { return notify.NewID(cacheTime, fmt.Sprint("event", n)) }

// ask looks up the given keys and returns the answers.
func ask(t *testing.T, c notify.Cache, events []notify.ID, customers []string, orders []notify.OrderLine) *notify.Look {
	t.Helper()
	l := &notify.Look{
		Events: events, Seen: make([]bool, len(events)),
		Customers: customers, Profiles: make([]notify.Profile, len(customers)),
		Orders: orders, Heads: make([]notify.Head, len(orders)),
	}
	// What the slices held before must not show through.
	for i := range l.Seen {
		l.Seen[i] = true
	}
	for i := range l.Profiles {
		l.Profiles[i] = FullProfile("somebody else", 99)
	}
	for i := range l.Heads {
		l.Heads[i] = FullHead("another", notify.DriveAway, 99)
	}
	if err := c.Look(t.Context(), l); err != nil {
		t.Fatalf("look: %v", err)
	}
	return l
}

func mark(t *testing.T, c notify.Cache, m notify.Look) {
	t.Helper()
	if err := c.Mark(t.Context(), &m); err != nil {
		t.Fatalf("mark: %v", err)
	}
}

func cacheEmpty(t *testing.T, c notify.Cache) {
	l := ask(t, c, []notify.ID{cacheID(1)}, []string{"c-1"}, []notify.OrderLine{{OrderID: "o-1", Line: notify.CarHaul}})
	if l.Seen[0] || l.Profiles[0].Version != 0 || l.Heads[0].Version != 0 {
		t.Errorf("an empty cache answered %+v", l)
	}
}

func cacheRoundTrip(t *testing.T, c notify.Cache) {
	p, h := FullProfile("c-42", 3), FullHead("CH-1", notify.CarHaul, 7)
	mark(t, c, notify.Look{Events: []notify.ID{cacheID(1), cacheID(3)}, Profiles: []notify.Profile{p}, Heads: []notify.Head{h}})
	l := ask(t, c, []notify.ID{cacheID(1), cacheID(2), cacheID(3)}, []string{"c-0", "c-42"},
		[]notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}, {OrderID: "CH-2", Line: notify.CarHaul}})
	if diff := cmp.Diff([]bool{true, false, true}, l.Seen); diff != "" {
		t.Errorf("seen: %s", diff)
	}
	if l.Profiles[0].Version != 0 || l.Heads[1].Version != 0 {
		t.Error("what was never marked was found")
	}
	if diff := cmp.Diff(p, l.Profiles[1]); diff != "" {
		t.Errorf("profile: %s", diff)
	}
	if diff := cmp.Diff(h, l.Heads[0]); diff != "" {
		t.Errorf("head: %s", diff)
	}
}

func cacheBlank(t *testing.T, c notify.Cache) {
	p := notify.Profile{Customer: notify.Customer{ID: "c-42", Version: 1}}
	h := notify.Head{OrderID: "CH-1", Line: notify.CarHaul, Version: 1}
	mark(t, c, notify.Look{Profiles: []notify.Profile{p}, Heads: []notify.Head{h}})
	l := ask(t, c, nil, []string{"c-42"}, []notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}})
	if diff := cmp.Diff(p, l.Profiles[0]); diff != "" {
		t.Errorf("profile: %s", diff)
	}
	if diff := cmp.Diff(h, l.Heads[0]); diff != "" {
		t.Errorf("head: %s", diff)
	}
}

// cachePresent: who has a page open is told only to those who ask.
func cachePresent(t *testing.T, c notify.Cache) {
	p, ok := c.(interface {
		Here(ctx context.Context, customers []string) error
	})
	if !ok {
		t.Fatal("the cache does not keep who is here")
	}
	if err := p.Here(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Here(t.Context(), []string{"c-1", "c-3", "c 4\r\n"}); err != nil {
		t.Fatal(err)
	}
	mark(t, c, notify.Look{Profiles: []notify.Profile{FullProfile("c-1", 3)}})
	l := &notify.Look{
		Customers: []string{"c-1", "c-2", "c-3", "c-1", "c 4\r\n"}, Profiles: make([]notify.Profile, 5),
		Present: []bool{false, true, false, false, false},
		Orders:  []notify.OrderLine{{OrderID: "c-1", Line: notify.CarHaul}}, Heads: make([]notify.Head, 1),
	}
	if err := c.Look(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, false, true, true, true}, l.Present); diff != "" {
		t.Error(diff)
	}
	if l.Profiles[0].Version != 3 || l.Profiles[2].Version != 0 || l.Heads[0].Version != 0 {
		t.Errorf("the other answers are %+v, %+v", l.Profiles, l.Heads)
	}
	if l = ask(t, c, nil, []string{"c-1"}, nil); len(l.Present) != 0 {
		t.Error("an answer that nobody asked for")
	}
}

func cacheVersions(t *testing.T, c notify.Cache) {
	at := notify.OrderLine{OrderID: "CH-1", Line: notify.CarHaul}
	// 9 against 10 and 2^40 would be the wrong way round if versions were compared as words.
	want := int64(0)
	for _, version := range []int64{9, 10, 9, 1 << 40, 11, 1} {
		want = max(want, version)
		p, h := FullProfile("c-42", version), FullHead("CH-1", notify.CarHaul, version)
		p.Name = fmt.Sprint("name ", version)
		mark(t, c, notify.Look{Profiles: []notify.Profile{p}, Heads: []notify.Head{h}})
		l := ask(t, c, nil, []string{"c-42"}, []notify.OrderLine{at})
		if got := l.Profiles[0]; got.Version != want || got.Name != fmt.Sprint("name ", want) {
			t.Errorf("after version %d: profile is %d, %q; want %d", version, got.Version, got.Name, want)
		}
		if got := l.Heads[0]; got.Version != version {
			t.Errorf("head is %d, want the last one, %d", got.Version, version)
		}
	}
}

// A subscription may come or go without a new version of the customer.
func cacheSameVersion(t *testing.T, c notify.Cache) {
	p := FullProfile("c-42", 3)
	mark(t, c, notify.Look{Profiles: []notify.Profile{p}})
	p.Subscriptions = p.Subscriptions[:1]
	mark(t, c, notify.Look{Profiles: []notify.Profile{p}})
	l := ask(t, c, nil, []string{"c-42"}, nil)
	if diff := cmp.Diff(p, l.Profiles[0]); diff != "" {
		t.Error(diff)
	}
}

func cacheVersionZero(t *testing.T, c notify.Cache) {
	mark(t, c, notify.Look{
		Profiles: []notify.Profile{FullProfile("c-42", 0)}, Heads: []notify.Head{FullHead("CH-1", notify.CarHaul, 0)},
	})
	l := ask(t, c, nil, []string{"c-42"}, []notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}})
	if l.Profiles[0].Name != "" || l.Heads[0].Milestone != "" {
		t.Errorf("what is not stored was kept: %+v", l)
	}
}

func cacheLines(t *testing.T, c notify.Cache) {
	var heads []notify.Head
	var orders []notify.OrderLine
	for i, line := range notify.Lines {
		heads = append(heads, FullHead("X-1", line, int64(i+1)))
		orders = append(orders, notify.OrderLine{OrderID: "X-1", Line: line})
	}
	mark(t, c, notify.Look{Heads: heads})
	if diff := cmp.Diff(heads, ask(t, c, nil, nil, orders).Heads); diff != "" {
		t.Error(diff)
	}
}

func cacheKeys(t *testing.T, c notify.Cache) {
	names := []string{"a", "a:b", "a b", "a\r\nSET x", "*", "{a}", "é", strings.Repeat("x", 128)}
	var m notify.Look
	var orders []notify.OrderLine
	for i, name := range names {
		m.Profiles = append(m.Profiles, FullProfile(name, int64(i+1)))
		m.Heads = append(m.Heads, FullHead(name, notify.CarHaul, int64(i+1)))
		orders = append(orders, notify.OrderLine{OrderID: name, Line: notify.CarHaul})
	}
	mark(t, c, m)
	l := ask(t, c, nil, names, orders)
	if diff := cmp.Diff(m.Profiles, l.Profiles); diff != "" {
		t.Errorf("profiles: %s", diff)
	}
	if diff := cmp.Diff(m.Heads, l.Heads); diff != "" {
		t.Errorf("heads: %s", diff)
	}
}

func cacheRepeats(t *testing.T, c notify.Cache) {
	mark(t, c, notify.Look{
		Events: []notify.ID{cacheID(1), cacheID(1)}, Profiles: []notify.Profile{FullProfile("c-42", 1), FullProfile("c-42", 2), FullProfile("c-42", 1)},
	})
	l := ask(t, c, []notify.ID{cacheID(1), cacheID(1)}, []string{"c-42", "c-42"}, nil)
	if !l.Seen[0] || !l.Seen[1] || l.Profiles[0].Version != 2 || l.Profiles[1].Version != 2 {
		t.Errorf("got %v, versions %d and %d", l.Seen, l.Profiles[0].Version, l.Profiles[1].Version)
	}
}

func cacheNothing(t *testing.T, c notify.Cache) {
	mark(t, c, notify.Look{})
	ask(t, c, nil, nil, nil)
}

func cacheOwnership(t *testing.T, c notify.Cache) {
	p, h := FullProfile("c-42", 1), FullHead("CH-1", notify.CarHaul, 1)
	mark(t, c, notify.Look{Profiles: []notify.Profile{p}, Heads: []notify.Head{h}})
	spoil := func(p *notify.Profile, h *notify.Head) {
		p.Preferences.Channels[notify.SMS] = true
		p.Preferences.Categories[notify.Papers][notify.SMS] = true
		p.Preferences.Quiet.Start = 0
		p.Subscriptions[0].ID = "spoiled"
		h.Facts[0] = 'X'
	}
	spoil(&p, &h)
	orders := []notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}}
	first := ask(t, c, nil, []string{"c-42"}, orders)
	spoil(&first.Profiles[0], &first.Heads[0])
	l := ask(t, c, nil, []string{"c-42"}, orders)
	if diff := cmp.Diff(FullProfile("c-42", 1), l.Profiles[0]); diff != "" {
		t.Errorf("profile: %s", diff)
	}
	if diff := cmp.Diff(FullHead("CH-1", notify.CarHaul, 1), l.Heads[0]); diff != "" {
		t.Errorf("head: %s", diff)
	}
}

func cacheFullBatch(t *testing.T, c notify.Cache) {
	const n = 2000
	var m notify.Look
	for i := range n {
		m.Events = append(m.Events, cacheID(i))
		m.Customers = append(m.Customers, fmt.Sprint("c-", i))
		m.Profiles = append(m.Profiles, FullProfile(fmt.Sprint("c-", i), int64(i+1)))
		m.Orders = append(m.Orders, notify.OrderLine{OrderID: fmt.Sprint("o-", i), Line: notify.CarHaul})
		m.Heads = append(m.Heads, FullHead(fmt.Sprint("o-", i), notify.CarHaul, int64(i+1)))
	}
	mark(t, c, m)
	l := ask(t, c, m.Events, m.Customers, m.Orders)
	if i := slices.Index(l.Seen, false); i >= 0 {
		t.Errorf("event %d is missing", i)
	}
	if diff := cmp.Diff(m.Profiles, l.Profiles); diff != "" {
		t.Errorf("profiles: %.2000s", diff)
	}
	if diff := cmp.Diff(m.Heads, l.Heads); diff != "" {
		t.Errorf("heads: %.2000s", diff)
	}
}

func cacheConcurrent(t *testing.T, c notify.Cache) {
	const writers, last = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for v := int64(1); v <= last; v++ {
				m := notify.Look{
					Events: []notify.ID{cacheID(w)}, Profiles: []notify.Profile{FullProfile("c-42", v)},
					Heads: []notify.Head{FullHead("CH-1", notify.CarHaul, v)},
				}
				if err := c.Mark(context.WithoutCancel(t.Context()), &m); err != nil {
					t.Errorf("mark version %d: %v", v, err)
				}
			}
		})
	}
	wg.Wait()
	l := ask(t, c, nil, []string{"c-42"}, []notify.OrderLine{{OrderID: "CH-1", Line: notify.CarHaul}})
	if l.Profiles[0].Version != last {
		t.Errorf("newest profile is %d, want %d", l.Profiles[0].Version, last)
	}
}
