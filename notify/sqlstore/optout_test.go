package sqlstore_test

import (
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func reviewBatch(n int64, order, customer string, ms *notify.Milestone, now time.Time, due time.Time) (*notify.Batch, *notify.Message) {
	e := &notify.Event{Key: order + ms.Name, OrderID: order, CustomerID: customer, Line: notify.CarHaul, Milestone: ms, Sequence: n, OccurredAt: now}
	e.ID = notify.NewID(now, e.Key)
	m := notify.Message{ID: notify.MessageID(e, notify.SMS, "+1", 0), EventID: e.ID, OrderID: order, CustomerID: customer, Line: e.Line, Milestone: ms.Name,
		Channel: notify.SMS, Address: "+1", State: notify.Pending, DueAt: due, ExpiresAt: now.Add(5 * time.Hour), CreatedAt: now, UpdatedAt: now, OccurredAt: now}
	b := &notify.Batch{Topic: "t", Next: n, Now: now, Events: []notify.Stored{{Event: e}}, Messages: []notify.Message{m},
		Heads: []notify.Head{{OrderID: order, Line: e.Line, CustomerID: customer, Milestone: ms.Name, Sequence: n, OccurredAt: now, Version: n - 1}}}
	return b, &b.Messages[0]
}

// An order goes to another customer while the first one's text waits: the first one's opt-out must still stop it.
func TestOptOutAfterOrderMoved(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := open(t, database(t))
			now := time.Now().Truncate(time.Millisecond)
			b, m := reviewBatch(1, "O", "c-1", notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), now, now.Add(time.Hour))
			if err := s.Add(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			b2, _ := reviewBatch(2, "O", "c-2", notify.MilestoneOf(notify.CarHaul, "picked_up"), now, now.Add(time.Hour))
			if err := s.Add(t.Context(), b2); err != nil {
				t.Fatal(err)
			}
			notifytest.PutCustomer(t, s, now, notify.Customer{ID: "c-1", Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
			e, err := s.Entry(t.Context(), m.ID)
			if err != nil || e.State != notify.Suppressed {
				t.Errorf("%s %v, want suppressed", e.State, err)
			}
		})
	}
}

// The same as notify.TestOptOutDuringSend, in SQL.
func TestOptOutWhileSending(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			s := open(t, database(t))
			now := time.Now().Truncate(time.Millisecond)
			b, m := reviewBatch(1, "O", "c-1", notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), now, now)
			if err := s.Add(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			ok := make([]bool, 1)
			if err := s.Begin(t.Context(), now, []*notify.Message{m}, ok); err != nil || !ok[0] {
				t.Fatal(ok, err)
			}
			notifytest.PutCustomer(t, s, now, notify.Customer{ID: "c-1", Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
			o := notify.Outcome{Message: m.ID, Channel: notify.SMS, State: notify.Pending, DueAt: now, Attempt: notify.Attempt{No: 1, StartedAt: now}}
			if err := s.Finish(t.Context(), now, []notify.Outcome{o}); err != nil {
				t.Fatal(err)
			}
			if ms, err := s.Claim(t.Context(), now, notify.SMS, 10); err != nil || len(ms) != 0 {
				t.Errorf("claimed %d, %v; want none after the opt-out", len(ms), err)
			}
		})
	}
}

// A choice made between the look-up of a resend and its AddResend.
func TestResendBehindOptOut(t *testing.T) {
	s := open(t, newSQLite(t))
	now := time.Now().Truncate(time.Millisecond)
	b, m := reviewBatch(1, "O", "c-1", notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"), now, now)
	if err := s.Add(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	// Resender has looked the customer up here: opted in
	notifytest.PutCustomer(t, s, now, notify.Customer{ID: "c-1", Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
	resend := notify.Resend{Message: *m, Of: m.ID, Why: "why", Key: notify.Idempotent{Principal: "a", Key: "k"}}
	if _, _, err := s.AddResend(t.Context(), notifytest.By("ann", now), &resend); err != nil {
		t.Skip("refused: ", err)
	}
	if ms, _ := s.Claim(t.Context(), now, notify.SMS, 10); len(ms) != 0 {
		t.Errorf("a resend is due although the customer has opted out")
	}
}
