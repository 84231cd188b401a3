package twilio_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// open starts a simulated Twilio and the hooks that it calls. The sender's public URL is theirs.
func open(t *testing.T, d *desk, opt twiliotest.Options, wrap func(http.Handler) http.Handler) (*twiliotest.Server, *twilio.Sender, string) {
	t.Helper()
	srv := httptest.NewServer(nil)
	t.Cleanup(srv.Close)
	srv.Config.Handler = wrap(newHooks(d, func(c *twilio.Config) { c.PublicURL = srv.URL }))
	opt.AuthToken = good().AuthToken
	sim, s := simulate(t, opt, func(c *twilio.Config) { c.PublicURL = srv.URL })
	return sim, s, srv.URL
}

func as(h http.Handler) http.Handler { return h }

// However the callbacks come, what they report is on the attempt and holds the same last word.
func TestCallbackStory(t *testing.T) {
	for _, tt := range []struct {
		name string
		how  twiliotest.Delivery
		want []notify.State
	}{
		{"in order", twiliotest.Delivery{}, []notify.State{"accepted", "sent", "delivered"}},
		{"before our own answer", twiliotest.Delivery{Early: true}, []notify.State{"accepted", "sent", "delivered"}},
		{"reversed", twiliotest.Delivery{Reverse: true}, []notify.State{"delivered", "sent", "accepted"}},
		{"twice", twiliotest.Delivery{Times: 2}, []notify.State{"accepted", "accepted", "sent", "sent", "delivered", "delivered"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			sim, s, _ := open(t, d, twiliotest.Options{
				StatusCallbacks: true, Delivery: func(twiliotest.Message) twiliotest.Delivery { return tt.how },
			}, as)
			m := text()
			sid := send(t, s, m)
			if err := sim.Close(); err != nil {
				t.Fatal(err)
			}
			var got []notify.State
			known := notify.State("")
			for _, r := range d.reports {
				if r.Message != m.ID || r.Attempt != m.Attempt || r.ProviderID != sid {
					t.Errorf("got %+v", r)
				}
				if r.State.Outranks(known) {
					known = r.State
				}
				got = append(got, r.State)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || known != notify.Delivered {
				t.Errorf("known %s (-want +got):\n%s", known, diff)
			}
		})
	}
}

// A store that is away for a moment loses no report: Twilio is asked to come again.
func TestCallbackComesAgain(t *testing.T) {
	d := &desk{}
	var mu sync.Mutex
	away := 2
	sim, s, _ := open(t, d, twiliotest.Options{StatusCallbacks: true}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			away--
			gone := away >= 0
			mu.Unlock()
			if gone {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	send(t, s, text())
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	if want := slices.Repeat([]string{twilio.CallbackStatus}, 3); !cmp.Equal(want, d.kinds) {
		t.Errorf("got %v", d.kinds)
	}
}

// Somebody writes STOP: the inbox hears it as such, Twilio has answered, and the next text is not taken.
func TestStopStory(t *testing.T) {
	d := &desk{answer: "You get no more texts."}
	sim, s, public := open(t, d, twiliotest.Options{OptOut: true}, as)
	m := text()
	status, answer, err := sim.Receive(t.Context(), public+twilio.InboundPath, twiliotest.Text{From: m.Address, Body: "Stop"})
	if err != nil || status != http.StatusOK || !strings.HasSuffix(answer, "<Response/>") {
		t.Errorf("status %d, answer %s, %v", status, answer, err)
	}
	if len(d.texts) != 1 || d.texts[0].Keyword != notify.KeywordStop || !d.texts[0].Handled || d.texts[0].From != m.Address {
		t.Errorf("got %+v", d.texts)
	}
	if a := s.Send(t.Context(), m); a.Verdict != notify.Permanent || a.Reason != notify.Stopped || a.Code != 21610 {
		t.Errorf("got %+v", a)
	}
	status, answer, err = sim.Receive(t.Context(), public+twilio.InboundPath, twiliotest.Text{From: m.Address, Body: "Where is it?"})
	if err != nil || status != http.StatusOK || !strings.Contains(answer, "<Message>You get no more texts.</Message>") {
		t.Errorf("status %d, answer %s, %v", status, answer, err)
	}
}
