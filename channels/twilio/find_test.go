package twilio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// simulate starts a Twilio and a sender for it.
func simulate(t *testing.T, opt twiliotest.Options, change ...func(*twilio.Config)) (*twiliotest.Server, *twilio.Sender) {
	t.Helper()
	opt.AccountSID, opt.APIKey, opt.APISecret = good().AccountSID, good().APIKey, good().APISecret
	sim := twiliotest.New(opt)
	t.Cleanup(func() { _ = sim.Close() })
	base, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return sim, newSender(t, base, change...)
}

func send(t *testing.T, s *twilio.Sender, m *notify.Message) string {
	t.Helper()
	a := s.Send(t.Context(), m)
	if a.Verdict != notify.Took {
		t.Fatalf("got %+v", a)
	}
	return a.ProviderID
}

func names(found []notify.Report) (out []string) {
	for _, r := range found {
		out = append(out, r.ProviderID)
	}
	return out
}

// The text whose answer was lost is found; others to the same number, and the same to others, are not.
func TestFind(t *testing.T) {
	clock := time.Date(2026, 11, 21, 23, 59, 58, 0, time.UTC)
	sim, s := simulate(t, twiliotest.Options{
		Now:    func() time.Time { return clock },
		Faults: func(r twiliotest.Request) twiliotest.Fault { return lost(r.N == 4) },
		Undelivered: func(m twiliotest.Message) int {
			if strings.Contains(m.Body, "lost") {
				return 30003
			}
			return 0
		},
	})
	s.Now = func() time.Time { return clock }
	m := func(to, body string) *notify.Message {
		m := text()
		m.Address, m.Body, m.ExpiresAt = to, body, clock.Add(time.Hour)
		return m
	}
	send(t, s, m("+14155550123", "lost")) // before the window
	clock = clock.Add(4 * time.Second)    // over midnight
	send(t, s, m("+14155550123", "another"))
	send(t, s, m("+14155550124", "lost"))
	ours := m("+14155550123", "lost")
	if a := s.Send(t.Context(), ours); a.Verdict != notify.Unclear {
		t.Fatalf("got %+v", a)
	}
	found, err := s.Find(t.Context(), ours, clock.Add(-2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	want := []notify.Report{{
		ProviderID: sim.Accepted()[3].SID, State: notify.Undelivered, Reason: notify.NotReached, Code: 30003, At: clock,
		Detail: "Twilio reports undelivered, code 30003: the phone is off or out of reach",
	}}
	if d := cmp.Diff(want, found); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for name, tt := range map[string]struct {
		m     *notify.Message
		since time.Time
		want  int
	}{
		"both":                 {ours, clock.Add(-time.Hour), 2},
		"in the same second":   {ours, clock.Add(999 * time.Millisecond), 1},
		"after it":             {ours, clock.Add(time.Second), 0},
		"another text":         {m("+14155550123", "lost?"), clock.Add(-time.Hour), 0},
		"a number without any": {m("+14155550125", "lost"), clock.Add(-time.Hour), 0},
	} {
		found, err := s.Find(t.Context(), tt.m, tt.since)
		if err != nil || len(found) != tt.want {
			t.Errorf("%s: found %d, %v", name, len(found), err)
		}
	}
	got, err := s.Fetch(t.Context(), want[0].ProviderID)
	if d := cmp.Diff(want[0], got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

func lost(yes bool) twiliotest.Fault {
	if yes {
		return twiliotest.Fault{Kind: twiliotest.LateDrop}
	}
	return twiliotest.Fault{}
}

// A text that waits in Twilio's queue has no date of sending and no sender yet: it is found all the same.
func TestFindQueued(t *testing.T) {
	for name, change := range map[string]func(*twilio.Config){
		"messaging service": func(*twilio.Config) {},
		"number":            func(c *twilio.Config) { c.MessagingServiceSID, c.From = "", "+14155550100" },
	} {
		t.Run(name, func(t *testing.T) {
			hold := make(chan struct{})
			hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
			t.Cleanup(hook.Close)
			_, s := simulate(t, twiliotest.Options{StatusCallbacks: true}, change, func(c *twilio.Config) { c.PublicURL = hook.URL })
			t.Cleanup(func() { close(hold) })
			m := text()
			sid := send(t, s, m)
			found, err := s.Find(t.Context(), m, time.Now().Add(-time.Minute))
			want := []notify.Report{{ProviderID: sid, State: notify.Accepted}}
			if d := cmp.Diff(want, found, cmpopts.IgnoreFields(notify.Report{}, "At")); d != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, d)
			}
		})
	}
}

// Until the list shows a text it is absent: the caller waits for longer than the lag.
func TestFindLag(t *testing.T) {
	clock := time.Now()
	_, s := simulate(t, twiliotest.Options{Lag: 2 * time.Second, Now: func() time.Time { return clock }})
	m := text()
	sid := send(t, s, m)
	for i, want := range [][]string{nil, {sid}} {
		found, err := s.Find(t.Context(), m, clock.Add(-time.Minute))
		if d := cmp.Diff(want, names(found)); d != "" || err != nil {
			t.Errorf("look %d: %v %s", i, err, d)
		}
		clock = clock.Add(2 * time.Second)
	}
}

func TestFindPages(t *testing.T) {
	clock := time.Now().Add(-100 * time.Hour)
	lists := 0
	_, s := simulate(t, twiliotest.Options{
		Now:        func() time.Time { return clock },
		ListFaults: func(n int) twiliotest.Fault { lists = n; return twiliotest.Fault{} },
	})
	s.Now = func() time.Time { return clock }
	m := text()
	since := clock
	m.ExpiresAt = clock.Add(time.Hour)
	first := send(t, s, m)
	m.Body = "another"
	fill := func(n int) {
		for range n {
			send(t, s, m)
		}
	}
	look := func(since time.Time, want []string, pages int) {
		t.Helper()
		before := lists
		ours := *m
		ours.Body = text().Body
		found, err := s.Find(t.Context(), &ours, since)
		if d := cmp.Diff(want, names(found)); d != "" || err != nil || lists-before != pages {
			t.Errorf("%d pages, want %d; %v %s", lists-before, pages, err, d)
		}
	}
	fill(99)
	look(since, []string{first}, 1)
	fill(1)
	look(since, []string{first}, 2)
	fill(899)
	look(since, []string{first}, 10)
	clock = clock.Add(25 * time.Hour)
	look(clock, nil, 1) // what is older by a day is not read
	m.ExpiresAt = clock.Add(time.Hour)
	fill(1)
	if found, err := s.Find(t.Context(), m, since); err == nil || !strings.Contains(err.Error(), "more than 1000 texts") {
		t.Errorf("found %d of more than the bound, %v", len(found), err)
	}
	look(clock, nil, 2)
}

// Nothing but Twilio's own list proves that a text is absent.
func TestFindFails(t *testing.T) {
	for _, tt := range []struct {
		kind twiliotest.Kind
		want string
	}{
		{twiliotest.TooMany, "Twilio answered 429, code 20429: too many requests"},
		{twiliotest.ServerError, "Twilio answered 500, code 20500"},
		{twiliotest.Dropped, "no answer: the connection was cut"},
		{twiliotest.Hang, "context deadline exceeded"},
		{twiliotest.HTML, "could not be read"},
		{twiliotest.Truncated, "could not be read"},
		{twiliotest.Unauthorized, "Twilio answered 401, code 20003: the credentials are not accepted"},
		{twiliotest.Refused, "Twilio answered 400, code 21211"},
	} {
		t.Run(fmt.Sprint("kind ", tt.kind), func(t *testing.T) {
			_, s := simulate(t, twiliotest.Options{ListFaults: func(n int) twiliotest.Fault {
				if n > 1 { // the first page is good
					return twiliotest.Fault{Kind: tt.kind, RetryAfter: "1"}
				}
				return twiliotest.Fault{}
			}})
			m, sid := text(), ""
			for range 101 {
				sid = send(t, s, m)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			found, err := s.Find(ctx, m, time.Now().Add(-time.Hour))
			if err == nil || !strings.Contains(err.Error(), tt.want) || found != nil {
				t.Errorf("Find: %d, %v", len(found), err)
			}
			noSecrets(t, fmt.Sprint(err))
			_, err = s.Fetch(ctx, sid)
			if err == nil || errors.Is(err, notify.ErrNoSuchText) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Fetch: %v", err)
			}
			noSecrets(t, fmt.Sprint(err))
		})
	}
}

// silent is a transport that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: r.Context().Err()}
}

// One page has ten seconds, also where the caller sets no bound; and a caller that gives up is obeyed.
func TestFindTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := twilio.New(good(), silent{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = s.Find(t.Context(), text(), began)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		noSecrets(t, fmt.Sprint(err))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err = s.Fetch(ctx, someSID); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
	})
}
