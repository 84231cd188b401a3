package notifytest

import (
	"errors"
	"fmt"
	"sync"
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

func claim(t *testing.T, s notify.Outbox, now time.Time, ch notify.Channel, limit int) []notify.Message {
	t.Helper()
	ms, err := s.Claim(t.Context(), now, ch, limit)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func reclaim(t *testing.T, s notify.Outbox, want int) {
	t.Helper()
	if n, err := s.Reclaim(t.Context(), noon.Add(time.Second)); n != want || err != nil {
		t.Errorf("reclaimed %d (%v), want %d", n, err, want)
	}
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
	if _, err := s.PutCustomer(t.Context(), noon, notify.Customer{ID: "c-1"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"sub-1", "sub-2"} {
		if err := s.Subscribe(t.Context(), notify.Subscription{ID: id, CustomerID: "c-1", CreatedAt: noon}); err != nil {
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

func release(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	mine, sending := addSent(t, s, 1), addSent(t, s, 2)
	begin(t, s, noon, &sending, true)
	if err := peer.Release(t.Context(), []notify.ID{mine.ID}); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, peer, noon, notify.SMS, 10); len(got) != 0 {
		t.Fatal("a peer released what is not its own")
	}
	if err := s.Release(t.Context(), []notify.ID{mine.ID, sending.ID}); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, peer, noon, notify.SMS, 10); len(got) != 1 || got[0].ID != mine.ID {
		t.Fatalf("claimed %d messages after release, want the pending one", len(got))
	}
	begin(t, s, noon, &mine, false)
	begin(t, peer, noon, &mine, true)
}

// addHeld stores n messages that are due one second after another, from noon on.
func addHeld(t *testing.T, s notify.Store, n int) []notify.Message {
	t.Helper()
	var events []notify.Event
	for i := range n {
		events = append(events, newEvent(fmt.Sprint("CH-", i), "c-1", "picked_up", int64(i+1)))
	}
	b := batchOf(events...)
	b.Now = noon.Add(-time.Second)
	for i := range b.Messages {
		b.Messages[i].DueAt = noon.Add(time.Duration(n-i) * time.Second)
	}
	add(t, s, b)
	return b.Messages
}

func claimOldest(t *testing.T, nodes Nodes) {
	s := nodes(t)
	held := addHeld(t, s, 5)
	if got := claim(t, s, noon, notify.SMS, 10); len(got) != 0 {
		t.Fatalf("claimed %d messages that are not due", len(got))
	}
	got := claim(t, s, noon.Add(4*time.Second), notify.SMS, 3)
	want := []notify.Message{held[4], held[3], held[2]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("claimed (-want +got):\n" + diff)
	}
	if got := claim(t, s, noon.Add(time.Minute), notify.Push, 10); len(got) != 0 {
		t.Errorf("claimed %d messages of another channel", len(got))
	}
	if got := claim(t, s, noon.Add(time.Minute), notify.SMS, 10); len(got) != 2 {
		t.Errorf("claimed %d messages the second time, want the 2 that are left", len(got))
	}
}

func claimExpired(t *testing.T, nodes Nodes) {
	s := nodes(t)
	held := addHeld(t, s, 2)
	if got := claim(t, s, held[0].ExpiresAt, notify.SMS, 10); len(got) != 0 {
		t.Errorf("claimed %d messages that have expired", len(got))
	}
	for _, m := range held {
		stands(t, s, m.ID, notify.Suppressed, notify.Expired)
	}
}

func claimShared(t *testing.T, nodes Nodes) {
	const messages, workers = 60, 3
	first := nodes(t)
	addHeld(t, first, messages)
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := map[notify.ID]int{}
	for range workers {
		s := nodes(t)
		wg.Go(func() {
			for {
				got, err := s.Claim(t.Context(), noon.Add(time.Hour), notify.SMS, 7)
				if err != nil {
					t.Error(err)
				}
				if len(got) == 0 {
					return
				}
				mu.Lock()
				for _, m := range got {
					times[m.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id, n := range times {
		if n != 1 {
			t.Errorf("message %s was claimed %d times", id, n)
		}
	}
	// A worker may end while another still holds rows of the last round, so none is left only when all have ended.
	if left := claim(t, first, noon.Add(time.Hour), notify.SMS, messages); len(times)+len(left) != messages {
		t.Errorf("claimed %d messages and %d more, want %d", len(times), len(left), messages)
	}
}

func reclaimDead(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	pending, sending := addSent(t, s, 1), addSent(t, s, 2)
	e := newEvent("CH-2", "c-2", "picked_up", 3)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.Push, "sub-1")}
	add(t, s, b)
	begin(t, s, noon, &sending, true)
	begin(t, s, noon, &b.Messages[0], true)

	reclaim(t, peer, 0)
	stands(t, peer, sending.ID, notify.Sending, "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reclaim(t, peer, 3)
	reclaim(t, peer, 0)
	stands(t, peer, pending.ID, notify.Pending, "")
	stands(t, peer, sending.ID, notify.Verify, notify.OwnerDied)
	stands(t, peer, b.Messages[0].ID, notify.Pending, "")
	if got := claim(t, peer, noon, notify.SMS, 10); len(got) != 1 || got[0].ID != pending.ID {
		t.Errorf("claimed %d text messages of the dead, want the one that was pending", len(got))
	}
	if got := claim(t, peer, noon, notify.Push, 10); len(got) != 1 {
		t.Errorf("claimed %d push messages of the dead, want 1", len(got))
	}
}

func emptyCalls(t *testing.T, nodes Nodes) {
	s := nodes(t)
	ctx := t.Context()
	for what, err := range map[string]error{
		"Known":   s.Known(ctx, nil, nil),
		"Lookup":  s.Lookup(ctx, nil, nil, nil, nil),
		"Add":     s.Add(ctx, &notify.Batch{Now: noon}),
		"Begin":   s.Begin(ctx, noon, nil, nil),
		"Finish":  s.Finish(ctx, noon, nil),
		"Release": s.Release(ctx, nil),
	} {
		if err != nil {
			t.Errorf("%s of nothing: %v", what, err)
		}
	}
	if _, err := s.Customer(ctx, "c-9"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("an unknown customer: %v, want ErrNotFound", err)
	}
}
