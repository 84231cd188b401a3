package notifytest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"onmyway/notify"
)

// patience bounds, in these tests, what must end by itself.
const patience = 10 * time.Second

// TestSender proves that a channel over HTTP keeps the contract of notify.Sender, whatever the provider answers. newSender
// makes a sender whose provider is at url (plain HTTP on loopback, any path); the address of a message leads to it. The
// provider's yes is a 201 with a Location and with a JSON object that has a "sid".
func TestSender(t *testing.T, newSender func(t *testing.T, url string) notify.Sender) {
	st := senderTest{newSender}
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"yes", st.yes},
		{"every status has an answer", st.everyStatus},
		{"details hold no secret", st.details},
		{"slow down, in seconds", st.slowDown},
		{"slow down, by date", st.slowDownDate},
		{"out of time", st.outOfTime},
		{"canceled before", st.canceledBefore},
		{"canceled while it waits", st.canceledWaiting},
		{"connection lost", st.lost},
		{"kept connection lost", st.keptLost},
		{"nobody listens", st.refused},
		{"redirect", st.redirect},
		{"endless answer", st.endless},
		{"many at once", st.concurrent},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) }) // the first to be registered runs last: the provider is gone
			c.run(t)
		})
	}
}

// sendOne is one Send that must end in good time.
func sendOne(t *testing.T, ctx context.Context, s notify.Sender) notify.Answer {
	t.Helper()
	done := make(chan notify.Answer, 1)
	go func() { done <- s.Send(ctx, senderMessage(1)) }()
	select {
	case a := <-done:
		checkAnswer(t, a)
		return a
	case <-time.After(patience):
		t.Fatalf("Send did not return within %v", patience)
		return notify.Answer{}
	}
}

// checkAnswer holds for every answer.
func checkAnswer(t *testing.T, a notify.Answer) {
	t.Helper()
	switch a.Verdict {
	case notify.Took:
		if a.Reason != "" {
			t.Errorf("took, and yet a reason: %+v", a)
		}
	case notify.NotTaken, notify.Unclear, notify.Permanent, notify.Gone:
		if a.Reason == "" || a.Detail == "" {
			t.Errorf("no reason or no detail: %+v", a)
		}
	default:
		t.Errorf("unknown verdict: %+v", a)
	}
	if a.RetryAfter < 0 {
		t.Errorf("retry after %v", a.RetryAfter)
	}
}

func (st senderTest) yes(t *testing.T) {
	p, s := st.provider(t, sayYes)
	if a := sendOne(t, t.Context(), s); a.Verdict != notify.Took || a.Status != http.StatusCreated {
		t.Errorf("got %+v, want took with status 201", a)
	}
	p.want(t, 1)
}

func (st senderTest) everyStatus(t *testing.T) {
	var status atomic.Int64
	_, s := st.provider(t, func(_ *fakeProvider, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
	})
	for code := 200; code < 600; code++ {
		status.Store(int64(code))
		a := sendOne(t, t.Context(), s)
		if code >= 300 && a.Verdict == notify.Took {
			t.Errorf("status %d is taken for a yes: %+v", code, a)
		}
		if a.Status != code {
			t.Errorf("status %d is reported as %d", code, a.Status)
		}
	}
}

func (st senderTest) details(t *testing.T) {
	m := senderMessage(1)
	for _, code := range []int{200, 302, 400, 401, 403, 404, 410, 413, 429, 500, 503} {
		p, s := st.provider(t, func(p *fakeProvider, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"code":21211,"message":"%s %s %s","status":%d}`, m.Address, m.Body, p.url, code)
		})
		a := sendOne(t, t.Context(), s)
		for _, secret := range []string{m.Address, m.Body, strings.TrimPrefix(p.url, "http://")} {
			if strings.Contains(a.Detail, secret) {
				t.Errorf("status %d: the detail quotes %q: %s", code, secret, a.Detail)
			}
		}
	}
}

func (st senderTest) slowDown(t *testing.T) {
	p, s := st.provider(t, func(_ *fakeProvider, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	a := sendOne(t, t.Context(), s)
	if a.Verdict != notify.NotTaken || a.Reason != notify.RateLimited || a.RetryAfter != 7*time.Second {
		t.Errorf("got %+v, want not taken, rate limited, 7 s", a)
	}
	p.want(t, 1)
}

func (st senderTest) slowDownDate(t *testing.T) {
	_, s := st.provider(t, func(_ *fakeProvider, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	a := sendOne(t, t.Context(), s)
	if a.Verdict != notify.NotTaken || a.RetryAfter < 45*time.Second || a.RetryAfter > time.Minute {
		t.Errorf("got %+v, want not taken and about a minute", a)
	}
}

func (st senderTest) outOfTime(t *testing.T) {
	p, s := st.provider(t, sayNothing)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if a := sendOne(t, ctx, s); a.Verdict != notify.Unclear && a.Verdict != notify.NotTaken {
		t.Errorf("got %+v: no answer is neither a yes nor a final no", a)
	}
	p.want(t, 1)
}

func (st senderTest) canceledBefore(t *testing.T) {
	p, s := st.provider(t, sayYes)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := sendOne(t, ctx, s); a.Verdict != notify.NotTaken {
		t.Errorf("got %+v, want not taken: nothing was sent", a)
	}
	p.want(t, 0)
}

func (st senderTest) canceledWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, s := st.provider(t, func(p *fakeProvider, w http.ResponseWriter, r *http.Request) {
		cancel()
		sayNothing(p, w, r)
	})
	if a := sendOne(t, ctx, s); a.Verdict != notify.Unclear && a.Verdict != notify.NotTaken {
		t.Errorf("got %+v: no answer is neither a yes nor a final no", a)
	}
	p.want(t, 1)
}

func (st senderTest) lost(t *testing.T) {
	p, s := st.provider(t, hangUp)
	if a := sendOne(t, t.Context(), s); a.Verdict != notify.Unclear && a.Verdict != notify.NotTaken {
		t.Errorf("got %+v: a lost connection is neither a yes nor a final no", a)
	}
	p.want(t, 1)
}

// keptLost is where clients repeat behind one's back: the connection was used before and breaks under the second request.
func (st senderTest) keptLost(t *testing.T) {
	p, s := st.provider(t, func(p *fakeProvider, w http.ResponseWriter, r *http.Request) {
		if p.requests.Load() > 1 {
			hangUp(p, w, r)
		}
		sayYes(p, w, r)
	})
	if a := sendOne(t, t.Context(), s); a.Verdict != notify.Took {
		t.Fatalf("got %+v, want took", a)
	}
	if a := sendOne(t, t.Context(), s); a.Verdict != notify.Unclear && a.Verdict != notify.NotTaken {
		t.Errorf("got %+v: a lost connection is neither a yes nor a final no", a)
	}
	p.want(t, 2)
}

func (st senderTest) refused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a := sendOne(t, t.Context(), st.newSender(t, url))
	if a.Verdict != notify.NotTaken || a.Reason != notify.Unreachable {
		t.Errorf("got %+v, want not taken, unreachable", a)
	}
}

func (st senderTest) redirect(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		canary, _ := st.provider(t, sayYes)
		p, s := st.provider(t, func(_ *fakeProvider, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, canary.url+"/elsewhere", code)
		})
		if a := sendOne(t, t.Context(), s); a.Verdict == notify.Took || a.Status != code {
			t.Errorf("status %d: got %+v", code, a)
		}
		p.want(t, 1)
		canary.want(t, 0)
	}
}

// endless answers with a body that has no end: the sender reads a bounded part and goes on.
func (st senderTest) endless(t *testing.T) {
	const enough = 64 << 20 // bytes: far above any bound plus what lies in the buffers of a connection
	for _, code := range []int{201, 400, 500} {
		var wrote atomic.Int64
		_, s := st.provider(t, func(p *fakeProvider, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			chunk := []byte(strings.Repeat("a", 64<<10))
			for wrote.Load() < enough {
				n, err := w.Write(chunk)
				if wrote.Add(int64(n)); err != nil {
					return
				}
			}
		})
		sendOne(t, t.Context(), s)
		if wrote.Load() >= enough {
			t.Errorf("status %d: the sender read %d bytes of an answer", code, wrote.Load())
		}
	}
}

func (st senderTest) concurrent(t *testing.T) {
	const senders, each = 16, 10
	p, s := st.provider(t, sayYes)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := range each {
				if a := s.Send(t.Context(), senderMessage(i*each+n)); a.Verdict != notify.Took {
					t.Errorf("got %+v, want took", a)
				}
			}
		})
	}
	wg.Wait()
	p.want(t, senders*each)
}
