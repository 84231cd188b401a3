package twiliotest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"

	"onmyway/channels/twilio/twiliotest"
)

func TestDelivery(t *testing.T) {
	for _, tt := range []struct {
		name string
		how  twiliotest.Delivery
		want []string
	}{
		{"as it should be", twiliotest.Delivery{}, []string{"queued", "sent", "delivered"}},
		{"twice", twiliotest.Delivery{Times: 2}, []string{"queued", "queued", "sent", "sent", "delivered", "delivered"}},
		{"reversed", twiliotest.Delivery{Reverse: true}, []string{"delivered", "sent", "queued"}},
		{"dropped", twiliotest.Delivery{Drop: true}, nil},
		{"late", twiliotest.Delivery{Delay: 20 * time.Millisecond}, []string{"queued", "sent", "delivered"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHooks(t)
			s := twiliotest.New(twiliotest.Options{StatusCallbacks: true, Delivery: func(twiliotest.Message) twiliotest.Delivery { return tt.how }})
			form := text("+14155550123")
			form.Set("StatusCallback", h.base+"/1")
			began := time.Now()
			post(s, form)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range h.got["/1"] {
				got = append(got, f.Get("MessageStatus"))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if m := s.Accepted()[0]; m.Status != "delivered" || s.DroppedCallbacks() != 0 || time.Since(began) < tt.how.Delay {
				t.Errorf("status %s, %d dropped, after %v", m.Status, s.DroppedCallbacks(), time.Since(began))
			}
		})
	}
}

// The callbacks are there before the sender has its answer.
func TestDeliveryEarly(t *testing.T) {
	var made atomic.Int32
	base := hookServer(t, func(http.ResponseWriter, *http.Request) { made.Add(1) })
	s := newServer(t, twiliotest.Options{StatusCallbacks: true, Delivery: func(twiliotest.Message) twiliotest.Delivery {
		return twiliotest.Delivery{Early: true}
	}})
	form := text("+14155550123")
	form.Set("StatusCallback", base)
	for i := range int32(5) {
		if status, _ := post(s, form); status != http.StatusCreated || made.Load() != 3*(i+1) {
			t.Fatalf("status %d after %d callbacks", status, made.Load())
		}
	}
}

func TestCallbackRetries(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		status, want  int // requests for the first status
	}{
		{"default", "", 503, 1},
		{"all", "#rc=2&rp=all", 503, 3},
		{"server errors", "#rc=1&rp=5xx", 500, 2},
		{"client errors are not asked for", "#rc=1&rp=5xx", 404, 1},
		{"taken", "#rc=5&rp=all", 204, 1},
		{"more than there are", "#rc=9&rp=all", 503, 2},
		{"nonsense", "#rc=many", 503, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tokens []string
			base := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("MessageStatus") == "queued" {
					tokens = append(tokens, r.Header.Get("I-Twilio-Idempotency-Token"))
					w.WriteHeader(tt.status)
				}
			})
			s := twiliotest.New(twiliotest.Options{StatusCallbacks: true})
			form := text("+14155550123")
			form.Set("StatusCallback", base+tt.options)
			post(s, form)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if n := len(slices.Compact(slices.Clone(tokens))); len(tokens) != tt.want || n != 1 {
				t.Errorf("%d requests with %d tokens, want %d", len(tokens), n, tt.want)
			}
		})
	}
}

func TestListFaults(t *testing.T) {
	for kind, want := range map[twiliotest.Kind]int{
		twiliotest.None: 200, twiliotest.TooMany: 429, twiliotest.ServerError: 500, twiliotest.LateError: 500,
		twiliotest.HTML: 200, twiliotest.Unauthorized: 401, twiliotest.Refused: 400, twiliotest.Dropped: 0, twiliotest.Truncated: 0,
	} {
		t.Run(fmt.Sprint("kind ", kind), func(t *testing.T) {
			s := newServer(t, twiliotest.Options{ListFaults: func(n int) twiliotest.Fault {
				return twiliotest.Fault{Kind: kind}
			}})
			post(s, text("+14155550123"))
			sid := s.Accepted()[0].SID
			for _, path := range []string{messages, strings.TrimSuffix(messages, ".json") + "/" + sid + ".json"} {
				if got, body := get(s, path); got != want || (kind == twiliotest.HTML) != strings.Contains(body, "<!doctype") {
					t.Errorf("%s: status %d, want %d: %s", path, got, want, body)
				}
			}
		})
	}
}

// get reads a path without a network; the status is 0 when the connection was dropped.
func get(s http.Handler, path string) (status int, body string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
	w := httptest.NewRecorder()
	defer func() {
		if recover() != nil {
			status = 0
		}
	}()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// A list shows a message after the lag, a fetch at once.
func TestLag(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	s := newServer(t, twiliotest.Options{Lag: time.Second, Now: func() time.Time { return now }})
	post(s, text("+14155550123"))
	sid := s.Accepted()[0].SID
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {time.Second - 1, false}, {time.Second, true}} {
		now = s.Accepted()[0].At.Add(tt.after)
		if _, body := get(s, messages); strings.Contains(body, sid) != tt.want {
			t.Errorf("after %v: %s", tt.after, body)
		}
		if status, _ := get(s, strings.TrimSuffix(messages, ".json")+"/"+sid+".json"); status != http.StatusOK {
			t.Errorf("fetch after %v: %d", tt.after, status)
		}
	}
}

func TestReceive(t *testing.T) {
	var got url.Values
	base := hookServer(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		got = r.PostForm
		v := client.NewRequestValidator(twiliotest.AuthToken)
		if !v.ValidateBody("http://"+r.Host+r.URL.RequestURI(), []byte(got.Encode()), r.Header.Get("X-Twilio-Signature")) {
			t.Error("the signature is not valid")
		}
		_, _ = w.Write([]byte("<Response/>"))
	})
	s := newServer(t, twiliotest.Options{OptOut: true})
	for _, tt := range []struct{ body, optOut string }{
		{"Where is my car?", ""}, {"stop", "STOP"}, {" Unsubscribe ", "STOP"}, {"START", "START"}, {"help", "HELP"}, {"", ""},
	} {
		status, answer, err := s.Receive(t.Context(), base+"/in?a=b", twiliotest.Text{From: "+14155550123", Body: tt.body})
		if err != nil || status != 200 || answer != "<Response/>" {
			t.Errorf("%q: status %d, answer %s, %v", tt.body, status, answer, err)
		}
		if got.Get("Body") != tt.body || got.Get("OptOutType") != tt.optOut || got.Get("AccountSid") != twiliotest.AccountSID {
			t.Errorf("%q: %v", tt.body, got)
		}
		_, body := post(s, text("+14155550123"))
		if strings.Contains(body, `"code":21610`) != (tt.optOut == "STOP") {
			t.Errorf("a message after %q: %s", tt.body, body)
		}
	}
	nobody := httptest.NewServer(nil)
	nobody.Close()
	if _, _, err := s.Receive(t.Context(), nobody.URL, twiliotest.Text{From: "+14155550123", Body: "x"}); err == nil {
		t.Error("a text that nobody took was taken")
	}
}

// Of several values each different one is signed, in order.
func TestSignatureRepeats(t *testing.T) {
	const target = "https://example.com/x"
	a := twiliotest.Signature("1", target, url.Values{"A": {"2", "1", "2"}, "B": {""}})
	b := twiliotest.Signature("1", target+"A1A2B", nil)
	if a != b {
		t.Errorf("%s and %s", a, b)
	}
}
