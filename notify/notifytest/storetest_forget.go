package notifytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"onmyway/notify"
)

// nextDay is when everything in the tests of Forget is old: they happen at noon.
var nextDay = noon.Add(24 * time.Hour)

// forget goes through a table in steps and returns how many rows and heads have left.
func forget(t *testing.T, s notify.Archive, table notify.Kept, before time.Time, limit int) (rows, heads int) {
	t.Helper()
	for from := ""; ; {
		f, err := s.Forget(t.Context(), table, before, from, limit)
		if err != nil {
			t.Fatal(err)
		}
		if f.Rows > limit || f.Next != "" && f.Next <= from {
			t.Fatalf("a step of %d rows behind %q deleted %d and goes on behind %q", limit, from, f.Rows, f.Next)
		}
		rows, heads, from = rows+f.Rows, heads+f.Heads, f.Next
		if from == "" {
			return rows, heads
		}
	}
}

// leaves checks how many rows of a table leave.
func leaves(t *testing.T, s notify.Archive, table notify.Kept, before time.Time, want int) {
	t.Helper()
	if got, _ := forget(t, s, table, before, 100); got != want {
		t.Errorf("%d rows of %s have left, want %d", got, table, want)
	}
}

// gone checks that there is no message or event with an id.
func gone(t *testing.T, s Truth, id notify.ID) {
	t.Helper()
	if _, err := s.Entry(t.Context(), id); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("%s is still there (%v)", id, err)
	}
}

func forgetTable(t *testing.T, nodes Nodes) {
	s := nodes(t)
	var messages []notify.Message
	for i, state := range notify.States {
		messages = append(messages, staged(t, s, i+1, state))
	}
	open := []notify.State{notify.Pending, notify.Sending, notify.Verify}
	leaves(t, s, notify.KeptEvents, nextDay, 0) // each has a message
	leaves(t, s, notify.KeptMessages, nextDay, len(messages)-len(open))
	leaves(t, s, notify.KeptEvents, nextDay, len(messages)-len(open))
	for i, m := range messages {
		if state := notify.States[i]; !slices.Contains(open, state) {
			gone(t, s, m.ID)
			gone(t, s, m.EventID)
			continue
		}
		stands(t, s, m.ID, notify.States[i], entry(t, s, m.ID).Reason)
		stands(t, s, m.EventID, notify.Sent, "")
	}
	leaves(t, s, notify.KeptMessages, nextDay, 0) // again
}

// A row is old when it both happened and was stored long ago.
func forgetOld(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-2", "c-1", "picked_up", 2), newEvent("CH-3", "c-1", "picked_up", 3))
	for i := range b.Messages {
		b.Messages[i].State, b.Messages[i].Reason = notify.Suppressed, notify.Stale
	}
	add(t, s, b)
	late := batchOf(newEvent("CH-4", "c-1", "picked_up", 1))
	late.Now = nextDay
	late.Messages[0].State, late.Messages[0].CreatedAt = notify.Suppressed, nextDay
	add(t, s, late)
	third := b.Events[2].OccurredAt
	for _, table := range []notify.Kept{notify.KeptMessages, notify.KeptEvents} {
		leaves(t, s, table, noon, 0)
		leaves(t, s, table, third, 2)   // the third did not happen before it happened
		leaves(t, s, table, nextDay, 1) // the late one was stored just now
		leaves(t, s, table, nextDay.Add(time.Millisecond), 1)
	}
}

func forgetSteps(t *testing.T, nodes Nodes) {
	s := nodes(t)
	var events []notify.Event
	for i := range 25 {
		events = append(events, newEvent(fmt.Sprint("CH-", i), "c-1", "picked_up", int64(i+1)))
	}
	b := batchOf(events...)
	b.Messages = nil
	for i := range events {
		b.Heads = append(b.Heads, headOf(&events[i], 0))
	}
	add(t, s, b)
	from, left := "", 0
	for _, want := range []int{10, 10, 5} {
		f, err := s.Forget(t.Context(), notify.KeptEvents, nextDay, from, 10)
		if err != nil || f.Rows != want || f.Heads != want || f.Held < 0 || f.Held > time.Hour {
			t.Fatalf("a step: %+v, %v; want %d events and their heads", f, err, want)
		}
		if left += want; (f.Next == "") != (left == 25) {
			t.Errorf("after %d of 25 rows the next step begins at %q", left, f.Next)
		}
		from = f.Next
	}
	found, err := s.Find(t.Context(), notify.Query{Limit: 10})
	if err != nil || len(found) != 0 {
		t.Errorf("%d are left, %v", len(found), err)
	}
}

// An order is known for as long as one of its events is.
func forgetHeads(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first, second := newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-1", "c-1", "in_transit", 2)
	b := batchOf(first, second)
	b.Messages, b.Heads = nil, []notify.Head{headOf(&second, 0)}
	add(t, s, b)
	if rows, heads := forget(t, s, notify.KeptEvents, second.OccurredAt, 100); rows != 1 || heads != 0 {
		t.Errorf("%d events and %d heads have left, want the first event alone", rows, heads)
	}
	if h := head(t, s, "CH-1"); h.Milestone != "in_transit" {
		t.Errorf("the head is %+v", h)
	}
	if rows, heads := forget(t, s, notify.KeptEvents, nextDay, 100); rows != 1 || heads != 1 {
		t.Errorf("%d events and %d heads have left, want one of each", rows, heads)
	}
	if _, err := s.Order(t.Context(), "CH-1"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("the order: %v, want ErrNotFound", err)
	}
	// Whoever remembers the head of before hears that it has moved, and begins anew.
	third := newEvent("CH-1", "c-1", "delivered", 3)
	b = batchOf(third)
	b.Messages, b.Heads = nil, []notify.Head{headOf(&third, 1)}
	var moved *notify.HeadMoved
	if err := s.Add(t.Context(), b); !errors.As(err, &moved) {
		t.Fatalf("add on a head that has left: %v, want HeadMoved", err)
	}
	b.Heads[0].Version = 0
	add(t, s, b)
	areNew(t, b, true)
	if h := head(t, s, "CH-1"); h.Milestone != "delivered" || h.Version != 1 {
		t.Errorf("the head is %+v", h)
	}
}

// The id of a resend is as old as its event, and what it is about stays with it.
func forgetResend(t *testing.T, nodes Nodes) {
	s := nodes(t)
	r := sentAt(t, s, noon)
	r.ExpiresAt = nextDay.Add(time.Hour)
	id, _, err := s.AddResend(t.Context(), By("ann", nextDay), r)
	if err != nil {
		t.Fatal(err)
	}
	leaves(t, s, notify.KeptMessages, nextDay, 1)
	leaves(t, s, notify.KeptEvents, nextDay, 0)
	gone(t, s, r.Of)
	if e := entry(t, s, id); e.State != notify.Pending || e.EventKey == "" || e.ResendOf != r.Of {
		t.Errorf("the resend is %+v", e)
	}
	begin(t, s, nextDay, claimOne(t, s, nextDay), true)
	report(t, s, nextDay, notify.Report{Message: id, Attempt: 1, State: notify.Delivered})
	leaves(t, s, notify.KeptMessages, nextDay, 0)
	leaves(t, s, notify.KeptMessages, nextDay.Add(time.Hour), 1)
	leaves(t, s, notify.KeptEvents, nextDay.Add(time.Hour), 1)
}

// What comes again after it has left has not been seen.
func forgetShown(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1))
	b.Messages = nil
	add(t, s, b)
	shown(t, s, time.Minute, []notify.Shown{{CustomerID: "c-1", ID: b.Events[0].ID}})
	leaves(t, s, notify.KeptEvents, nextDay, 1)
	add(t, s, b)
	areNew(t, b, true)
	if e := entry(t, s, b.Events[0].ID); !e.ShownAt.IsZero() {
		t.Errorf("it was seen at %s", e.ShownAt)
	}
}

func claimOne(t *testing.T, s Truth, now time.Time) *notify.Message {
	t.Helper()
	ms := claim(t, s, now, notify.SMS, 1)
	if len(ms) != 1 {
		t.Fatal("nothing is due")
	}
	return &ms[0]
}

func forgetLetters(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i, at := range []time.Time{noon, noon, nextDay} { // when we met the record, which is of noon
		r := notify.Reject{Record: notify.Record{Offset: int64(i), Time: noon}, Reason: "not_json", At: at}
		add(t, s, &notify.Batch{Now: at, Rejects: []notify.Reject{r}})
	}
	leaves(t, s, notify.KeptLetters, noon, 0)
	leaves(t, s, notify.KeptLetters, nextDay, 2)
	letters, err := s.DeadLetters(t.Context(), notify.ID{}, 10)
	if err != nil || len(letters) != 1 || letters[0].Record.Offset != 2 {
		t.Errorf("left are %+v, %v", letters, err)
	}
}

func forgetAnswers(t *testing.T, nodes Nodes) {
	s := nodes(t)
	r := sentAt(t, s, noon)
	const calls = 7
	for i := range calls {
		r.Force = true
		r.Key = notify.Idempotent{Principal: fmt.Sprint("p-", i%3), Key: fmt.Sprint("call-", i)}
		at := noon.Add(time.Duration(i) * time.Hour)
		id, _, err := s.AddResend(t.Context(), By("ann", at), r)
		if err != nil {
			t.Fatal(err)
		}
		report(t, s, at, notify.Report{Message: id, Attempt: 1, State: notify.Delivered})
	}
	if rows, _ := forget(t, s, notify.KeptAnswers, noon.Add(5*time.Hour), 2); rows != 5 {
		t.Errorf("%d keys have left, want 5", rows)
	}
	for i := range calls {
		key := notify.Idempotent{Principal: fmt.Sprint("p-", i%3), Key: fmt.Sprint("call-", i)}
		if _, made, err := s.Repeated(t.Context(), key); made != (i >= 5) || err != nil {
			t.Errorf("key %d is known: %v, %v", i, made, err)
		}
	}
}

// forgetSpares checks what never leaves.
func forgetSpares(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1))
	b.Customers = []notify.Customer{{ID: "c-1", Contact: notify.Contact{Name: "Dana", Phone: "+14155550123"}}}
	b.Messages[0].State = notify.Suppressed
	add(t, s, b)
	stop(t, s, noon, "SM-stop", true)
	if err := s.Record(t.Context(), By("ann", noon), "looked", "customer:c-1", nil); err != nil {
		t.Fatal(err)
	}
	rows, err := s.VerifyAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []notify.Kept{notify.KeptMessages, notify.KeptEvents, notify.KeptLetters, notify.KeptAnswers} {
		forget(t, s, table, nextDay, 10)
	}
	gone(t, s, b.Messages[0].ID)
	if c, err := s.Customer(t.Context(), "c-1"); err != nil || c.Name != "Dana" {
		t.Errorf("the customer is %+v, %v", c, err)
	}
	if _, stopped, err := s.StoppedNumber(t.Context(), "+14155550123"); !stopped || err != nil {
		t.Errorf("the number is stopped: %v, %v", stopped, err)
	}
	stop(t, s, nextDay, "SM-stop", false) // the same text again
	if next, known, err := s.Position(t.Context(), b.Topic, b.Partition); next != b.Next || !known || err != nil {
		t.Errorf("the position is %d, %v, %v", next, known, err)
	}
	if now, err := s.VerifyAudit(t.Context()); now != rows || err != nil {
		t.Errorf("the audit has %d rows of %d, %v", now, rows, err)
	}
	if _, err := s.Forget(t.Context(), "audit", nextDay, "", 10); err == nil {
		t.Error("Forget takes rows of the audit")
	}
}
