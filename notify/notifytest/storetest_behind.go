package notifytest

import (
	"testing"
	"time"

	"onmyway/notify"
)

// behindEarlier has two texts of one order: the later one waits while the earlier one may still arrive after it.
func behindEarlier(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "driver_assigned", 1), newEvent("CH-1", "c-1", "picked_up", 2),
		newEvent("CH-2", "c-1", "picked_up", 3), newEvent("CH-1", "c-1", "in_transit", 4))
	b.Messages[3].Address = "+14155550999"
	add(t, s, b)
	first, second, other, elsewhere := b.Messages[0], b.Messages[1], b.Messages[2], b.Messages[3]
	begin(t, s, noon, &first, true)
	begin(t, s, noon, &second, false)
	begin(t, s, noon, &other, true)     // another order
	begin(t, s, noon, &elsewhere, true) // another number
	due := noon.Add(time.Second)
	if e := entry(t, s, second.ID); e.State != notify.Pending || !e.DueAt.Equal(due) || e.Attempt != 0 {
		t.Errorf("the later text is %s, due %v, at attempt %d; want it a second later", e.State, e.DueAt, e.Attempt)
	}
	unclear := notify.Outcome{Message: first.ID, State: notify.Verify, Reason: notify.UnclearEnd, Attempt: attempt(1, notify.Unclear)}
	for _, step := range []struct {
		name string
		do   func()
		free bool
	}{
		{"the earlier one is being sent", func() {}, false},
		{"it is unclear", func() { finish(t, s, unclear) }, false},
		{"it is superseded", func() {
			newer := batchOf(newEvent("CH-1", "c-1", "delivered", 9))
			newer.Messages[0].Address = "+14155550777"
			newer.Supersede = []notify.Supersede{{OrderID: "CH-1", Line: notify.CarHaul, CustomerID: "c-9", Channel: notify.SMS, Keep: newer.Events[0].ID}}
			add(t, s, newer)
		}, false},
		{"it does not go out again", func() {
			stopAsStaff(t, s, By("ann", noon), number, "")
			if err := s.AllowNumber(t.Context(), By("ann", noon), number, ""); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		if step.do(); step.free {
			fresh := batchOf(newEvent("CH-1", "c-1", "delayed", 20)) // the stop took the one that waited
			fresh.Messages[0].DueAt = due.Add(time.Second)
			add(t, s, fresh)
			second = fresh.Messages[0]
		}
		due = entry(t, s, second.ID).DueAt
		got := claim(t, peer, due, notify.SMS, 10)
		if step.free != (len(got) == 1) {
			t.Fatalf("%s: claimed %d", step.name, len(got))
		}
		if e := entry(t, s, second.ID); !step.free && !e.DueAt.Equal(due.Add(time.Second)) {
			t.Errorf("%s: due %v, want a second later than %v", step.name, e.DueAt, due)
		}
	}
	begin(t, peer, due, &second, true)
	resent := first // an earlier one does not wait for a later one
	settle(t, s, notify.Settlement{Message: resent.ID, Attempt: 1, State: notify.Accepted, ProviderID: "SM1"})
}

func behindInBatch(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "driver_assigned", 1), newEvent("CH-1", "c-1", "picked_up", 2), newEvent("CH-2", "c-1", "picked_up", 3))
	add(t, s, b)
	ok := make([]bool, 3)
	if err := s.Begin(t.Context(), noon, []*notify.Message{&b.Messages[1], &b.Messages[2], &b.Messages[0]}, ok); err != nil {
		t.Fatal(err)
	}
	if ok[0] || !ok[1] || !ok[2] {
		t.Errorf("begin says %v for the later, another order's and the earlier text", ok)
	}
	// Once the earlier one has been taken, the later one follows; the others of the round are not in its way.
	finish(t, s, notify.Outcome{Message: b.Messages[0].ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)})
	if got := claim(t, s, noon.Add(time.Second), notify.SMS, 10); len(got) != 1 || got[0].ID != b.Messages[1].ID {
		t.Errorf("claimed %d messages, want the later text", len(got))
	}
}

// reclaimForgotten has a process that lives and does nothing about its messages.
func reclaimForgotten(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-2", "c-1", "picked_up", 2))
	e := newEvent("CH-3", "c-1", "picked_up", 3)
	b.Events = append(b.Events, stored(&e))
	b.Messages = append(b.Messages, newMessage(&e, notify.Push, "sub-1"))
	for i := range b.Messages {
		b.Messages[i].ExpiresAt = noon.Add(24 * time.Hour)
	}
	add(t, s, b)
	sending, waiting, push := b.Messages[0], b.Messages[1], b.Messages[2]
	begin(t, s, noon, &sending, true)
	begin(t, s, noon, &push, true)
	for _, step := range []struct {
		by    Truth
		after time.Duration
		want  int
	}{
		{s, 2*time.Minute - time.Millisecond, 0},
		{peer, time.Hour, 0}, // a peer may be paused: only the lock tells that it is dead
		{s, 3 * time.Minute, 2},
		{s, 4 * time.Minute, 0},
		{s, 10 * time.Minute, 1},
	} {
		if n, err := step.by.Reclaim(t.Context(), noon.Add(step.after)); n != step.want || err != nil {
			t.Errorf("after %v: reclaimed %d (%v), want %d", step.after, n, err, step.want)
		}
	}
	stands(t, s, sending.ID, notify.Verify, notify.UnclearEnd)
	stands(t, s, push.ID, notify.Pending, "")
	begin(t, s, noon.Add(10*time.Minute), &waiting, false)
	got := claim(t, peer, noon.Add(10*time.Minute), notify.SMS, 10)
	if len(got) != 1 || got[0].ID != waiting.ID {
		t.Fatalf("claimed %d messages, want the one that was forgotten", len(got))
	}
	// Once claimed it is not forgotten again at once, however long it has been due.
	if n, err := peer.Reclaim(t.Context(), noon.Add(15*time.Minute)); n != 0 || err != nil {
		t.Errorf("reclaimed %d (%v) that were claimed a moment ago", n, err)
	}
	doubt := doubts(t, peer, noon.Add(time.Hour), noon.Add(2*time.Hour), 10)
	if len(doubt) != 1 || !doubt[0].Since.Equal(noon.Add(3*time.Minute)) {
		t.Errorf("doubts: %+v", doubt)
	}
}
