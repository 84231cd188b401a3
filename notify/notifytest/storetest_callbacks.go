package notifytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/notify"
)

// reportAnyOrder lets the callbacks of one text and our own end of its attempt come in any order, some of them again and
// some never: as long as the end is among the callbacks, the message ends in the same way.
func reportAnyOrder(t *testing.T, nodes Nodes) {
	s := nodes(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := staged(t, s, n, notify.Sending)
		ends := []notify.State{notify.Delivered, notify.Undelivered, notify.Failed}
		end := rapid.SampledFrom(ends).Draw(rt, "end")
		outcome := notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
		switch rapid.SampledFrom([]string{"took", "unclear", "not taken"}).Draw(rt, "answer") {
		case "took":
			outcome.Attempt.ProviderID = reported(&m, 1, end).ProviderID
		case "unclear":
			outcome.State, outcome.Reason = notify.Verify, notify.UnclearEnd
		case "not taken": // a provider that takes it and says that it did not
			outcome.State, outcome.Reason, outcome.DueAt = notify.Pending, notify.RateLimited, noon.Add(24*time.Hour)
		}
		said := map[string]func(at time.Time){"our own": func(time.Time) { finish(t, s, outcome) }}
		steps := []string{string(end)}
		for _, state := range []notify.State{notify.Accepted, notify.Sent, end} {
			said[string(state)] = func(at time.Time) { report(t, s, at, reported(&m, 1, state)) }
			for range rapid.IntRange(0, 3).Draw(rt, "times "+string(state)) {
				steps = append(steps, string(state))
			}
		}
		finishes := rapid.IntRange(0, 2).Draw(rt, "times our own")
		for range finishes {
			steps = append(steps, "our own")
		}
		steps = rapid.Permutation(steps).Draw(rt, "steps")
		for i, step := range steps {
			said[step](later.Add(time.Duration(i) * time.Second))
		}
		if problem := endsAs(t, s, &m, end, min(finishes, 1)); problem != "" {
			rt.Fatalf("after %v: %s", steps, problem)
		}
	})
	if got := claim(t, s, noon.Add(48*time.Hour), notify.SMS, 10); len(got) != 0 {
		t.Errorf("claimed %d messages that have ended", len(got))
	}
}

// endsAs says what is wrong with a message that should have ended in a state; empty for nothing.
func endsAs(t *testing.T, s Truth, m *notify.Message, end notify.State, attempts int) string {
	t.Helper()
	e := entry(t, s, m.ID)
	want := reported(m, 1, end)
	switch last := len(e.History) - 1; {
	case e.State != end || e.Reason != want.Reason:
		return fmt.Sprintf("it is %s (%q), want %s (%q)", e.State, e.Reason, end, want.Reason)
	case e.ProviderID != want.ProviderID || e.Attempt != 1:
		return fmt.Sprintf("it is %q at attempt %d", e.ProviderID, e.Attempt)
	case len(e.Attempts) != attempts:
		return fmt.Sprintf("it has %d attempts on record, want %d", len(e.Attempts), attempts)
	case last < 0 || e.History[last].State != end:
		return fmt.Sprintf("its history is %v", e.History)
	}
	return ""
}

// A report that says nothing new counts no attempt, whatever attempt it names.
func reportOfNoAttempt(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := staged(t, s, 1, notify.Delivered)
	before := entry(t, s, m.ID)
	again := reported(&m, 1, notify.Delivered)
	again.Attempt = 2
	report(t, s, later.Add(time.Hour), again)
	if diff := cmp.Diff(before, entry(t, s, m.ID)); diff != "" {
		t.Error("a report that comes again under the next attempt (-before +after):\n" + diff)
	}
}
