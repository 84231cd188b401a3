package notifytest

import (
	"testing"

	"onmyway/notify"
)

// supersedeBy is what Decide asks for when the event of a message is told.
func supersedeBy(m *notify.Message) notify.Supersede {
	return notify.Supersede{OrderID: m.OrderID, Line: m.Line, CustomerID: m.CustomerID, Channel: m.Channel,
		Keep: m.EventID, Standing: m.Standing}
}

func addSupersedes(t *testing.T, nodes Nodes) {
	s := nodes(t)
	old := addSent(t, s, 1)
	elsewhere := batchOf(newEvent("CH-2", "c-1", "picked_up", 1))
	elsewhere.Messages = append(elsewhere.Messages, newMessage(elsewhere.Events[0].Event, notify.Push, "sub-1"))
	add(t, s, elsewhere)

	b := batchOf(newEvent("CH-1", "c-1", "in_transit", 2))
	b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
	add(t, s, b)
	stands(t, s, old.ID, notify.Suppressed, notify.Superseded)
	stands(t, s, b.Messages[0].ID, notify.Pending, "")
	for _, m := range elsewhere.Messages {
		stands(t, s, m.ID, notify.Pending, "")
	}
	// A repeat supersedes nothing.
	newer := addSent(t, s, 3)
	add(t, s, b)
	stands(t, s, newer.ID, notify.Pending, "")
}

func addSupersedesInBatch(t *testing.T, nodes Nodes) {
	s := nodes(t)
	first, second := newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-1", "c-1", "in_transit", 2)
	b := &notify.Batch{Now: noon, Events: []notify.Stored{stored(&first), stored(&second)}}
	for _, e := range []*notify.Event{&first, &second} {
		for _, device := range []string{"sub-1", "sub-2"} {
			b.Messages = append(b.Messages, newMessage(e, notify.Push, device))
		}
	}
	for _, i := range []int{0, 2} {
		b.Supersede = append(b.Supersede, supersedeBy(&b.Messages[i]))
	}
	add(t, s, b)
	for i, want := range []notify.State{notify.Suppressed, notify.Suppressed, notify.Pending, notify.Pending} {
		reason := map[notify.State]notify.Reason{notify.Suppressed: notify.Superseded}[want]
		stands(t, s, b.Messages[i].ID, want, reason)
		if b.Messages[i].State != want {
			t.Errorf("the batch itself says %s of message %d, want %s", b.Messages[i].State, i, want)
		}
	}
}

// An event supersedes also where it has no message of its own, say because the customer has no number any more.
func addSupersedesWithoutMessage(t *testing.T, nodes Nodes) {
	s := nodes(t)
	old := addSent(t, s, 1)
	b := batchOf(newEvent("CH-1", "c-1", "in_transit", 2))
	b.Supersede, b.Messages = []notify.Supersede{supersedeBy(&b.Messages[0])}, nil
	add(t, s, b)
	stands(t, s, old.ID, notify.Suppressed, notify.Superseded)
}

// What is on its way while newer news comes may arrive, but is not tried again.
func addSupersedesOnTheWay(t *testing.T, nodes Nodes) {
	for _, test := range []struct {
		name   string
		ends   notify.State
		state  notify.State
		reason notify.Reason
	}{
		{"arrives", notify.Accepted, notify.Accepted, ""},
		{"comes back", notify.Pending, notify.Suppressed, notify.Superseded},
		{"is not clear", notify.Verify, notify.Verify, ""},
	} {
		order := "CH-" + test.name
		s := nodes(t)
		old := batchOf(newEvent(order, "c-1", "picked_up", 1))
		add(t, s, old)
		m := old.Messages[0]
		begin(t, s, noon, &m, true)
		b := batchOf(newEvent(order, "c-1", "in_transit", 2))
		b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
		add(t, s, b)
		stands(t, s, m.ID, notify.Sending, "")
		finish(t, s, notify.Outcome{Message: m.ID, State: test.ends, DueAt: noon, Attempt: attempt(1, notify.NotTaken)})
		stands(t, s, m.ID, test.state, test.reason)
	}
}

func addKeepsStanding(t *testing.T, nodes Nodes) {
	s := nodes(t)
	asks := batchOf(newEvent("CH-1", "c-1", "pickup_attempt_failed", 1))
	add(t, s, asks)
	b := batchOf(newEvent("CH-1", "c-1", "in_transit", 2))
	b.Supersede = []notify.Supersede{supersedeBy(&b.Messages[0])}
	add(t, s, b)
	stands(t, s, asks.Messages[0].ID, notify.Pending, "")

	end := batchOf(newEvent("CH-1", "c-1", "delivered", 3))
	end.Supersede = []notify.Supersede{supersedeBy(&end.Messages[0])}
	end.Supersede[0].Standing = true
	add(t, s, end)
	stands(t, s, asks.Messages[0].ID, notify.Suppressed, notify.Superseded)
	stands(t, s, b.Messages[0].ID, notify.Suppressed, notify.Superseded)
}
