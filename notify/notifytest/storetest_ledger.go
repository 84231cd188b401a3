package notifytest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// begin starts an attempt and checks whether it may be sent.
func begin(t *testing.T, s notify.Ledger, now time.Time, m *notify.Message, want bool) {
	t.Helper()
	ok := []bool{!want}
	if err := s.Begin(t.Context(), now, []*notify.Message{m}, ok); err != nil {
		t.Fatal(err)
	}
	if ok[0] != want {
		t.Errorf("begin of %s says %v, want %v", m.ID, ok[0], want)
	}
}

func finish(t *testing.T, s notify.Ledger, outcomes ...notify.Outcome) {
	t.Helper()
	if err := s.Finish(t.Context(), noon.Add(time.Second), outcomes); err != nil {
		t.Fatal(err)
	}
}

func attempt(no int, v notify.Verdict) notify.Attempt {
	return notify.Attempt{No: no, StartedAt: noon, FinishedAt: noon.Add(time.Second), Verdict: v, Status: 201}
}

func beginOnce(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	begin(t, s, noon, &m, true)
	if m.Attempt != 1 {
		t.Errorf("attempt %d, want 1", m.Attempt)
	}
	stands(t, s, m.ID, notify.Sending, "")
	begin(t, s, noon, &m, false)
	unknown := notify.Message{ID: notify.NewID(noon, "unknown")}
	begin(t, s, noon, &unknown, false)
}

func beginNotDue(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1))
	b.Messages[0].DueAt = noon.Add(time.Minute)
	add(t, s, b)
	begin(t, s, noon, &b.Messages[0], false)
	stands(t, s, b.Messages[0].ID, notify.Pending, "")
	// It was held back, so it is nobody's until it is due and claimed.
	begin(t, s, noon.Add(time.Minute), &b.Messages[0], false)
	claimed := claim(t, s, noon.Add(time.Minute), notify.SMS, 10)
	if len(claimed) != 1 {
		t.Fatalf("claimed %d messages, want 1", len(claimed))
	}
	begin(t, s, noon.Add(time.Minute), &claimed[0], true)
}

func beginExpired(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	begin(t, s, m.ExpiresAt, &m, false)
	stands(t, s, m.ID, notify.Suppressed, notify.Expired)
}

func beginOwners(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	m := addSent(t, s, 1)
	begin(t, peer, noon, &m, false)
	begin(t, peer, m.ExpiresAt, &m, false)
	stands(t, s, m.ID, notify.Pending, "")
	begin(t, s, noon, &m, true)
}

func finishTable(t *testing.T, nodes Nodes) {
	later := noon.Add(time.Minute)
	for _, test := range []struct {
		name   string
		o      notify.Outcome
		due    time.Time
		closed bool // no outcome moves it any more
	}{
		{"accepted", notify.Outcome{State: notify.Accepted}, noon, true},
		{"failed", notify.Outcome{State: notify.Failed, Reason: notify.BadAddress}, noon, true},
		{"suppressed", notify.Outcome{State: notify.Suppressed, Reason: notify.OptedOut}, noon, true},
		{"verify", notify.Outcome{State: notify.Verify, Reason: notify.UnclearEnd}, noon, false},
		{"pending", notify.Outcome{State: notify.Pending, Reason: notify.RateLimited, DueAt: later}, later, true},
	} {
		s := nodes(t)
		sequence := int64(len(test.name)) * 100
		m := addSent(t, s, sequence+int64(test.name[0]))
		begin(t, s, noon, &m, true)
		test.o.Message, test.o.Attempt = m.ID, attempt(1, notify.Took)
		finish(t, s, test.o)
		stands(t, s, m.ID, test.o.State, test.o.Reason)
		e := entry(t, s, m.ID)
		if !e.DueAt.Equal(test.due) || e.Attempt != 1 || !e.UpdatedAt.Equal(noon.Add(time.Second)) {
			t.Errorf("%s: due %v, attempt %d, updated %v", test.name, e.DueAt, e.Attempt, e.UpdatedAt)
		}
		again := notify.Outcome{Message: m.ID, State: notify.Failed, Reason: notify.GaveUp, Attempt: attempt(1, notify.Permanent)}
		finish(t, s, again)
		if moved := entry(t, s, m.ID).State == notify.Failed && test.o.State != notify.Failed; moved == test.closed {
			t.Errorf("%s: a second outcome of the attempt moved it: %v", test.name, moved)
		}
	}
}

func finishOtherAttempt(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	begin(t, s, noon, &m, true)
	finish(t, s, notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(2, notify.Took)})
	finish(t, s, notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(0, notify.Took)})
	stands(t, s, m.ID, notify.Sending, "")
	finish(t, s, notify.Outcome{Message: notify.NewID(noon, "unknown"), State: notify.Accepted, Attempt: attempt(1, notify.Took)})
	// What was given up without a try has its end, though no provider said so.
	finish(t, s, notify.Outcome{Message: m.ID, State: notify.Failed, Reason: notify.GaveUp, Attempt: notify.Attempt{No: 1}})
	finish(t, s, notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)})
	stands(t, s, m.ID, notify.Failed, notify.GaveUp)
	if e := entry(t, s, m.ID); len(e.Attempts) != 0 || e.ProviderID != "" {
		t.Errorf("%d attempts are on record, the provider calls it %q; want none", len(e.Attempts), e.ProviderID)
	}
}

func finishWithoutBegin(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	e := newEvent("CH-1", "c-1", "picked_up", 1)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.Push, "sub-1"), newMessage(&e, notify.Push, "sub-2")}
	add(t, s, b)
	taken := notify.Outcome{Message: b.Messages[0].ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
	finish(t, peer, taken) // not the peer's
	stands(t, s, taken.Message, notify.Pending, "")
	dropped := notify.Outcome{Message: b.Messages[1].ID, State: notify.Suppressed, Reason: notify.Expired} // no attempt was made
	finish(t, s, taken, dropped)
	stands(t, s, taken.Message, notify.Accepted, "")
	stands(t, s, dropped.Message, notify.Suppressed, notify.Expired)
	if e := entry(t, s, taken.Message); e.Attempt != 1 || len(e.Attempts) != 1 {
		t.Errorf("attempt %d with %d on record, want 1 and 1", e.Attempt, len(e.Attempts))
	}
	if e := entry(t, s, dropped.Message); e.Attempt != 0 || len(e.Attempts) != 0 {
		t.Errorf("attempt %d with %d on record, want none", e.Attempt, len(e.Attempts))
	}
}

func finishForgets(t *testing.T, nodes Nodes) {
	s := nodes(t)
	PutCustomer(t, s, noon, notify.Customer{ID: "c-1"})
	for _, id := range []string{"sub-1", "sub-2"} {
		if err := s.Subscribe(t.Context(), By("ann", noon), notify.Subscription{ID: id, CustomerID: "c-1", CreatedAt: noon}); err != nil {
			t.Fatal(err)
		}
	}
	e := newEvent("CH-1", "c-1", "picked_up", 1)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.Push, "sub-1")}
	add(t, s, b)
	before, err := s.Customer(t.Context(), "c-1")
	if err != nil {
		t.Fatal(err)
	}
	finish(t, s, notify.Outcome{Message: b.Messages[0].ID, State: notify.Failed, Reason: notify.BadAddress,
		Attempt: attempt(1, notify.Gone), Forget: "sub-1"})
	after, err := s.Customer(t.Context(), "c-1")
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Subscriptions) != 1 || after.Subscriptions[0].ID != "sub-2" || after.Version <= before.Version {
		t.Errorf("%d browsers left, version %d after %d", len(after.Subscriptions), after.Version, before.Version)
	}
}

func finishAttempts(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	var want []notify.Attempt
	for no := 1; no <= 3; no++ {
		begin(t, s, noon, &m, true)
		a := attempt(no, notify.NotTaken)
		a.Reason, a.Detail = notify.Unreachable, `said "no", twice`
		o := notify.Outcome{Message: m.ID, State: notify.Pending, Reason: notify.Unreachable, DueAt: noon, Attempt: a}
		if no == 3 {
			o.State, o.Attempt.ProviderID = notify.Accepted, "SM1"
		}
		finish(t, s, o, o) // the second is dropped
		want = append(want, o.Attempt)
		if no < 3 && len(claim(t, s, noon, notify.SMS, 1)) != 1 {
			t.Fatal("a message that went back to pending cannot be claimed")
		}
	}
	e := entry(t, s, m.ID)
	if diff := cmp.Diff(want, e.Attempts); diff != "" {
		t.Error("attempts (-want +got):\n" + diff)
	}
	if e.ProviderID != "SM1" || e.Attempt != 3 {
		t.Errorf("provider id %q, attempt %d", e.ProviderID, e.Attempt)
	}
}

func handBack(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	mine, sending := addSent(t, s, 1), addSent(t, s, 2)
	begin(t, s, noon, &sending, true)
	if err := peer.HandBack(t.Context(), noon, []notify.Handback{{Message: mine.ID}, {Message: sending.ID, DueAt: noon.Add(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, peer, noon, notify.SMS, 10); len(got) != 0 {
		t.Fatal("a peer released what is not its own")
	}
	if err := s.HandBack(t.Context(), noon, []notify.Handback{{Message: mine.ID}, {Message: sending.ID}}); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, peer, noon, notify.SMS, 10); len(got) != 1 || got[0].ID != mine.ID {
		t.Fatalf("claimed %d messages after release, want the pending one", len(got))
	}
	begin(t, s, noon, &mine, false)
	begin(t, peer, noon, &mine, true)
}

// handBackLater: what waits for a provider is due together, keeps its order, says why and counts no attempt.
func handBackLater(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	first, second, third := addSent(t, s, 1), addSent(t, s, 2), addSent(t, s, 3)
	later := noon.Add(time.Minute)
	back := []notify.Handback{
		{Message: second.ID, DueAt: later, Reason: notify.ProviderDown},
		{Message: first.ID, DueAt: later, Reason: notify.ProviderDown},
		{Message: third.ID, DueAt: noon.Add(-time.Hour)}, // it is due no earlier than it was
		{Message: notify.NewID(noon, "unknown"), DueAt: later, Reason: notify.ProviderDown},
	}
	if err := peer.HandBack(t.Context(), noon, back); err != nil {
		t.Fatal(err)
	}
	stands(t, s, first.ID, notify.Pending, "")
	if err := s.HandBack(t.Context(), noon.Add(time.Second), back); err != nil {
		t.Fatal(err)
	}
	stands(t, s, first.ID, notify.Pending, notify.ProviderDown)
	if e := entry(t, s, first.ID); e.Attempt != 0 || len(e.Attempts) != 0 || !e.DueAt.Equal(later) || !e.UpdatedAt.Equal(noon.Add(time.Second)) {
		t.Errorf("attempt %d, %d on record, due %s, changed %s; want none, due %s", e.Attempt, len(e.Attempts), e.DueAt, e.UpdatedAt, later)
	}
	if e := entry(t, s, third.ID); !e.DueAt.Equal(noon) {
		t.Errorf("due %s, want %s as before", e.DueAt, noon)
	}
	if got := claim(t, peer, later.Add(-time.Second), notify.SMS, 10); len(got) != 1 || got[0].ID != third.ID {
		t.Fatalf("claimed %d messages before their time, want the one that was due", len(got))
	}
	got := claim(t, peer, later, notify.SMS, 10)
	if len(got) != 2 || got[0].ID != first.ID || got[1].ID != second.ID {
		t.Fatalf("claimed %d messages at their time, want the first and the second in their order", len(got))
	}
	begin(t, peer, later, &got[0], true)
	finish(t, peer, notify.Outcome{Message: got[0].ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)})
	stands(t, s, first.ID, notify.Accepted, "")
}

func emptyCalls(t *testing.T, nodes Nodes) {
	s := nodes(t)
	ctx := t.Context()
	for what, err := range map[string]error{
		"Known":    s.Known(ctx, nil, nil),
		"Lookup":   s.Lookup(ctx, nil, nil, nil, nil),
		"Add":      s.Add(ctx, &notify.Batch{Now: noon}),
		"Begin":    s.Begin(ctx, noon, nil, nil),
		"Finish":   s.Finish(ctx, noon, nil),
		"HandBack": s.HandBack(ctx, noon, nil),
	} {
		if err != nil {
			t.Errorf("%s of nothing: %v", what, err)
		}
	}
	if _, err := s.Customer(ctx, "c-9"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("an unknown customer: %v, want ErrNotFound", err)
	}
}
