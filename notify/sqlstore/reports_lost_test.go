package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// What providers and recipients tell us is told again when the answer of the COMMIT was lost: it must count once.
func TestReportsSurviveLostCommits(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		for _, takesEffect := range []bool{true, false} {
			t.Run(fmt.Sprintf("takes effect %v", takesEffect), func(t *testing.T) { loseReports(t, url, takesEffect) })
		}
	})
}

func loseReports(t *testing.T, url string, takesEffect bool) {
	s := open(t, url)
	b := twoEvents()
	for i := range b.Messages { // of orders of their own, for each run of the test
		e := b.Events[i].Event
		e.OrderID = fmt.Sprintf("CH-%v-%d", takesEffect, i)
		e.Key = e.OrderID
		e.ID = notify.NewID(noon, e.Key)
		m := &b.Messages[i]
		m.ID, m.EventID, m.OrderID = notify.MessageID(e, notify.SMS, m.Address, 0), e.ID, e.OrderID
		m.Address = fmt.Sprintf("+1415555%03d%d", len(e.Key), i)
	}
	b.Heads = nil
	mustAdd(t, s, b)
	first, second := &b.Messages[0], &b.Messages[1]
	ok := make([]bool, 2)
	if err := s.Begin(t.Context(), noon, []*notify.Message{first, second}, ok); err != nil || !ok[0] || !ok[1] {
		t.Fatal(ok, err)
	}
	twice := func(what string, f func() error) {
		t.Helper()
		s.LoseCommits(1, takesEffect)
		if err := f(); !errors.Is(err, sqlstore.ErrLost) {
			t.Errorf("%s: %v, want the lost answer", what, err)
		}
		if err := f(); err != nil {
			t.Errorf("%s again: %v", what, err)
		}
	}
	unclear := notify.Outcome{Message: first.ID, State: notify.Verify, Reason: notify.UnclearEnd, Attempt: notify.Attempt{No: 1, StartedAt: noon}}
	twice("Finish", func() error { return s.Finish(t.Context(), noon, []notify.Outcome{unclear}) })
	found := notify.Settlement{Message: first.ID, Attempt: 1, State: notify.Accepted, ProviderID: fmt.Sprint("SM-", takesEffect)}
	twice("Settle", func() error { return s.Settle(t.Context(), noon, []notify.Settlement{found}) })
	said := notify.Report{Message: first.ID, Attempt: 1, State: notify.Delivered}
	twice("Report", func() error { return s.Report(t.Context(), noon, said) })
	e, err := s.Entry(t.Context(), first.ID)
	if err != nil || e.State != notify.Delivered || len(e.Attempts) != 1 || len(e.History) != 2 {
		t.Errorf("the message is %s with attempts %v and history %v (%v)", e.State, e.Attempts, e.History, err)
	}
	in := notify.Inbound{From: second.Address, Text: "STOP", ProviderID: fmt.Sprint("SM-in-", takesEffect)}
	var changed bool
	twice("Stop", func() (err error) { changed, _, err = s.Stop(t.Context(), noon, in); return err })
	if changed == takesEffect {
		t.Errorf("the repeated STOP was news: %v", changed)
	}
	refused := notify.Outcome{Message: second.ID, State: notify.Pending, DueAt: noon, Attempt: notify.Attempt{No: 1, StartedAt: noon}}
	if err := s.Finish(t.Context(), noon, []notify.Outcome{refused}); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Entry(t.Context(), second.ID); err != nil || e.State != notify.Suppressed || e.Reason != notify.Stopped {
		t.Errorf("after the STOP the message is %s (%q, %v)", e.State, e.Reason, err)
	}
	if rows, err := s.Audit(t.Context(), []string{notify.NumberObject(second.Address)}, 10); err != nil || len(rows) != 1 {
		t.Errorf("the audit has %d rows of the STOP (%v), want 1", len(rows), err)
	}
}

// Everything that touches the texts to one number at the same time, on two nodes: nothing may wait for ever, or fail because
// of another.
func TestOneNumberUnderPressure(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		nodes := []*sqlstore.Store{open(t, url), open(t, url)}
		const phone, each = "+14155550123", 12
		var failed atomic.Int64
		check := func(what string, err error) {
			if err != nil {
				failed.Add(1)
				t.Errorf("%s: %v (deadlock: %v)", what, err, strings.Contains(err.Error(), "40P01"))
			}
		}
		var work sync.WaitGroup
		for n, s := range nodes {
			work.Go(func() {
				for i := range each {
					push(t, s, check, fmt.Sprintf("CH-%d-%d", n, i), phone)
				}
			})
			work.Go(func() {
				for i := range each {
					in := notify.Inbound{From: phone, ProviderID: fmt.Sprintf("SM-%d-%d", n, i)}
					_, _, err := s.Stop(t.Context(), noon, in)
					check("stop", err)
					in.ProviderID += "-start"
					_, _, err = s.Start(t.Context(), noon, in)
					check("start", err)
				}
			})
			work.Go(func() {
				for range each {
					list, err := s.Doubts(t.Context(), noon.Add(time.Hour), noon.Add(time.Minute), 10)
					check("doubts", err)
					var done []notify.Settlement
					for _, d := range list {
						done = append(done, notify.Settlement{Message: d.ID, Attempt: d.Attempt, State: notify.Accepted, ProviderID: "SM-" + d.ID.String()})
					}
					check("settle", s.Settle(t.Context(), noon, done))
				}
			})
		}
		work.Wait()
		if n, err := nodes[0].VerifyAudit(t.Context()); err != nil || n == 0 || failed.Load() > 0 {
			t.Errorf("%d rows of the audit (%v), %d calls failed", n, err, failed.Load())
		}
	})
}

// push sends eight texts of one batch to a number; half of them end unclear.
func push(t *testing.T, s *sqlstore.Store, check func(string, error), order, phone string) {
	b := &notify.Batch{Now: noon}
	for i := range 8 {
		e := &notify.Event{Key: fmt.Sprintf("%s-%d", order, i), OrderID: fmt.Sprintf("%s-%d", order, i), CustomerID: "c-1", Line: notify.CarHaul,
			Milestone: notify.MilestoneOf(notify.CarHaul, "picked_up"), Sequence: 1, OccurredAt: noon}
		e.ID = notify.NewID(noon, e.Key)
		b.Events = append(b.Events, notify.Stored{Event: e, State: notify.Sent})
		b.Messages = append(b.Messages, notify.Message{ID: notify.MessageID(e, notify.SMS, phone, 0), EventID: e.ID, OrderID: e.OrderID,
			CustomerID: e.CustomerID, Line: e.Line, Milestone: e.Milestone.Name, Channel: notify.SMS, Address: phone, State: notify.Pending,
			OccurredAt: noon, CreatedAt: noon, DueAt: noon, ExpiresAt: noon.Add(time.Hour), UpdatedAt: noon})
	}
	check("add", s.Add(t.Context(), b))
	ms, ok := make([]*notify.Message, 8), make([]bool, 8)
	for i := range ms {
		ms[7-i] = &b.Messages[i]
	}
	check("begin", s.Begin(t.Context(), noon, ms, ok))
	var done []notify.Outcome
	for i, m := range ms {
		o := notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: notify.Attempt{No: 1, StartedAt: noon}}
		if i%2 == 0 {
			o.State, o.Reason = notify.Verify, notify.UnclearEnd
		}
		if ok[i] {
			done = append(done, o)
		}
	}
	check("finish", s.Finish(t.Context(), noon, done))
	for _, m := range ms {
		check("report", s.Report(t.Context(), noon, notify.Report{Message: m.ID, Attempt: 1, State: notify.Sent}))
	}
}
