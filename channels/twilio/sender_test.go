package twilio_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/outhttp"
	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// newSender makes a sender whose Twilio is at base, with connections of its own.
func newSender(t *testing.T, base string, change ...func(*twilio.Config)) *twilio.Sender {
	t.Helper()
	transport := outhttp.Transport(outhttp.Guard{Private: true, Insecure: true})
	t.Cleanup(transport.CloseIdleConnections)
	cfg := good()
	cfg.BaseURL = base
	for _, f := range change {
		f(&cfg)
	}
	s, err := twilio.New(cfg, transport, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text is a message that is good for ten minutes.
func text() *notify.Message {
	now := time.Now()
	return &notify.Message{
		ID: notify.NewID(now, "text"), Channel: notify.SMS, Address: "+14155550123", Body: "Your driver is on the way",
		Attempt: 2, ExpiresAt: now.Add(10 * time.Minute),
	}
}

func TestConformance(t *testing.T) {
	notifytest.TestSender(t, func(t *testing.T, url string) notify.Sender { return newSender(t, url) })
}

// What leaves is exactly this.
func TestRequest(t *testing.T) {
	m := text()
	now := m.ExpiresAt.Add(-90500 * time.Millisecond)
	common := url.Values{"To": {m.Address}, "Body": {m.Body}, "ValidityPeriod": {"90"}}
	with := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		for k := range common {
			v[k] = common[k]
		}
		return v
	}
	callback := twilio.StatusPath + m.ID.String() + "-2"
	service := good().MessagingServiceSID
	for _, tt := range []struct {
		name           string
		change         func(*twilio.Config)
		user, password string
		path           string // before Twilio's own
		form           url.Values
	}{
		{"API key", func(*twilio.Config) {}, good().APIKey, good().APISecret, "", with("MessagingServiceSid", service)},
		{
			"auth token", func(c *twilio.Config) { c.APIKey, c.APISecret = "", "" },
			good().AccountSID, good().AuthToken, "", with("MessagingServiceSid", service),
		},
		{
			"a number and callbacks",
			func(c *twilio.Config) {
				c.MessagingServiceSID, c.From, c.PublicURL = "", "+14155550100", "https://track.example.com"
			},
			good().APIKey, good().APISecret, "",
			with("From", "+14155550100", "StatusCallback", "https://track.example.com"+callback+"#rc=5&rp=all"),
		},
		{
			"below paths", func(c *twilio.Config) { c.BaseURL += "/proxy/"; c.PublicURL = "https://example.com/onmyway/" },
			good().APIKey, good().APISecret, "/proxy",
			with("MessagingServiceSid", service, "StatusCallback", "https://example.com/onmyway"+callback+"#rc=5&rp=all"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TWILIO_REGION", "ie1") // has no effect
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				if d := cmp.Diff(tt.form, r.PostForm); d != "" {
					t.Errorf("form (-want +got):\n%s", d)
				}
				if user, password, _ := r.BasicAuth(); user != tt.user || password != tt.password {
					t.Errorf("sent by %q", user)
				}
				want := tt.path + "/2010-04-01/Accounts/" + good().AccountSID + "/Messages.json"
				if r.Method != http.MethodPost || r.RequestURI != want || !strings.HasPrefix(r.Host, "127.0.0.1:") {
					t.Errorf("%s %s at %s", r.Method, r.RequestURI, r.Host)
				}
				for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "X-Twilio-Apiversion"} {
					if r.Header.Get(name) != "" {
						t.Errorf("%s is set: the request might be sent twice", name)
					}
				}
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write([]byte(`{"sid":"SM1"}`))
			}))
			defer srv.Close()
			s := newSender(t, srv.URL, tt.change)
			s.Now = func() time.Time { return now }
			if a := s.Send(t.Context(), m); a.Verdict != notify.Took {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestValidity(t *testing.T) {
	sim := twiliotest.New(twiliotest.Options{
		AccountSID: good().AccountSID, APIKey: good().APIKey, APISecret: good().APISecret,
	})
	defer sim.Close()
	base, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		left time.Duration
		want int // seconds; 0: not sent
	}{
		{"long past", -time.Hour, 0},
		{"now", 0, 0},
		{"less than a second", 999 * time.Millisecond, 0},
		{"one second", time.Second, 1},
		{"part of a second", 1999 * time.Millisecond, 1},
		{"ten hours", 10 * time.Hour, 36000},
		{"two days", 48 * time.Hour, 36000},
		{"longer than time can count", 1 << 62, 36000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSender(t, base)
			m := text()
			s.Now = func() time.Time { return m.ExpiresAt.Add(-tt.left) }
			before := sim.Requests()
			a := s.Send(t.Context(), m)
			if tt.want == 0 {
				if a.Verdict != notify.Permanent || a.Reason != notify.Expired || sim.Requests() != before {
					t.Errorf("got %+v after %d requests", a, sim.Requests()-before)
				}
				return
			}
			sent := sim.Accepted()
			if a.Verdict != notify.Took || sent[len(sent)-1].ValidityPeriod != tt.want {
				t.Errorf("got %+v, valid for %d s, want %d", a, sent[len(sent)-1].ValidityPeriod, tt.want)
			}
			if a.ProviderID != sent[len(sent)-1].SID {
				t.Errorf("provider id %s, want %s", a.ProviderID, sent[len(sent)-1].SID)
			}
		})
	}
}

// Whatever the simulated Twilio does, the verdict agrees with its ledger: Took is in it, NotTaken and Permanent are not.
func TestVerdictsAgreeWithLedger(t *testing.T) {
	sim := twiliotest.New(twiliotest.Options{
		AccountSID: good().AccountSID, APIKey: good().APIKey, APISecret: good().APISecret, Seed: 1,
		Faults: twiliotest.Mix(1, map[twiliotest.Kind]float64{
			twiliotest.TooMany: 0.1, twiliotest.ServerError: 0.1, twiliotest.LateError: 0.1, twiliotest.Dropped: 0.1,
			twiliotest.LateDrop: 0.1, twiliotest.HTML: 0.1, twiliotest.Truncated: 0.1, twiliotest.Refused: 0.05,
			twiliotest.Unauthorized: 0.05,
		}),
	})
	defer sim.Close()
	base, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSender(t, base)
	seen := map[notify.Verdict]int{}
	for i := range 500 {
		before := len(sim.Accepted())
		a := s.Send(t.Context(), text())
		taken := len(sim.Accepted()) - before
		seen[a.Verdict]++
		switch {
		case taken > 1 || sim.Requests() != i+1:
			t.Fatalf("send %d: taken %d times, %d requests", i, taken, sim.Requests())
		case a.Verdict == notify.Took && taken != 1, a.Verdict == notify.NotTaken && taken != 0, a.Verdict == notify.Permanent && taken != 0:
			t.Fatalf("send %d: taken %d times, and the answer is %+v", i, taken, a)
		}
	}
	for _, v := range []notify.Verdict{notify.Took, notify.NotTaken, notify.Unclear, notify.Permanent} {
		if seen[v] == 0 {
			t.Errorf("no answer was %s: the test shows nothing", v)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	const yes = `{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued","error_code":null}`
	now, m := time.Now(), text()
	s, err := twilio.New(good(), constant(yes), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	s.Now = func() time.Time { return now }
	b.ReportAllocs()
	for b.Loop() {
		if a := s.Send(b.Context(), m); a.Verdict != notify.Took {
			b.Fatalf("got %+v", a)
		}
	}
}

// constant is a transport that always gives the same answer.
type constant string

func (c constant) RoundTrip(req *http.Request) (*http.Response, error) {
	return reply{status: http.StatusCreated, body: strings.NewReader(string(c))}.RoundTrip(req)
}
