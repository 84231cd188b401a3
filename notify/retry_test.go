package notify_test

import (
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/templates"
)

func TestAfter(t *testing.T) {
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	tests := []struct {
		name       string
		answer     notify.Answer
		attempt    int
		repeatable bool
		expires    time.Time
		state      notify.State
		reason     notify.Reason
		due        time.Time
		forget     string
	}{
		{"taken", notify.Answer{Verdict: notify.Took}, 1, false, in(time.Hour), notify.Accepted, "", time.Time{}, ""},
		{"unclear text", notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}, 1, false, in(time.Hour), notify.Verify, notify.UnclearEnd, time.Time{}, ""},
		{"unclear push is repeated", notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}, 1, true, in(time.Hour), notify.Pending, notify.UnclearEnd, in(time.Second), ""},
		{"refused for now", notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable}, 3, false, in(time.Hour), notify.Pending, notify.Unreachable, in(4 * time.Second), ""},
		{"told when to come back", notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: time.Minute}, 1, false, in(time.Hour), notify.Pending, notify.RateLimited, in(time.Minute), ""},
		{"told to come back next year", notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: 9000 * time.Hour}, 1, false, in(9 * time.Hour), notify.Pending, notify.RateLimited, in(time.Hour), ""},
		{"no longer true by then", notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: time.Minute}, 1, false, in(time.Minute), notify.Suppressed, notify.Expired, in(time.Minute), ""},
		{"refused for the hundredth time", notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable}, 100, false, in(time.Hour), notify.Pending, notify.Unreachable, in(150 * time.Second), ""},
		{"unclear too often", notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}, 20, true, in(time.Hour), notify.Failed, notify.GaveUp, time.Time{}, ""},
		{"told that the customer does not want it", notify.Answer{Verdict: notify.Permanent, Reason: notify.Stopped}, 1, false, in(time.Hour), notify.Suppressed, notify.Stopped, time.Time{}, ""},
		{"bad number", notify.Answer{Verdict: notify.Permanent, Reason: notify.BadAddress}, 1, false, in(time.Hour), notify.Failed, notify.BadAddress, time.Time{}, ""},
		{"late", notify.Answer{Verdict: notify.Permanent, Reason: notify.Expired}, 1, false, in(0), notify.Suppressed, notify.Expired, time.Time{}, ""},
		{"device gone", notify.Answer{Verdict: notify.Gone, Reason: notify.BadAddress}, 1, true, in(time.Hour), notify.Failed, notify.BadAddress, time.Time{}, "device"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &notify.Message{Address: "device", ExpiresAt: tt.expires}
			o := notify.After(m, tt.answer, notify.Attempt{No: tt.attempt}, tt.repeatable, noon, 0.5)
			if o.State != tt.state || o.Reason != tt.reason || !o.DueAt.Equal(tt.due) || o.Forget != tt.forget {
				t.Errorf("got %s/%s due %s forget %q; want %s/%s due %s forget %q",
					o.State, o.Reason, o.DueAt, o.Forget, tt.state, tt.reason, tt.due, tt.forget)
			}
			if o.Attempt.Verdict != tt.answer.Verdict || !o.Attempt.FinishedAt.Equal(noon) {
				t.Errorf("the attempt says %+v", o.Attempt)
			}
		})
	}
}

func facts(t *testing.T, data []byte) templates.Facts {
	t.Helper()
	f, err := templates.ParseFacts(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
