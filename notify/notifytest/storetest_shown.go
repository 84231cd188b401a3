package notifytest

import (
	"fmt"
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
	text.DueAt, text.Reason, text.UnlessShown = noon.Add(20*time.Second), notify.ScreenFirst, true
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

// A text that leaves unless it was seen may be held for something else by then.
func shownWhileHeld(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	for i, tt := range []struct {
		reason notify.Reason
		hold   func(m *notify.Message)
	}{
		{notify.Quiet, func(*notify.Message) {}},
		{notify.Capped, func(m *notify.Message) {
			other := addTo(t, s, "CH-99", "c-1")
			begin(t, s, noon, &other, true)
			m.PerHour = 1
			begin(t, s, noon, m, false)
		}},
		{notify.ProviderDown, func(m *notify.Message) {
			back := notify.Handback{Message: m.ID, DueAt: noon.Add(time.Hour), Reason: notify.ProviderDown}
			if err := s.HandBack(t.Context(), noon, []notify.Handback{back}); err != nil {
				t.Fatal(err)
			}
		}},
		{notify.RateLimited, func(m *notify.Message) {
			begin(t, s, noon, m, true)
			finish(t, s, notify.Outcome{Message: m.ID, State: notify.Pending, Reason: notify.RateLimited, DueAt: noon.Add(time.Minute),
				Attempt: attempt(1, notify.NotTaken)})
		}},
	} {
		b := batchOf(newEvent("CH-1", "c-1", "picked_up", int64(i+1)))
		m := &b.Messages[0]
		m.UnlessShown = true
		if tt.reason == notify.Quiet {
			m.Reason, m.DueAt = notify.Quiet, noon.Add(time.Hour)
		}
		add(t, s, b)
		tt.hold(m)
		stands(t, s, m.ID, notify.Pending, tt.reason)
		shown(t, peer, time.Second, []notify.Shown{{CustomerID: "c-1", ID: b.Events[0].ID}}, "picked_up")
		stands(t, s, m.ID, notify.Suppressed, notify.SeenOnScreen)
	}
}

// What is seen is not in the digest that is made afterwards. A digest itself tells other news too, and stays.
func shownBeforeDigest(t *testing.T, nodes Nodes) {
	s := nodes(t)
	sending := addTo(t, s, "CH-0", "c-1")
	begin(t, s, noon, &sending, true)
	for i := range 3 {
		b := batchOf(newEvent(fmt.Sprint("CH-", i+1), "c-1", "picked_up", int64(i+1)))
		b.Messages[0].UnlessShown, b.Messages[0].PerHour = true, 1
		add(t, s, b)
		begin(t, s, noon, &b.Messages[0], false)
	}
	texts := heldAt(t, s, oneHourOn, 3)
	if !texts[0].UnlessShown {
		t.Error("what is held does not say that it leaves unless it was seen")
	}
	shown(t, s, time.Minute, []notify.Shown{{CustomerID: "c-1", ID: texts[0].EventID}}, "picked_up")
	digest(t, s, oneHourOn, digestOf(texts), false)
	d := digestOf(heldAt(t, s, oneHourOn, 2))
	digest(t, s, oneHourOn, d, true)
	shown(t, s, time.Hour, []notify.Shown{{CustomerID: "c-1", ID: texts[1].EventID}, {CustomerID: "c-1", ID: texts[2].EventID}})
	stands(t, s, d.Carrier.ID, notify.Pending, "")
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
