package notifytest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/notify"
)

// sentAt stores one SMS that the provider accepted at a time, and returns it as a resend would make it.
func sentAt(t *testing.T, s Truth, at time.Time) *notify.Resend {
	t.Helper()
	m := addSent(t, s, 1)
	begin(t, s, noon, &m, true)
	done := notify.Outcome{Message: m.ID, State: notify.Accepted, Attempt: attempt(1, notify.Took)}
	if err := s.Finish(t.Context(), at, []notify.Outcome{done}); err != nil {
		t.Fatal(err)
	}
	m.ExpiresAt = noon.Add(24 * time.Hour)
	return &notify.Resend{Message: m, Of: m.ID, Why: "never came"}
}

func resendJustSent(t *testing.T, nodes Nodes) {
	s := nodes(t)
	r := sentAt(t, s, noon)
	for _, step := range []struct {
		name    string
		at      time.Duration
		channel notify.Channel
		force   bool
		refused string // the detail of the refusal
	}{
		{"it left 12 seconds ago", 12 * time.Second, notify.SMS, false, "12 seconds ago"},
		{"another channel", 12 * time.Second, notify.Push, false, ""},
		{"one moment too early", notify.JustSent - time.Millisecond, notify.SMS, false, "29 seconds ago"},
		{"late enough", notify.JustSent, notify.SMS, false, ""},
		{"a resend waits", notify.JustSent + 5*time.Second, notify.SMS, false, "5 seconds ago"},
		{"a clock that is behind", 0, notify.SMS, false, "0 seconds ago"},
		{"by force", notify.JustSent + 5*time.Second, notify.SMS, true, ""},
	} {
		ask := *r
		ask.Channel, ask.Force = step.channel, step.force
		_, _, err := s.AddResend(t.Context(), By("ann", noon.Add(step.at)), &ask)
		refusal := (*notify.Refusal)(nil)
		switch errors.As(err, &refusal); {
		case step.refused == "" && err != nil:
			t.Errorf("%s: %v", step.name, err)
		case step.refused != "" && (refusal == nil || refusal.Code != notify.RefuseJustSent || !strings.Contains(refusal.Detail, step.refused)):
			t.Errorf("%s: got %v, want a refusal that says %q", step.name, err, step.refused)
		}
	}
	verify(t, s, 3) // refusals are no acts
}

// A resend that failed is no reason to wait.
func resendFailed(t *testing.T, nodes Nodes) {
	s := nodes(t)
	r := sentAt(t, s, noon.Add(-time.Hour))
	id, _, err := s.AddResend(t.Context(), By("ann", noon), r)
	if err != nil {
		t.Fatal(err)
	}
	m := claim(t, s, noon, notify.SMS, 1)[0]
	begin(t, s, noon, &m, true)
	finish(t, s, notify.Outcome{Message: id, State: notify.Failed, Reason: notify.BadAddress, Attempt: attempt(1, notify.Permanent)})
	if _, _, err := s.AddResend(t.Context(), By("ann", noon.Add(2*time.Second)), r); err != nil {
		t.Errorf("a resend after one that failed: %v", err)
	}
}

// Fifty people help the same customer at the same time.
func resendParallel(t *testing.T, nodes Nodes) {
	both := []Truth{nodes(t), nodes(t)}
	r := sentAt(t, both[0], noon.Add(-time.Hour))
	var all sync.WaitGroup
	var made, refused atomic.Int64
	for i := range 50 {
		all.Go(func() {
			ask := *r
			ask.Key = notify.Idempotent{Principal: "ann", Key: fmt.Sprint("k-", i)}
			_, again, err := both[i%2].AddResend(t.Context(), By("ann", noon), &ask)
			refusal := (*notify.Refusal)(nil)
			switch {
			case err == nil && !again:
				made.Add(1)
			case errors.As(err, &refusal) && refusal.Code == notify.RefuseJustSent:
				refused.Add(1)
			default:
				t.Errorf("call %d: again %v, %v", i, again, err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || refused.Load() != 49 {
		t.Errorf("%d messages were made and %d refused, want 1 and 49", made.Load(), refused.Load())
	}
	if got := claim(t, both[1], noon, notify.SMS, 10); len(got) != 1 {
		t.Errorf("%d messages wait, want 1", len(got))
	}
	verify(t, both[0], 1)
}

// The same call from two nodes at once makes one message, and both learn its id.
func resendRepeats(t *testing.T, nodes Nodes) {
	both := []Truth{nodes(t), nodes(t)}
	r := sentAt(t, both[0], noon.Add(-time.Hour))
	r.Key, r.Force = notify.Idempotent{Principal: "ann", Key: "k"}, true
	ids := make([]notify.ID, 10)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			var err error
			if ids[i], _, err = both[i%2].AddResend(t.Context(), By("ann", noon), r); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("a call made %s, another %s", id, ids[0])
		}
	}
	want := fmt.Sprintf(`message.resend message:%s {"channel":"sms","force":true,"of":"%s","reason_given":true}`, ids[0], r.Of)
	if got := deeds(audit(t, both[1])); len(got) != 1 || got[0] != want {
		t.Errorf("audit %q, want %q", got, want)
	}
}

// A first text that may still arrive makes a resend from the push or the live page wait, whatever was known when it was asked.
func resendUnsettled(t *testing.T, nodes Nodes) {
	for state, want := range map[notify.State]string{
		notify.Pending: notify.RefusePending, notify.Sending: notify.RefusePending, notify.Verify: notify.RefuseVerify, notify.Accepted: "",
	} {
		s := nodes(t)
		b := batchOf(newEvent("CH-"+string(state), "c-1", "picked_up", 1))
		add(t, s, b)
		m := b.Messages[0]
		if state != notify.Pending {
			begin(t, s, noon, &m, true)
			if state != notify.Sending {
				stages[state](t, s, &m)
			}
		}
		stands(t, s, m.ID, state, entry(t, s, m.ID).Reason)
		ask := notify.Resend{Message: m, Of: m.EventID, Force: true}
		ask.ExpiresAt = noon.Add(24 * time.Hour)
		_, _, err := s.AddResend(t.Context(), By("ann", noon.Add(time.Hour)), &ask)
		refusal := (*notify.Refusal)(nil)
		switch errors.As(err, &refusal); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", state, err)
		case want != "" && (refusal == nil || refusal.Code != want):
			t.Errorf("%s: got %v, want a refusal %s", state, err, want)
		}
		ask.Address = "+14155550999" // the customer has another number meanwhile
		if _, _, err := s.AddResend(t.Context(), By("ann", noon.Add(time.Hour)), &ask); err != nil {
			t.Errorf("%s, to another number: %v", state, err)
		}
	}
}
