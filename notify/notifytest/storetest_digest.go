package notifytest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// addCapped stores texts of n orders of one customer, with a limit of one text in an hour.
func addCapped(t *testing.T, s notify.Store, n int) []*notify.Message {
	t.Helper()
	ms := make([]*notify.Message, n)
	for i := range ms {
		m := addTo(t, s, fmt.Sprint("CH-", i+1), "c-1")
		m.PerHour = 1
		ms[i] = &m
	}
	slices.SortFunc(ms, func(a, b *notify.Message) int { return compareIDs(a.ID, b.ID) })
	return ms
}

// addHeldBack stores texts of n orders that are held until an hour after noon, and the one before them that is being sent.
func addHeldBack(t *testing.T, s Truth, n int) (sending *notify.Message, held []*notify.Message) {
	t.Helper()
	ms := addCapped(t, s, n+1)
	begin(t, s, noon, ms[0], true)
	for _, m := range ms[1:] {
		begin(t, s, noon, m, false)
		stands(t, s, m.ID, notify.Pending, notify.Capped)
	}
	return ms[0], ms[1:]
}

func heldAt(t *testing.T, s Truth, now time.Time, want int) []notify.HeldText {
	t.Helper()
	held, err := s.Held(t.Context(), now, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(held) != want {
		t.Fatalf("%d texts are held until %s, want %d", len(held), now.Format(time.TimeOnly), want)
	}
	return held
}

func digest(t *testing.T, s Truth, now time.Time, d *notify.Digest, want bool) {
	t.Helper()
	if done, err := s.Digest(t.Context(), now, d); done != want || err != nil {
		t.Fatalf("digest says %v (%v), want %v", done, err, want)
	}
}

// digestOf makes the last of some texts tell the news of the others.
func digestOf(texts []notify.HeldText) *notify.Digest {
	d := &notify.Digest{}
	for i := range texts {
		d.Waiting = append(d.Waiting, texts[i].ID)
		d.Moves = append(d.Moves, notify.Outcome{Message: texts[i].ID, State: notify.Suppressed, Reason: notify.Digested})
	}
	carrier := texts[len(texts)-1].Message
	carrier.Body, carrier.Template, carrier.Locale, carrier.Asked = "2 updates on your orders", notify.DigestTemplate, "en", "fr"
	carrier.ExpiresAt, carrier.DueAt, carrier.Reason = noon.Add(3*time.Hour), oneHourOn, ""
	d.Carrier, d.Moves = &carrier, d.Moves[:len(texts)-1]
	return d
}

var oneHourOn = noon.Add(time.Hour)

func heldOverLimit(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	sending, held := addHeldBack(t, s, 2)
	finish(t, s, notify.Outcome{Message: sending.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)})
	if m := held[0]; m.Reason != notify.Capped || !m.DueAt.Equal(oneHourOn) {
		t.Errorf("held until %s (%q), want %s", m.DueAt, m.Reason, oneHourOn)
	}
	if e := entry(t, s, held[1].ID); !e.DueAt.Equal(oneHourOn) || e.Attempt != 0 {
		t.Errorf("held until %s after %d attempts", e.DueAt, e.Attempt)
	}
	for _, now := range []time.Time{noon, oneHourOn, noon.Add(90 * time.Minute)} {
		if got := claim(t, peer, now, notify.SMS, 10); len(got) != 0 {
			t.Errorf("claimed %d texts that are held", len(got))
		}
	}
	reclaim(t, s, 0)
	reclaim(t, peer, 0)
	heldAt(t, peer, oneHourOn.Add(-time.Second), 0)
	texts := heldAt(t, peer, oneHourOn, 2)
	if texts[0].ID != held[0].ID || texts[1].ID != held[1].ID || string(texts[0].Data) != `{"driver_name":"Sam"}` || texts[0].Outdated {
		t.Errorf("held are %+v", texts)
	}
	// Without a limit, to another number, or an hour after the provider took the first one, texts begin.
	urgent, other, next := addTo(t, s, "CH-7", "c-1"), newEvent("CH-8", "c-1", "picked_up", 1), addTo(t, s, "CH-9", "c-1")
	begin(t, s, noon.Add(time.Second), &urgent, true)
	b := batchOf(other)
	b.Messages[0].Address, b.Messages[0].PerHour = "+14155550199", 1
	add(t, s, b)
	begin(t, s, noon.Add(time.Second), &b.Messages[0], true)
	next.PerHour = 2
	begin(t, s, oneHourOn, &next, false)
	next = addTo(t, s, "CH-10", "c-1")
	next.PerHour = 2
	begin(t, s, oneHourOn.Add(time.Second), &next, true)
}

func heldInBatch(t *testing.T, nodes Nodes) {
	s := nodes(t)
	ms, ok := addCapped(t, s, 4), make([]bool, 4)
	for _, m := range ms {
		m.PerHour = 2
	}
	slices.Reverse(ms)
	if err := s.Begin(t.Context(), noon, ms, ok); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{false, false, true, true}, ok); diff != "" {
		t.Error("begun, the newest first (-want +got):\n" + diff)
	}
	for _, m := range ms[:2] {
		stands(t, s, m.ID, notify.Pending, notify.Capped)
	}
}

// A text that waits behind an earlier one of its order in the same batch takes no place of the hour.
func heldBehindInBatch(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-1", "c-1", "in_transit", 2), newEvent("CH-2", "c-2", "picked_up", 3))
	ms, ok := make([]*notify.Message, 3), make([]bool, 3)
	for i := range ms {
		ms[i] = &b.Messages[i]
		ms[i].PerHour = 2
	}
	add(t, s, b)
	if err := s.Begin(t.Context(), noon, ms, ok); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, false, true}, ok); diff != "" {
		t.Error("begun (-want +got):\n" + diff)
	}
	stands(t, s, ms[1].ID, notify.Pending, "")
}

func heldCounts(t *testing.T, nodes Nodes) {
	for state, counts := range map[notify.State]bool{
		notify.Sending: true, notify.Verify: true, notify.Accepted: true, notify.Sent: true, notify.Delivered: true, notify.Unknown: true,
		notify.Pending: false, notify.Suppressed: false, notify.Failed: false, notify.Undelivered: false,
	} {
		t.Run(string(state), func(t *testing.T) {
			s := nodes(t)
			number := "+1415555" + fmt.Sprintf("%04d", 2000+slices.Index(notify.States, state))
			to := func(order string) notify.Message {
				b := batchOf(newEvent(order+string(state), "c-1", "picked_up", 1))
				b.Messages[0].Address, b.Messages[0].PerHour = number, 1
				add(t, s, b)
				return b.Messages[0]
			}
			first, second := to("CH-1"), to("CH-2")
			begin(t, s, noon, &first, true)
			stages[state](t, s, &first)
			begin(t, s, noon.Add(time.Minute), &second, !counts)
		})
	}
}

func heldExpires(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first := addTo(t, s, "CH-1", "c-1")
	begin(t, s, noon, &first, true)
	b := batchOf(newEvent("CH-2", "c-1", "picked_up", 1))
	b.Messages[0].ExpiresAt, b.Messages[0].PerHour = noon.Add(10*time.Minute), 1
	add(t, s, b)
	begin(t, s, noon, &b.Messages[0], false)
	heldAt(t, s, noon.Add(9*time.Minute), 0)
	heldAt(t, s, noon.Add(10*time.Minute), 1)
	// What has expired or goes to a stopped number is suppressed as ever.
	late := addTo(t, s, "CH-3", "c-1")
	late.PerHour = 1
	begin(t, s, late.ExpiresAt, &late, false)
	stands(t, s, late.ID, notify.Suppressed, notify.Expired)
}

func heldGivesWay(t *testing.T, nodes Nodes) {
	s := nodes(t)
	_, held := addHeldBack(t, s, 2)
	b := batchOf(newEvent(held[0].OrderID, "c-1", "in_transit", 2))
	b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
	add(t, s, b)
	stands(t, s, held[0].ID, notify.Suppressed, notify.Superseded)
	heldAt(t, s, oneHourOn, 1)
	stop(t, s, noon, "SM-in-1", true)
	stands(t, s, held[1].ID, notify.Suppressed, notify.Stopped)
	heldAt(t, s, oneHourOn, 0)
}

func digestOfSeveral(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	addHeldBack(t, s, 3)
	texts := heldAt(t, s, oneHourOn, 3)
	d := digestOf(texts)
	digest(t, s, oneHourOn, d, true)
	heldAt(t, s, oneHourOn, 0)
	for _, other := range texts[:2] {
		stands(t, s, other.ID, notify.Suppressed, notify.Digested)
		want := []notify.Step{{At: oneHourOn, State: notify.Suppressed, Reason: notify.Digested, Detail: "told in message " + d.Carrier.ID.String()}}
		if diff := cmp.Diff(want, entry(t, s, other.ID).History); diff != "" {
			t.Error("history of what is told (-want +got):\n" + diff)
		}
	}
	got := entry(t, s, d.Carrier.ID)
	want := *d.Carrier
	want.UpdatedAt = oneHourOn
	if diff := cmp.Diff(want, got.Message); diff != "" {
		t.Error("digest (-want +got):\n" + diff)
	}
	if diff := cmp.Diff([]notify.Step{{At: oneHourOn, State: notify.Pending, Detail: "with the news of 2 other messages"}}, got.History); diff != "" {
		t.Error("history of the digest (-want +got):\n" + diff)
	}
	told, err := peer.Told(t.Context(), d.Carrier)
	if err != nil || len(told) != 2 || told[0].Data == nil || told[0].Outdated {
		t.Errorf("told are %+v (%v)", told, err)
	}
	begin(t, peer, oneHourOn, d.Carrier, false) // it is not theirs
	begin(t, s, oneHourOn, d.Carrier, true)
}

func digestOutdated(t *testing.T, nodes Nodes) {
	s := nodes(t)
	addHeldBack(t, s, 2)
	d := digestOf(heldAt(t, s, oneHourOn, 2))
	digest(t, s, oneHourOn, d, true)
	first, err := s.Told(t.Context(), d.Carrier)
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	for i, order := range []string{d.Carrier.OrderID, first[0].OrderID} {
		b := batchOf(newEvent(order, "c-1", "in_transit", int64(i+2)))
		b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
		add(t, s, b)
	}
	stands(t, s, d.Carrier.ID, notify.Pending, "") // it tells the news of others too
	told, err := s.Told(t.Context(), d.Carrier)
	if err != nil || len(told) != 1 || !told[0].Outdated {
		t.Errorf("told are %+v (%v)", told, err)
	}
	digest(t, s, oneHourOn, &notify.Digest{
		Waiting: []notify.ID{d.Carrier.ID}, Carrier: d.Carrier,
		Moves: []notify.Outcome{{Message: told[0].ID, State: notify.Suppressed, Reason: notify.Superseded}},
	}, true)
	stands(t, s, told[0].ID, notify.Suppressed, notify.Superseded)
	if told, err = s.Told(t.Context(), d.Carrier); err != nil || len(told) != 0 {
		t.Errorf("told are %+v (%v)", told, err)
	}
	if steps := entry(t, s, d.Carrier.ID).History; len(steps) != 2 || steps[1].Detail != "written anew" {
		t.Errorf("history of the digest: %+v", steps)
	}
}

func digestMoves(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	addHeldBack(t, s, 3)
	texts := heldAt(t, s, oneHourOn, 3)
	morning := noon.Add(90 * time.Minute)
	digest(t, s, oneHourOn, &notify.Digest{
		Waiting: []notify.ID{texts[0].ID, texts[1].ID, texts[2].ID},
		Moves: []notify.Outcome{
			{Message: texts[0].ID, State: notify.Pending, DueAt: oneHourOn},
			{Message: texts[1].ID, State: notify.Pending, Reason: notify.Quiet, DueAt: morning},
			{Message: texts[2].ID, State: notify.Suppressed, Reason: notify.Expired},
		},
	}, true)
	stands(t, s, texts[0].ID, notify.Pending, "")
	stands(t, s, texts[1].ID, notify.Pending, notify.Quiet)
	stands(t, s, texts[2].ID, notify.Suppressed, notify.Expired)
	if got := claim(t, peer, oneHourOn, notify.SMS, 10); len(got) != 1 || got[0].ID != texts[0].ID {
		t.Errorf("claimed %d texts, want the one that may leave", len(got))
	}
	heldAt(t, s, morning.Add(-time.Second), 0)
	heldAt(t, s, morning, 1)
}

func digestGone(t *testing.T, nodes Nodes) {
	s := nodes(t)
	addHeldBack(t, s, 2)
	d := digestOf(heldAt(t, s, oneHourOn, 2))
	b := batchOf(newEvent(d.Carrier.OrderID, "c-1", "in_transit", 2))
	b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
	add(t, s, b)
	digest(t, s, oneHourOn, d, false)
	stands(t, s, d.Carrier.ID, notify.Suppressed, notify.Superseded)
	stands(t, s, d.Moves[0].Message, notify.Pending, notify.Capped)
	heldAt(t, s, oneHourOn, 1)
}

func digestParallel(t *testing.T, nodes Nodes) {
	const rounds = 10
	all := []Truth{nodes(t), nodes(t), nodes(t)}
	addHeldBack(t, all[0], rounds*2)
	texts := heldAt(t, all[0], oneHourOn, rounds*2)
	for round := range rounds {
		var mu sync.Mutex
		var wg sync.WaitGroup
		times := 0
		for _, s := range all {
			d := digestOf(texts[round*2 : round*2+2])
			wg.Go(func() {
				done, err := s.Digest(t.Context(), oneHourOn, d)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if done {
					times++
				}
			})
		}
		wg.Wait()
		if times != 1 {
			t.Errorf("%d nodes wrote the digest, want 1", times)
		}
	}
}

func digestChoice(t *testing.T, nodes Nodes) {
	s := nodes(t)
	PutCustomer(t, s, noon, notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: number}})
	addHeldBack(t, s, 2)
	d := digestOf(heldAt(t, s, oneHourOn, 2))
	digest(t, s, oneHourOn, d, true)
	off := func(change func(p *notify.Preferences)) {
		t.Helper()
		if _, err := s.EditCustomer(t.Context(), By("ann", oneHourOn), "c-1", func(c *notify.Customer) error {
			change(&c.Preferences)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	category := notify.MilestoneOf(notify.CarHaul, d.Carrier.Milestone).Category
	off(func(p *notify.Preferences) {
		p.Categories = map[notify.Category]map[notify.Channel]bool{category: {notify.SMS: false}}
	})
	stands(t, s, d.Carrier.ID, notify.Pending, "")
	off(func(p *notify.Preferences) { p.Channels = map[notify.Channel]bool{notify.SMS: false} })
	stands(t, s, d.Carrier.ID, notify.Suppressed, notify.OptedOut)
}
