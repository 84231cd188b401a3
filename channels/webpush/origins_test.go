package webpush_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

// TestDeadPushServiceDelaysNoOther: one push service fails and is left alone, the other one takes what comes.
func TestDeadPushServiceDelaysNoOther(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault webpushtest.Fault
	}{
		{"down", webpushtest.Fault{Status: http.StatusServiceUnavailable}},
		{"presses us to slow down", webpushtest.Fault{Status: http.StatusTooManyRequests}},
		{"refuses our keys", webpushtest.Fault{Status: http.StatusForbidden}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32
			var well atomic.Bool
			clock := time.Now()
			shift := func(c *webpush.Config) { c.Breaker, c.Now = 0.5, func() time.Time { return clock } }
			l := newLab(t, webpushtest.Options{Fault: func(webpushtest.Request) webpushtest.Fault {
				if asked.Add(1); well.Load() {
					return webpushtest.Fault{}
				}
				return tt.fault
			}}, shift)
			other := newLab(t, webpushtest.Options{})
			l.subs[other.sub.ID] = other.sub

			for range 40 {
				l.sender.Send(t.Context(), message(l.sub.ID))
			}
			if n := asked.Load(); n != 20 || l.sender.Paused() != 1 {
				t.Fatalf("asked %d times, %d left alone; want 20 and 1", n, l.sender.Paused())
			}
			a := l.sender.Send(t.Context(), message(l.sub.ID))
			if !a.Skipped || a.Verdict != notify.NotTaken || a.Reason != notify.ProviderDown || a.RetryAfter < time.Second || a.Detail == "" {
				t.Errorf("answer %+v, want one that was skipped", a)
			}
			if a := l.sender.Send(t.Context(), message(other.sub.ID)); a.Skipped || a.Status == 0 {
				t.Errorf("the other push service was not asked: %+v", a)
			}
			clock = clock.Add(a.RetryAfter)
			well.Store(true)
			if a := l.sender.Send(t.Context(), message(l.sub.ID)); a.Verdict != notify.Took || l.sender.Paused() != 0 {
				t.Errorf("the probe: %+v, %d left alone", a, l.sender.Paused())
			}
		})
	}
}

func TestOriginsAreBounded(t *testing.T) {
	o := webpush.NewOrigins(0.5)
	now := time.Now()
	fail := func(endpoint string) {
		b := o.Of(endpoint)
		for range 20 {
			if p, ok := b.Ask(now); ok {
				b.Answered(p, notify.Answer{Verdict: notify.NotTaken}, now)
			}
		}
	}
	fail("https://dead.example/1")
	for i := range 2000 {
		o.Of(fmt.Sprintf("https://%d.example/1", i))
	}
	if n := o.Len(); n > 512 {
		t.Errorf("%d origins are kept", n)
	}
	if _, ok := o.Of("https://dead.example/another").Ask(now); ok {
		t.Error("the one that fails was forgotten before those that work")
	}
	for i := range 2000 {
		fail(fmt.Sprintf("https://dead-%d.example/1", i))
	}
	if n := o.Len(); n > 512 {
		t.Errorf("%d origins that fail are kept", n)
	}
}
