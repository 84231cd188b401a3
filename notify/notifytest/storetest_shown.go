package notifytest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// waiting stores an event of c-1 with an alert and a text that waits for a screen until 20 seconds past noon.
func waiting(t *testing.T, s Truth, sequence int64) (event notify.ID, text, alert notify.Message) {
	t.Helper()
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", sequence))
	text = b.Messages[0]
	text.DueAt, text.Reason = noon.Add(20*time.Second), notify.ScreenFirst
	alert = newMessage(b.Events[0].Event, notify.Push, "browser")
	b.Messages = []notify.Message{text, alert}
	add(t, s, b)
	return b.Events[0].ID, text, alert
}

// shown says what screens showed a while after noon, and checks which texts stay unsent for it.
func shown(t *testing.T, s Truth, after time.Duration, seen []notify.Shown, want ...string) {
	t.Helper()
	spared, err := s.Shown(t.Context(), noon.Add(after), seen)
	if diff := cmp.Diff(want, spared); err != nil || diff != "" {
		t.Errorf("%v, spared (-want +got):\n%s", err, diff)
	}
}

func shownSpares(t *testing.T, nodes Nodes) {
	s := nodes(t)
	event, text, alert := waiting(t, s, 1)
	other, otherText, _ := waiting(t, s, 2)
	screen := notify.Shown{CustomerID: "c-1", ID: event}
	shown(t, s, 5*time.Second, []notify.Shown{screen, screen, {CustomerID: "c-1", ID: notify.NewID(noon, "unknown")}}, "picked_up")
	stands(t, s, text.ID, notify.Suppressed, notify.SeenOnScreen)
	stands(t, s, alert.ID, notify.Pending, "")
	stands(t, s, otherText.ID, notify.Pending, notify.ScreenFirst)
	shown(t, s, 6*time.Second, []notify.Shown{screen})
	e := entry(t, s, event)
	if !e.ShownAt.Equal(noon.Add(5*time.Second)) || e.State != notify.Sent {
		t.Errorf("the live message is %s, seen at %s; want sent, seen 5 s past noon", e.State, e.ShownAt)
	}
	if e := entry(t, s, text.ID); !e.UpdatedAt.Equal(noon.Add(5 * time.Second)) {
		t.Errorf("the text was spared at %s, want 5 s past noon", e.UpdatedAt)
	}
	if e := entry(t, s, other); !e.ShownAt.IsZero() {
		t.Errorf("another event is seen at %s", e.ShownAt)
	}
	claimed := claim(t, s, noon.Add(20*time.Second), notify.SMS, 10)
	if len(claimed) != 1 || claimed[0].ID != otherText.ID {
		t.Errorf("claimed %d texts, want the one that nobody saw", len(claimed))
	}
	shown(t, s, time.Minute, nil)
}

func shownByPush(t *testing.T, nodes Nodes) {
	s := nodes(t)
	event, text, alert := waiting(t, s, 1)
	shown(t, s, 5*time.Second, []notify.Shown{{ID: alert.ID}}, "picked_up")
	stands(t, s, text.ID, notify.Suppressed, notify.SeenOnScreen)
	if e := entry(t, s, event); e.ShownAt.IsZero() {
		t.Error("the live message does not say that it was seen")
	}
}

func shownByStranger(t *testing.T, nodes Nodes) {
	s := nodes(t)
	event, text, alert := waiting(t, s, 1)
	shown(t, s, 5*time.Second, []notify.Shown{{CustomerID: "c-2", ID: event}, {CustomerID: "c-2", ID: alert.ID}})
	stands(t, s, text.ID, notify.Pending, notify.ScreenFirst)
	if e := entry(t, s, event); !e.ShownAt.IsZero() {
		t.Error("a stranger has seen it")
	}
	shown(t, s, 5*time.Second, []notify.Shown{{CustomerID: "c-2", ID: event}, {CustomerID: "c-1", ID: event}}, "picked_up")
}

func shownLeaves(t *testing.T, nodes Nodes) {
	s := nodes(t)
	at := noon.Add(20 * time.Second)
	for i, reason := range []notify.Reason{"", notify.Quiet, notify.RateLimited} {
		b := batchOf(newEvent("CH-2", "c-1", "picked_up", int64(i+1)))
		b.Messages[0].Reason, b.Messages[0].DueAt = reason, at
		add(t, s, b)
		shown(t, s, time.Second, []notify.Shown{{CustomerID: "c-1", ID: b.Events[0].ID}})
		stands(t, s, b.Messages[0].ID, notify.Pending, reason)
	}
	event, _, _ := waiting(t, s, 9)
	claimed := claim(t, s, at, notify.SMS, 10)
	for i := range claimed {
		if m := &claimed[i]; m.EventID == event {
			begin(t, s, at, m, true)
			shown(t, s, time.Minute, []notify.Shown{{CustomerID: "c-1", ID: event}})
			stands(t, s, m.ID, notify.Sending, notify.ScreenFirst)
			return
		}
	}
	t.Error("the text was not claimed when its time had come")
}

// A process has the text in memory already: it asks before it sends.
func shownRacesBegin(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	event, text, _ := waiting(t, s, 1)
	at := noon.Add(20 * time.Second)
	claimed := claim(t, s, at, notify.SMS, 10)
	if len(claimed) != 1 {
		t.Fatalf("claimed %d texts, want 1", len(claimed))
	}
	shown(t, peer, 20*time.Second, []notify.Shown{{CustomerID: "c-1", ID: event}}, "picked_up")
	begin(t, s, at, &claimed[0], false)
	stands(t, s, text.ID, notify.Suppressed, notify.SeenOnScreen)
}
