package twiliotest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"

	"onmyway/channels/twilio/twiliotest"
)

func hookServer(t *testing.T, h http.HandlerFunc) (base string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// hooks remembers the callbacks that came, by path, and checks their signatures with Twilio's own validator.
type hooks struct {
	t    *testing.T
	base string
	mu   sync.Mutex
	got  map[string][]url.Values
}

func newHooks(t *testing.T) *hooks {
	h := &hooks{t: t, got: map[string][]url.Values{}}
	h.base = hookServer(t, h.receive)
	return h
}

func (h *hooks) receive(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Error(err)
	}
	validator := client.NewRequestValidator(twiliotest.AuthToken)
	if !validator.ValidateBody(h.base+r.URL.RequestURI(), body, r.Header.Get("X-Twilio-Signature")) {
		h.t.Errorf("the signature of %s is not valid", r.URL)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		h.t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got[r.URL.RequestURI()] = append(h.got[r.URL.RequestURI()], form)
}

func TestCallbacks(t *testing.T) {
	h := newHooks(t)
	s := twiliotest.New(twiliotest.Options{StatusCallbacks: true, Undelivered: func(m twiliotest.Message) int {
		if m.To == "+14155550007" {
			return 30003
		}
		return 0
	}})
	const n = 50
	for i := range n {
		form := text(fmt.Sprintf("+141555500%02d", i))
		form.Set("StatusCallback", fmt.Sprintf("%s/hooks/%d?a=b#rc=5&rp=all", h.base, i))
		post(s, form)
	}
	post(s, text("+14155550199")) // without a callback
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(h.got) != n {
		t.Errorf("callbacks for %d messages, want %d", len(h.got), n)
	}
	for i, m := range s.Accepted()[:n] {
		last, code := "delivered", ""
		if i == 7 {
			last, code = "undelivered", "30003"
		}
		var want []url.Values
		for _, status := range []string{"queued", "sent", last} {
			v := url.Values{
				"MessageSid": {m.SID}, "SmsSid": {m.SID}, "MessageStatus": {status}, "SmsStatus": {status},
				"To": {m.To}, "From": {m.From}, "AccountSid": {twiliotest.AccountSID}, "ApiVersion": {"2010-04-01"},
			}
			if status == last && code != "" {
				v.Set("ErrorCode", code)
			}
			want = append(want, v)
		}
		if d := cmp.Diff(want, h.got[fmt.Sprintf("/hooks/%d?a=b", i)]); d != "" {
			t.Errorf("message %d (-want +got):\n%s", i, d)
		}
		if m.Status != last {
			t.Errorf("message %d is %s, want %s", i, m.Status, last)
		}
	}
	if n := s.DroppedCallbacks(); n != 0 {
		t.Errorf("%d dropped", n)
	}
}

// A callback comes also where the sender got no answer: it is how a lost one is found.
func TestCallbackOfLostAnswer(t *testing.T) {
	h := newHooks(t)
	s := newServer(t, twiliotest.Options{StatusCallbacks: true, Faults: func(twiliotest.Request) twiliotest.Fault {
		return twiliotest.Fault{Kind: twiliotest.LateError}
	}})
	form := text("+14155550123")
	form.Set("StatusCallback", h.base+"/1")
	if status, _ := post(s, form); status != http.StatusInternalServerError {
		t.Errorf("status %d", status)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(h.got["/1"]); got != 3 {
		t.Errorf("%d callbacks, want 3", got)
	}
}

// Nobody listens on the callback URL: the server goes on, and Close returns.
func TestCallbackNobodyListens(t *testing.T) {
	nobody := httptest.NewServer(nil)
	nobody.Close()
	s := newServer(t, twiliotest.Options{StatusCallbacks: true})
	form := text("+14155550123")
	form.Set("StatusCallback", nobody.URL)
	post(s, form)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	post(s, form)
	if got := s.Accepted()[0].Status; got != "delivered" {
		t.Errorf("status %s", got)
	}
	if s.DroppedCallbacks() != 1 {
		t.Errorf("%d dropped, want the one after Close", s.DroppedCallbacks())
	}
}
