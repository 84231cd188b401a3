package sqlstore_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// twoEvents is a batch of two events of one order, with its head and an SMS each.
func twoEvents() *notify.Batch {
	b := &notify.Batch{Topic: "order-events", Partition: 1, Next: 2, Now: noon}
	for i, name := range []string{"picked_up", "in_transit"} {
		e := &notify.Event{
			Key: name, OrderID: "CH-1", CustomerID: "c-1", Line: notify.CarHaul,
			Milestone: notify.MilestoneOf(notify.CarHaul, name), Sequence: int64(i + 1), OccurredAt: noon,
		}
		e.ID = notify.NewID(noon, e.Key)
		b.Events = append(b.Events, notify.Stored{Event: e, State: notify.Sent})
		number := "+1415555012" + strconv.Itoa(i) // two texts of an order to one number would wait for each other
		b.Messages = append(b.Messages, notify.Message{
			ID: notify.MessageID(e, notify.SMS, number, 0), EventID: e.ID, OrderID: e.OrderID, CustomerID: e.CustomerID,
			Line: e.Line, Milestone: name, Sequence: e.Sequence, Channel: notify.SMS, Address: number, State: notify.Pending,
			OccurredAt: noon, CreatedAt: noon, DueAt: noon, ExpiresAt: noon.Add(time.Hour), UpdatedAt: noon,
		})
		b.Heads = []notify.Head{{OrderID: e.OrderID, Line: e.Line, CustomerID: e.CustomerID, Milestone: name,
			Sequence: e.Sequence, OccurredAt: noon}}
	}
	return b
}

// eachEmpty runs a test over a database of every engine that was never migrated.
func eachEmpty(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, newSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
}

// eachEngine runs a test over a new database of every engine.
func eachEngine(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for name, database := range engines {
		t.Run(name, func(t *testing.T) { test(t, database(t)) })
	}
}

func mustAdd(t *testing.T, s *sqlstore.Store, b *notify.Batch) {
	t.Helper()
	if err := s.Add(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func loseAdd(t *testing.T, s *sqlstore.Store, takesEffect bool) {
	t.Helper()
	s.LoseCommits(1, takesEffect)
	if err := s.Add(t.Context(), twoEvents()); !errors.Is(err, sqlstore.ErrLost) {
		t.Fatalf("add: %v, want the lost answer", err)
	}
}

func claimed(t *testing.T, s *sqlstore.Store, want int) {
	t.Helper()
	ms, err := s.Claim(t.Context(), noon, notify.SMS, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(ms) != want {
		t.Errorf("claimed %d messages, want %d", len(ms), want)
	}
}

func TestAddAfterLostCommit(t *testing.T) {
	for name, takesEffect := range map[string]bool{"that took effect": true, "that did not": false} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, url string) {
				s, peer := open(t, url), open(t, url)
				loseAdd(t, s, takesEffect)
				var known [2]bool
				if err := s.Known(t.Context(), []notify.ID{twoEvents().Events[0].ID, twoEvents().Events[1].ID}, known[:]); err != nil {
					t.Fatal(err)
				}
				if known != [2]bool{} {
					t.Error("events whose Add has to be repeated are known")
				}
				again := twoEvents()
				mustAdd(t, s, again)
				ok, ms := make([]bool, 2), make([]*notify.Message, 2)
				for i := range again.Events {
					ms[i] = &again.Messages[i]
					if !again.Events[i].New {
						t.Errorf("event %d is not new to the process that stored it", i)
					}
				}
				claimed(t, peer, 0)
				if err := s.Begin(t.Context(), noon, ms, ok); err != nil || !ok[0] || !ok[1] {
					t.Errorf("begin: %v, %v; want both", ok, err)
				}
				third := twoEvents()
				mustAdd(t, s, third)
				if third.Events[0].New || third.Events[1].New {
					t.Error("a repeat after the answer is new")
				}
			})
		})
	}
}

func TestAddDecidedAgainAfterLostCommit(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s, peer := open(t, url), open(t, url)
		loseAdd(t, s, true)
		again := twoEvents() // decided on the head that is stored by now: the first message is stale
		again.Heads, again.Messages = nil, again.Messages[1:]
		mustAdd(t, s, again)
		claimed(t, peer, 1) // what was not decided again is for anybody
	})
}

// Decided again, a text may have to wait: its row, which says that it is due, must not stay with a process that does not send it.
func TestAddThatWaitsAfterLostCommit(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s, peer := open(t, url), open(t, url)
		loseAdd(t, s, true)
		again := twoEvents()
		again.Heads = nil
		again.Messages[0].DueAt, again.Messages[0].Reason = noon.Add(time.Minute), notify.Quiet
		mustAdd(t, s, again)
		claimed(t, peer, 1)
	})
}

func TestNobodyRepeatsLostAdd(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		loseAdd(t, s, true)
		claimed(t, s, 0)
		if n, err := s.Reclaim(t.Context(), noon.Add(time.Second)); n != 0 || err != nil {
			t.Errorf("reclaimed %d (%v) while the caller may still repeat", n, err)
		}
		if n, err := s.Reclaim(t.Context(), noon.Add(time.Hour)); n != 2 || err != nil {
			t.Errorf("reclaimed %d (%v), want 2", n, err)
		}
		claimed(t, s, 2)
	})
}

func TestBeginAfterLostCommit(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		b := twoEvents()
		mustAdd(t, s, b)
		ms, ok := []*notify.Message{&b.Messages[0], &b.Messages[1]}, make([]bool, 2)
		s.LoseCommits(1, true)
		if err := s.Begin(t.Context(), noon, ms[:1], ok[:1]); !errors.Is(err, sqlstore.ErrLost) || ok[0] {
			t.Fatalf("begin: %v, %v; want the lost answer", ok, err)
		}
		if err := s.Begin(t.Context(), noon, ms, ok); err != nil || !ok[0] || !ok[1] {
			t.Fatalf("begin again: %v, %v; want both", ok, err)
		}
		if ms[0].Attempt != 1 || ms[1].Attempt != 1 {
			t.Errorf("attempts %d and %d, want 1 and 1", ms[0].Attempt, ms[1].Attempt)
		}
		if err := s.Begin(t.Context(), noon, ms, ok); err != nil || ok[0] || ok[1] {
			t.Errorf("a third begin: %v, %v; want none", ok, err)
		}
	})
}

func TestNobodyRepeatsLostBegin(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		b := twoEvents()
		mustAdd(t, s, b)
		s.LoseCommits(1, true)
		if err := s.Begin(t.Context(), noon, []*notify.Message{&b.Messages[0]}, make([]bool, 1)); err == nil {
			t.Fatal("the answer was not lost")
		}
		if n, err := s.Reclaim(t.Context(), noon.Add(2*time.Minute)); n != 1 || err != nil {
			t.Errorf("reclaimed %d (%v), want 1", n, err)
		}
		claimed(t, s, 1)
	})
}

func TestClaimAfterLostCommit(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s, peer := open(t, url), open(t, url)
		b := twoEvents()
		mustAdd(t, s, b)
		if err := s.HandBack(t.Context(), noon, []notify.Handback{{Message: b.Messages[0].ID}, {Message: b.Messages[1].ID}}); err != nil {
			t.Fatal(err)
		}
		s.LoseCommits(1, true)
		if _, err := s.Claim(t.Context(), noon, notify.SMS, 10); !errors.Is(err, sqlstore.ErrLost) {
			t.Fatalf("claim: %v, want the lost answer", err)
		}
		claimed(t, peer, 0)
		claimed(t, s, 2)
	})
}
