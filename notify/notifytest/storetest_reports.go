package notifytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// later is when reports come in the tests of stores.
var later = noon.Add(5 * time.Second)

func report(t *testing.T, s notify.Reports, at time.Time, r notify.Report) {
	t.Helper()
	if err := s.Report(t.Context(), at, r); err != nil {
		t.Fatal(err)
	}
}

// reported is a report on an attempt of a message.
func reported(m *notify.Message, attempt int, state notify.State) notify.Report {
	r := notify.Report{Message: m.ID, Attempt: attempt, State: state, ProviderID: fmt.Sprintf("SM-%s-%d", m.ID, attempt)}
	if state == notify.Failed || state == notify.Undelivered {
		r.Reason, r.Code, r.Detail = notify.NotReached, 30003, `the phone is "off"`
	}
	return r
}

// stages bring a message, one by one, into each state in which a report may find it, after an attempt 1.
var stages = map[notify.State]func(t *testing.T, s Truth, m *notify.Message){
	notify.Pending: func(t *testing.T, s Truth, m *notify.Message) {
		finish(t, s, notify.Outcome{Message: m.ID, State: notify.Pending, Reason: notify.RateLimited, DueAt: noon, Attempt: attempt(1, notify.NotTaken)})
	},
	notify.Sending: func(*testing.T, Truth, *notify.Message) {},
	notify.Verify: func(t *testing.T, s Truth, m *notify.Message) {
		finish(t, s, notify.Outcome{Message: m.ID, State: notify.Verify, Reason: notify.UnclearEnd, Attempt: attempt(1, notify.Unclear)})
	},
	notify.Unknown: func(t *testing.T, s Truth, m *notify.Message) {
		finish(t, s, notify.Outcome{Message: m.ID, State: notify.Verify, Reason: notify.UnclearEnd, Attempt: attempt(1, notify.Unclear)})
		settle(t, s, notify.Settlement{Message: m.ID, Attempt: 1, State: notify.Unknown, Reason: notify.UnclearEnd})
	},
	notify.Suppressed: func(t *testing.T, s Truth, m *notify.Message) {
		finish(t, s, notify.Outcome{Message: m.ID, State: notify.Suppressed, Reason: notify.Expired, Attempt: attempt(1, notify.NotTaken)})
	},
	notify.Accepted: func(t *testing.T, s Truth, m *notify.Message) {
		finish(t, s, notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)})
	},
	notify.Sent:      func(t *testing.T, s Truth, m *notify.Message) { report(t, s, later, reported(m, 1, notify.Sent)) },
	notify.Delivered: func(t *testing.T, s Truth, m *notify.Message) { report(t, s, later, reported(m, 1, notify.Delivered)) },
	notify.Undelivered: func(t *testing.T, s Truth, m *notify.Message) {
		report(t, s, later, reported(m, 1, notify.Undelivered))
	},
	notify.Failed: func(t *testing.T, s Truth, m *notify.Message) {
		finish(t, s, notify.Outcome{Message: m.ID, State: notify.Failed, Reason: notify.BadAddress, Attempt: attempt(1, notify.Permanent)})
	},
}

// staged stores a message of its own order and number and brings it into a state.
func staged(t *testing.T, s Truth, n int, state notify.State) notify.Message {
	t.Helper()
	b := batchOf(newEvent(fmt.Sprint("CH-", n), "c-1", "picked_up", int64(n)))
	b.Messages[0].Address = fmt.Sprintf("+1415555%04d", n)
	add(t, s, b)
	m := b.Messages[0]
	begin(t, s, noon, &m, true)
	stages[state](t, s, &m)
	if e := entry(t, s, m.ID); e.State != state {
		t.Fatalf("the message is %s, want %s", e.State, state)
	}
	return m
}

func reportTable(t *testing.T, nodes Nodes) {
	s := nodes(t)
	ranks := map[notify.State]int{notify.Accepted: 1, notify.Sent: 2, notify.Delivered: 3, notify.Undelivered: 3, notify.Failed: 3}
	n := 0
	for _, known := range notify.States {
		for _, said := range []notify.State{notify.Accepted, notify.Sent, notify.Delivered, notify.Undelivered, notify.Failed} {
			if n++; stages[known] == nil {
				t.Fatalf("nothing brings a message into %s", known)
			}
			m := staged(t, s, n, known)
			before := entry(t, s, m.ID)
			r := reported(&m, 1, said)
			report(t, s, later, r)
			report(t, s, later.Add(time.Hour), r) // again
			e := entry(t, s, m.ID)
			if ranks[said] <= ranks[known] {
				if e.State != known || e.Reason != before.Reason || len(e.History) != len(before.History) || !e.UpdatedAt.Equal(before.UpdatedAt) {
					t.Errorf("%s, then %s: the message is %s (%q)", known, said, e.State, e.Reason)
				}
				continue
			}
			if e.State != said || e.Reason != r.Reason || e.ProviderID != r.ProviderID || !e.UpdatedAt.Equal(later) {
				t.Errorf("%s, then %s: the message is %s (%q) as %q at %v", known, said, e.State, e.Reason, e.ProviderID, e.UpdatedAt)
			}
			want := append(slices.Clone(before.History), notify.Step{At: later, State: said, Reason: r.Reason, Code: r.Code, Detail: r.Detail})
			if diff := cmp.Diff(want, e.History); diff != "" {
				t.Errorf("%s, then %s: history (-want +got):\n%s", known, said, diff)
			}
		}
	}
	if got := claim(t, s, noon.Add(time.Hour), notify.SMS, 100); len(got) != 0 {
		t.Errorf("claimed %d messages of which a report came", len(got))
	}
}

func reportEarlierAttempt(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i, test := range []struct {
		state notify.State // after the second attempt
		said  notify.State // of the first
		want  notify.State
	}{
		{notify.Pending, notify.Delivered, notify.Delivered},
		{notify.Pending, notify.Failed, notify.Failed},
		{notify.Sending, notify.Accepted, notify.Accepted},
		{notify.Sending, notify.Failed, notify.Sending},
		{notify.Verify, notify.Delivered, notify.Delivered},
		{notify.Verify, notify.Undelivered, notify.Verify},
		{notify.Accepted, notify.Delivered, notify.Accepted},
	} {
		m := staged(t, s, i+1, notify.Pending)
		m = claim(t, s, noon, notify.SMS, 1)[0]
		begin(t, s, noon, &m, true)
		second := notify.Outcome{Message: m.ID, State: test.state, Reason: notify.UnclearEnd, DueAt: noon.Add(time.Hour), Attempt: attempt(2, notify.Unclear)}
		if test.state != notify.Sending {
			finish(t, s, second)
		}
		r := reported(&m, 1, test.said)
		report(t, s, later, r)
		report(t, s, later.Add(time.Hour), r)
		e := entry(t, s, m.ID)
		if e.State != test.want || e.Attempt != 2 {
			t.Errorf("%s, then %s of the first attempt: the message is %s at attempt %d, want %s at 2", test.state, test.said, e.State, e.Attempt, test.want)
		}
		if len(e.History) != 1 || e.History[0].State != test.said || !slices.Contains([]string{"attempt 1", "attempt 1: " + r.Detail}, e.History[0].Detail) {
			t.Errorf("%s, then %s of the first attempt: history %+v", test.state, test.said, e.History)
		}
		if test.state == notify.Sending { // its own end comes still
			second.State, second.Attempt.ProviderID = notify.Accepted, "SM-second"
			finish(t, s, second)
			if e := entry(t, s, m.ID); e.State != notify.Accepted || len(e.Attempts) != 2 {
				t.Errorf("after the end of the second attempt: %s with %d attempts", e.State, len(e.Attempts))
			}
		}
	}
}

// A database that was restored knows less than the provider.
func reportLaterAttempt(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	report(t, s, later, reported(&m, 3, notify.Sent))
	stands(t, s, m.ID, notify.Sent, "")
	begin(t, s, noon, &m, false)
	if e := entry(t, s, m.ID); e.Attempt != 3 || e.ProviderID == "" {
		t.Errorf("attempt %d, provider id %q; want what the report says", e.Attempt, e.ProviderID)
	}
	report(t, s, later, reported(&m, 3, notify.Delivered))
	stands(t, s, m.ID, notify.Delivered, "")
}

func reportBeforeFinish(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i, test := range []struct {
		said    notify.State
		outcome notify.Outcome
	}{
		{notify.Accepted, notify.Outcome{State: notify.Accepted}},
		{notify.Delivered, notify.Outcome{State: notify.Accepted}},
		{notify.Delivered, notify.Outcome{State: notify.Verify, Reason: notify.UnclearEnd}},
		{notify.Undelivered, notify.Outcome{State: notify.Pending, Reason: notify.RateLimited, DueAt: noon}},
	} {
		m := staged(t, s, i+1, notify.Sending)
		r := reported(&m, 1, test.said)
		r.ProviderID = ""
		report(t, s, later, r)
		test.outcome.Message, test.outcome.Attempt = m.ID, attempt(1, notify.Took)
		test.outcome.Attempt.ProviderID = "SM1"
		finish(t, s, test.outcome)
		finish(t, s, test.outcome)
		e := entry(t, s, m.ID)
		if e.State != test.said || e.Reason != r.Reason || e.ProviderID != "SM1" || !e.UpdatedAt.Equal(later) {
			t.Errorf("%s, then our own %s: the message is %s (%q) as %q", test.said, test.outcome.State, e.State, e.Reason, e.ProviderID)
		}
		if len(e.Attempts) != 1 {
			t.Errorf("%s, then our own %s: %d attempts, want 1", test.said, test.outcome.State, len(e.Attempts))
		}
	}
}

func reportTakesAway(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	m := addSent(t, s, 1) // it is in the memory of s
	report(t, peer, later, reported(&m, 1, notify.Accepted))
	begin(t, s, later, &m, false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reclaim(t, peer, 0)
	stands(t, peer, m.ID, notify.Accepted, "")
}

func reportRefuses(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	nothing, pending, broken := reported(&m, 1, notify.Sent), reported(&m, 1, notify.Pending), reported(&m, 1, notify.Sent)
	nothing.Message = notify.ID{}
	broken.ProviderID = "SM\x00"
	for name, r := range map[string]notify.Report{"no message": nothing, "no state of a provider": pending} {
		if err := s.Report(t.Context(), later, r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.Report(t.Context(), later, broken); !errors.Is(err, notify.ErrBadRow) {
		t.Errorf("NUL: %v, want ErrBadRow", err)
	}
	stands(t, s, m.ID, notify.Pending, "")
}

func reportParked(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1), newEvent("CH-2", "c-1", "picked_up", 2))
	m, other := b.Messages[0], b.Messages[1]
	for _, state := range []notify.State{notify.Sent, notify.Sent, notify.Delivered, notify.Accepted} {
		report(t, s, noon, reported(&m, 2, state))
	}
	add(t, s, b)
	ok := make([]bool, 2)
	if err := s.Begin(t.Context(), later, []*notify.Message{&m, &other}, ok); err != nil {
		t.Fatal(err)
	}
	if ok[0] || !ok[1] {
		t.Errorf("begin says %v: the first message went out in a former life", ok)
	}
	e := entry(t, s, m.ID)
	if e.State != notify.Delivered || e.Attempt != 2 || len(e.History) == 0 {
		t.Errorf("the message is %s at attempt %d with history %v", e.State, e.Attempt, e.History)
	}
	stands(t, s, other.ID, notify.Sending, "")
	begin(t, s, later, &m, false)
}

func reportForgotten(t *testing.T, nodes Nodes) {
	s := nodes(t)
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", 1))
	m := b.Messages[0]
	report(t, s, noon.Add(-24*time.Hour), reported(&m, 1, notify.Delivered))
	reclaim(t, s, 0)
	add(t, s, b)
	begin(t, s, noon, &m, true)
}

// A process lost its lock, was given up, and its text was found to be absent. Then it wakes up and sends it all the same.
func finishGivenUp(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	m := addSent(t, s, 1)
	begin(t, s, noon, &m, true)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reclaim(t, peer, 1)
	settle(t, peer, notify.Settlement{Message: m.ID, Attempt: 1, State: notify.Pending, Reason: notify.OwnerDied, DueAt: noon.Add(time.Minute)})
	stands(t, peer, m.ID, notify.Pending, notify.OwnerDied)
	o := notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
	finish(t, peer, o) // under the name of the peer: the owner does not matter
	stands(t, peer, m.ID, notify.Accepted, "")
	if got := claim(t, peer, noon.Add(time.Hour), notify.SMS, 10); len(got) != 0 {
		t.Errorf("claimed %d messages that have left", len(got))
	}
}

// A move is told once, and what moves nothing is not told.
func reportTells(t *testing.T, nodes Nodes) {
	s := nodes(t)
	var told []string
	s.OnReport(func(m *notify.Message) {
		told = append(told, fmt.Sprintln(m.ID, m.Channel, m.Milestone, m.State, m.Reason))
	})
	m := staged(t, s, 1, notify.Accepted)
	for _, r := range []notify.Report{
		{State: notify.Sent}, {State: notify.Sent}, {State: notify.Accepted}, {State: notify.Undelivered, Reason: notify.NotReached, Code: 30003},
		{State: notify.Sent},
	} {
		r.Message, r.Attempt, r.ProviderID = m.ID, 1, "SM1"
		report(t, s, later, r)
	}
	report(t, s, later, notify.Report{Message: notify.NewID(noon, "nobody"), Attempt: 1, State: notify.Delivered})
	want := []string{fmt.Sprintln(m.ID, "sms", "picked_up", "sent", ""), fmt.Sprintln(m.ID, "sms", "picked_up", "undelivered", "not_reached")}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}
