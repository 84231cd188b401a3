package notifytest_test

import (
	"errors"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func TestStoreInMemory(t *testing.T) {
	notifytest.TestStore(t, func(t *testing.T) notifytest.Nodes {
		first := notifytest.NewStore()
		started := false
		return func(*testing.T) notifytest.Truth {
			if started {
				return first.Peer()
			}
			started = true
			return first
		}
	})
}

func TestStoreFails(t *testing.T) {
	s := notifytest.NewStore()
	broken := errors.New("broken")
	s.Fail = func(method string) error {
		if method == "Add" {
			return broken
		}
		return nil
	}
	if err := s.Add(t.Context(), &notify.Batch{Topic: "t", Next: 1, Now: time.Unix(1, 0)}); !errors.Is(err, broken) {
		t.Errorf("Add: %v, want the injected error", err)
	}
	if _, known, err := s.Position(t.Context(), "t", 0); known || err != nil {
		t.Errorf("position: known %v, %v; want nothing stored", known, err)
	}
}

func TestStoreLosesAnswer(t *testing.T) {
	s, lost := notifytest.NewStore(), errors.New("lost")
	peer := s.Peer()
	s.Lose = func(string) error { return lost }
	now := time.Unix(1, 0)
	batch := func() *notify.Batch {
		e := &notify.Event{Key: "evt-1", OrderID: "CH-1", Line: notify.CarHaul, Milestone: notify.MilestoneOf(notify.CarHaul, "delivered"), Sequence: 1}
		e.ID = notify.NewID(now, e.Key)
		return &notify.Batch{Now: now, Events: []notify.Stored{{Event: e}}}
	}
	if err := s.Add(t.Context(), batch()); !errors.Is(err, lost) {
		t.Fatalf("Add: %v, want the lost answer", err)
	}
	if len(s.Events()) != 1 {
		t.Fatal("Add took no effect")
	}
	s.Lose = nil
	theirs, ours, again := batch(), batch(), batch()
	for _, step := range []struct {
		store *notifytest.Store
		batch *notify.Batch
		isNew bool
	}{{peer, theirs, false}, {s, ours, true}, {s, again, false}} {
		if err := step.store.Add(t.Context(), step.batch); err != nil || step.batch.Events[0].New != step.isNew {
			t.Errorf("repeat: new is %v (%v), want %v", step.batch.Events[0].New, err, step.isNew)
		}
	}
}

// Decided again, a text may have to wait: its row must not stay with a process that does not send it.
func TestStoreReleasesWhatWaitsAfterALostAnswer(t *testing.T) {
	s, lost := notifytest.NewStore(), errors.New("lost")
	peer := s.Peer()
	now := time.Unix(1000, 0)
	add := func(due time.Time) error {
		e := &notify.Event{Key: "evt-1", OrderID: "CH-1", Line: notify.CarHaul, Milestone: notify.MilestoneOf(notify.CarHaul, "delivered"), Sequence: 1}
		e.ID = notify.NewID(now, e.Key)
		return s.Add(t.Context(), &notify.Batch{Now: now, Events: []notify.Stored{{Event: e}}, Messages: []notify.Message{{
			ID: notify.MessageID(e, notify.SMS, "", 0), EventID: e.ID, OrderID: e.OrderID, Line: e.Line, Channel: notify.SMS,
			State: notify.Pending, DueAt: due, ExpiresAt: now.Add(time.Hour),
		}}})
	}
	s.Lose = func(string) error { return lost }
	if err := add(now); !errors.Is(err, lost) {
		t.Fatalf("Add: %v, want the lost answer", err)
	}
	s.Lose = nil
	if err := add(now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	ms, err := peer.Claim(t.Context(), now, notify.SMS, 10)
	if err != nil || len(ms) != 1 {
		t.Errorf("another process claims %d texts (%v), want 1", len(ms), err)
	}
}
