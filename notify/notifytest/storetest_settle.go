package notifytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"onmyway/notify"
)

func settle(t *testing.T, s notify.Unsettled, done ...notify.Settlement) {
	t.Helper()
	if err := s.Settle(t.Context(), later, done); err != nil {
		t.Fatal(err)
	}
}

func doubts(t *testing.T, s notify.Unsettled, now, next time.Time, limit int) []notify.Doubt {
	t.Helper()
	list, err := s.Doubts(t.Context(), now, next, limit)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func silent(t *testing.T, s notify.Unheard, now time.Time) []notify.Message {
	t.Helper()
	list, err := s.Silent(t.Context(), now, 10)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func doubtsDue(t *testing.T, nodes Nodes) {
	s := nodes(t)
	unclear := noon.Add(time.Second) // as finish does
	first := staged(t, s, 1, notify.Verify)
	second := staged(t, s, 2, notify.Verify)
	staged(t, s, 3, notify.Accepted)
	if got := doubts(t, s, unclear.Add(-time.Millisecond), later, 10); len(got) != 0 {
		t.Errorf("%d doubts before any", len(got))
	}
	got := doubts(t, s, unclear, unclear.Add(15*time.Second), 10)
	if len(got) != 2 || !got[0].Since.Equal(unclear) || got[0].ID == got[1].ID || got[0].Body == "" || got[0].Attempt != 1 {
		t.Fatalf("doubts: %+v", got)
	}
	// An opt-out and what Finish says again are no reason to begin to wait anew.
	finish(t, s, notify.Outcome{Message: first.ID, State: notify.Verify, Reason: notify.UnclearEnd, Attempt: attempt(1, notify.Unclear)})
	if got := doubts(t, s, unclear.Add(14*time.Second), later, 10); len(got) > 1 {
		t.Errorf("%d doubts although the look was put off", len(got))
	}
	settle(t, s, notify.Settlement{Message: first.ID, Attempt: 1, State: notify.Delivered, ProviderID: "SM1"})
	got = doubts(t, s, unclear.Add(time.Minute), unclear.Add(2*time.Minute), 10)
	if len(got) != 1 || got[0].ID != second.ID || !got[0].Since.Equal(unclear) {
		t.Errorf("doubts after one is settled: %+v", got)
	}
}

func doubtsShared(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	for n := range 5 {
		staged(t, s, n+1, notify.Verify)
	}
	met := map[notify.ID]int{}
	for _, list := range [][]notify.Doubt{doubts(t, s, later, later.Add(time.Minute), 3), doubts(t, peer, later, later.Add(time.Minute), 3)} {
		for _, d := range list {
			met[d.ID]++
		}
	}
	if len(met) != 5 {
		t.Errorf("two nodes have %d of 5 doubts between them", len(met))
	}
}

func settleTable(t *testing.T, nodes Nodes) {
	s := nodes(t)
	due := noon.Add(time.Minute)
	n := 0
	for _, test := range []struct {
		done notify.Settlement
		due  time.Time
	}{
		{notify.Settlement{State: notify.Accepted, ProviderID: "SM1"}, noon},
		{notify.Settlement{State: notify.Sent, ProviderID: "SM2"}, noon},
		{notify.Settlement{State: notify.Delivered, ProviderID: "SM3"}, noon},
		{notify.Settlement{State: notify.Undelivered, Reason: notify.NotReached, Code: 30003, ProviderID: "SM4"}, noon},
		{notify.Settlement{State: notify.Failed, Reason: notify.NotReached, ProviderID: "SM5"}, noon},
		{notify.Settlement{State: notify.Pending, Reason: notify.UnclearEnd, DueAt: due}, due},
		{notify.Settlement{State: notify.Unknown, Reason: notify.UnclearEnd}, noon},
	} {
		n++
		m := staged(t, s, n, notify.Verify)
		test.done.Message, test.done.Attempt, test.done.Detail = m.ID, 2, "what was found"
		settle(t, s, test.done)
		stands(t, s, m.ID, notify.Verify, notify.UnclearEnd) // another attempt
		test.done.Attempt = 1
		settle(t, s, test.done)
		stands(t, s, m.ID, test.done.State, test.done.Reason)
		e := entry(t, s, m.ID)
		if !e.DueAt.Equal(test.due) || e.ProviderID != test.done.ProviderID || !e.UpdatedAt.Equal(later) {
			t.Errorf("%s: due %v, provider id %q, updated %v", test.done.State, e.DueAt, e.ProviderID, e.UpdatedAt)
		}
		want := []notify.Step{{At: later, State: test.done.State, Reason: test.done.Reason, Code: test.done.Code, Detail: "what was found"}}
		if diff := cmp.Diff(want, e.History); diff != "" {
			t.Errorf("%s: history (-want +got):\n%s", test.done.State, diff)
		}
		settle(t, s, notify.Settlement{Message: m.ID, Attempt: 1, State: notify.Pending, DueAt: noon}) // it is unclear no more
		stands(t, s, m.ID, test.done.State, test.done.Reason)
	}
	if got := doubts(t, s, later.Add(24*time.Hour), later, 10); len(got) != 0 {
		t.Errorf("%d doubts when all are settled", len(got))
	}
	if got := claim(t, s, due, notify.SMS, 10); len(got) != 1 {
		t.Errorf("claimed %d, want the one that the provider does not have", len(got))
	}
}

func settleStopped(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := staged(t, s, 1, notify.Verify)
	PutCustomer(t, s, noon, notify.Customer{ID: "c-1", Preferences: notify.Preferences{Channels: map[notify.Channel]bool{notify.SMS: false}}})
	settle(t, s, notify.Settlement{Message: m.ID, Attempt: 1, State: notify.Pending, Reason: notify.UnclearEnd, DueAt: noon})
	stands(t, s, m.ID, notify.Suppressed, notify.OptedOut)
	e := entry(t, s, m.ID)
	if len(e.History) != 1 || e.History[0].State != notify.Suppressed || e.History[0].Reason != notify.OptedOut {
		t.Errorf("history %+v", e.History)
	}
}

// Two texts with the same words for one number, of which the provider has one.
func settleTwins(t *testing.T, nodes Nodes) {
	for name, settleBoth := range map[string]func(t *testing.T, s, peer Truth, a, b notify.Settlement){
		"one node": func(t *testing.T, s, _ Truth, a, b notify.Settlement) { settle(t, s, a, b) },
		"two nodes": func(t *testing.T, s, peer Truth, a, b notify.Settlement) {
			both(t, func() { settle(t, s, a) }, func() { settle(t, peer, b) })
		},
	} {
		s, peer := nodes(t), nodes(t)
		var twins [2]notify.Message
		for i := range twins {
			b := batchOf(newEvent(fmt.Sprint(name, i), "c-1", "picked_up", int64(i+1)))
			b.Messages[0].Address = "+14155550" + name[:3]
			add(t, s, b)
			twins[i] = b.Messages[0]
			begin(t, s, noon, &twins[i], true)
			stages[notify.Verify](t, s, &twins[i])
		}
		var done [2]notify.Settlement
		for i := range done {
			done[i] = notify.Settlement{Message: twins[i].ID, Attempt: 1, State: notify.Delivered, ProviderID: "SM " + name}
		}
		settleBoth(t, s, peer, done[0], done[1])
		states := map[notify.State]int{}
		for i := range twins {
			states[entry(t, s, twins[i].ID).State]++
		}
		if states[notify.Delivered] != 1 || states[notify.Verify] != 1 {
			t.Errorf("%s: the twins are %v, want one delivered and one unclear", name, states)
		}
		taken := make([]bool, 3)
		if err := s.Taken(t.Context(), []string{"SM " + name, "SM9", ""}, taken); err != nil || !taken[0] || taken[1] || taken[2] {
			t.Errorf("%s: taken %v (%v)", name, taken, err)
		}
	}
}

// The provider may have the text of a twin, whose own answer is still on its way to us.
func settleTwinSending(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := staged(t, s, 1, notify.Verify)
	b := batchOf(newEvent("CH-2", "c-2", "picked_up", 2))
	b.Messages[0].Address = m.Address
	add(t, s, b)
	twin := b.Messages[0]
	begin(t, s, noon, &twin, true)
	found := notify.Settlement{Message: m.ID, Attempt: 1, State: notify.Accepted, ProviderID: "SM-twin"}
	settle(t, s, found)
	stands(t, s, m.ID, notify.Verify, notify.UnclearEnd)
	o := notify.Outcome{Message: twin.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
	o.Attempt.ProviderID = "SM-twin"
	finish(t, s, o)
	settle(t, s, found)
	stands(t, s, m.ID, notify.Verify, notify.UnclearEnd)
	found.ProviderID = "SM-own"
	settle(t, s, found)
	stands(t, s, m.ID, notify.Accepted, "")
}

// The way of a text whose process was killed.
func settleStory(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	m := addSent(t, s, 1)
	begin(t, s, noon, &m, true)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reclaim(t, peer, 1)
	if got := doubts(t, peer, later, later.Add(time.Minute), 10); len(got) != 1 || !got[0].Since.Equal(noon.Add(time.Second)) {
		t.Fatalf("doubts: %+v", got)
	}
	settle(t, peer, notify.Settlement{Message: m.ID, Attempt: 1, State: notify.Accepted, ProviderID: "SM1", Detail: "the provider has it"})
	report(t, peer, later.Add(time.Second), notify.Report{Message: m.ID, Attempt: 1, ProviderID: "SM1", State: notify.Delivered})
	want := []notify.Step{
		{At: noon, State: notify.Sending},
		{At: noon.Add(time.Second), State: notify.Verify, Reason: notify.OwnerDied},
		{At: later, State: notify.Accepted, Detail: "the provider has it"},
		{At: later.Add(time.Second), State: notify.Delivered},
	}
	if diff := cmp.Diff(want, entry(t, peer, m.ID).History, cmpopts.EquateEmpty()); diff != "" {
		t.Error("history (-want +got):\n" + diff)
	}
}

func silentTwice(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := staged(t, s, 1, notify.Sending)
	o := notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
	o.Attempt.ProviderID = "SM1"
	finish(t, s, o)
	taken := noon.Add(time.Second)
	for _, look := range []struct {
		after time.Duration
		want  int
	}{
		{10*time.Minute - time.Millisecond, 0}, {10 * time.Minute, 1}, {11 * time.Minute, 0},
		{24*time.Hour - time.Millisecond, 0}, {24 * time.Hour, 1}, {100 * time.Hour, 0},
	} {
		got := silent(t, s, taken.Add(look.after))
		if len(got) != look.want || len(got) > 0 && (got[0].ID != m.ID || got[0].ProviderID != "SM1" || got[0].Attempt != 1) {
			t.Errorf("%v after it was taken: %+v, want %d", look.after, got, look.want)
		}
		if look.after == 11*time.Minute { // one step further, but not the end
			report(t, s, taken.Add(look.after), reported(&m, 1, notify.Sent))
		}
	}
	late := staged(t, s, 2, notify.Accepted)
	report(t, s, later, notify.Report{Message: late.ID, Attempt: 1, ProviderID: "SM2", State: notify.Accepted})
	if got := silent(t, s, taken.Add(48*time.Hour)); len(got) != 1 || got[0].ID != late.ID {
		t.Errorf("who comes late finds %+v", got)
	}
	if got := silent(t, s, taken.Add(96*time.Hour)); len(got) != 0 {
		t.Errorf("who comes late finds %d a second time", len(got))
	}
}

func silentUnasked(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := staged(t, s, 1, notify.Accepted)
	report(t, s, noon, notify.Report{Message: m.ID, Attempt: 1, ProviderID: "SM1", State: notify.Accepted})
	ended := staged(t, s, 2, notify.Accepted)
	report(t, s, noon, notify.Report{Message: ended.ID, Attempt: 1, ProviderID: "SM2", State: notify.Delivered})
	taken := noon.Add(time.Second) // as finish does
	unasked := func(next time.Time) {
		t.Helper()
		if err := s.Unasked(t.Context(), next, []notify.Message{m, ended}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(after time.Duration, want int, when string) {
		t.Helper()
		if got := silent(t, s, taken.Add(after)); len(got) != want {
			t.Errorf("%d texts %s, want %d", len(got), when, want)
		}
	}
	count(10*time.Minute, 1, "at the first look")
	unasked(taken.Add(15 * time.Minute))
	count(14*time.Minute, 0, "before it comes again")
	count(15*time.Minute, 1, "when it comes again")
	count(23*time.Hour, 0, "after it was asked about")
	count(24*time.Hour, 1, "at the second look")
	unasked(taken.Add(25 * time.Hour))
	count(25*time.Hour, 1, "when the second look comes again")
	unasked(taken.Add(73 * time.Hour))
	count(100*time.Hour, 0, "after three days")
}

func silentOnly(t *testing.T, nodes Nodes) {
	s := nodes(t)
	sent := staged(t, s, 1, notify.Sent)
	settled := staged(t, s, 2, notify.Verify)
	settle(t, s, notify.Settlement{Message: settled.ID, Attempt: 1, State: notify.Accepted, ProviderID: "SM-2"})
	for i, state := range []notify.State{notify.Pending, notify.Sending, notify.Verify, notify.Delivered, notify.Failed, notify.Suppressed, notify.Unknown} {
		staged(t, s, 3+i, state)
	}
	ended := staged(t, s, 20, notify.Sent)
	report(t, s, later, reported(&ended, 1, notify.Undelivered))
	e := newEvent("CH-30", "c-1", "picked_up", 30)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.Push, "sub-1")}
	add(t, s, b)
	pushed := notify.Outcome{Message: b.Messages[0].ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
	pushed.Attempt.ProviderID = "https://push.example.com/1"
	finish(t, s, pushed)
	met := map[notify.ID]bool{}
	for _, m := range silent(t, s, later.Add(10*time.Minute)) {
		met[m.ID] = true
	}
	if len(met) != 2 || !met[sent.ID] || !met[settled.ID] {
		t.Errorf("%d texts are silent, want the sent and the settled one", len(met))
	}
}
