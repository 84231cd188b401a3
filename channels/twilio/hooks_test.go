package twilio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

const (
	public  = "https://track.example.com"
	someSID = "SM0123456789abcdef0123456789abcdef"
)

// desk is what stands behind the hooks: it keeps what it is told.
type desk struct {
	mu      sync.Mutex
	reports []notify.Report
	texts   []notify.Inbound
	kinds   []string
	answer  string
	err     error
}

func (d *desk) Report(_ context.Context, now time.Time, r notify.Report) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reports = append(d.reports, r)
	return d.err
}

func (d *desk) Inbound(_ context.Context, now time.Time, in notify.Inbound) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.texts = append(d.texts, in)
	return d.answer, d.err
}

func (d *desk) count(kind string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kinds = append(d.kinds, kind)
}

// calls is how often something behind the hooks was called.
func (d *desk) calls() int { return len(d.reports) + len(d.texts) }

func newHooks(d *desk, change ...func(*twilio.Config)) *twilio.Hooks {
	cfg := good()
	cfg.PublicURL = public
	for _, f := range change {
		f(&cfg)
	}
	h := twilio.NewHooks(cfg, d, d, slog.New(slog.DiscardHandler))
	h.Count = d.count
	return h
}

var attemptID = notify.NewID(time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC), "attempt")

func statusPath() string { return twilio.StatusPath + attemptID.String() + "-2" }

func statusForm(status string) url.Values {
	return url.Values{
		"AccountSid": {good().AccountSID}, "MessageSid": {someSID}, "SmsSid": {someSID}, "MessageStatus": {status},
		"To": {"+14155550123"}, "From": {"+14155550100"}, "ApiVersion": {"2010-04-01"},
	}
}

func inboundForm(body string) url.Values {
	return url.Values{
		"AccountSid": {good().AccountSID}, "MessageSid": {someSID}, "From": {"+14155550123"}, "To": {"+14155550100"},
		"Body": {body}, "NumMedia": {"0"},
	}
}

// call makes a request without a network. The form is signed as given; a test breaks it afterwards.
func call(h http.Handler, target string, form url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", twiliotest.Signature(good().AuthToken, public+target, form))
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// What could not be stored may come again, and the log tells nothing of it.
func TestStoreFails(t *testing.T) {
	var logged bytes.Buffer
	d := &desk{err: errors.New("the database is away")}
	cfg := good()
	cfg.PublicURL = public
	h := twilio.NewHooks(cfg, d, d, slog.New(slog.NewTextHandler(&logged, nil)))
	h.Count = d.count
	for path, form := range map[string]url.Values{statusPath(): statusForm("sent"), twilio.InboundPath: inboundForm("secret words")} {
		w := call(h, path, form)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: status %d, %v", path, w.Code, w.Header())
		}
	}
	if diff := cmp.Diff([]string{twilio.CallbackFailed, twilio.CallbackFailed}, d.kinds); diff != "" {
		t.Error(diff)
	}
	noSecrets(t, logged.String())
	if !strings.Contains(logged.String(), "the database is away") || strings.Contains(logged.String(), "secret words") {
		t.Errorf("logged: %s", &logged)
	}
}

// Twilio's side of the story, over the network: a proxy takes TLS off and a path away, and says so as proxies do.
func TestBehindProxy(t *testing.T) {
	d := &desk{answer: "Danke – 👋"}
	inner := httptest.NewServer(newHooks(d)) // replaced below, when the public URL is known
	defer inner.Close()
	at, err := url.Parse(inner.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(http.StripPrefix("/onmyway", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(at)
		r.SetXForwarded()
		r.Out.Header.Set("X-Forwarded-Host", "internal.example.com")
	}}))
	defer proxy.Close()
	for _, tt := range []struct{ name, public, path string }{
		{"prefix", "/onmyway", statusPath()},
		{"slash behind the prefix", "/onmyway/", statusPath()},
		{"query", "/onmyway", statusPath() + "?b=2&a=1&a=%C3%A9+x"},
		{"empty query", "/onmyway", statusPath() + "?"},
		{"trailing slash", "/onmyway", statusPath() + "/"},
		{"inbound", "/onmyway", twilio.InboundPath},
		{"inbound with query and slash", "/onmyway", twilio.InboundPath + "/?tenant=caf%C3%A9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner.Config.Handler = newHooks(d, func(c *twilio.Config) { c.PublicURL = proxy.URL + tt.public })
			before := d.calls()
			form := statusForm("delivered")
			form.Set("Body", "Ünï & = + % 100% 🚗\r\nx")
			form.Set("RawDlrDoneDate", "2611211900")
			form.Set("Of the future", "a=b&c")
			code := post(t, proxy.Client(), strings.TrimSuffix(proxy.URL+tt.public, "/")+tt.path, form)
			if code/100 != 2 || d.calls() != before+1 {
				t.Errorf("status %d, %d calls: %v", code, d.calls()-before, d.kinds)
			}
		})
	}
}

func post(t *testing.T, c *http.Client, target string, form url.Values) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", twiliotest.Signature(good().AuthToken, target, form))
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// The operator hears of refused callbacks, but not of each.
func TestHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		cfg := good()
		cfg.PublicURL = public
		h := twilio.NewHooks(cfg, nil, nil, slog.New(slog.NewTextHandler(&logged, nil)))
		forge := func() {
			call(h, twilio.InboundPath, inboundForm("secret words"), func(r *http.Request) { r.Header.Del("X-Twilio-Signature") })
		}
		forge()
		forge()
		time.Sleep(10*time.Minute - 1)
		forge()
		if n := strings.Count(logged.String(), "http.public_url"); n != 1 {
			t.Errorf("%d hints", n)
		}
		time.Sleep(time.Nanosecond)
		forge()
		if n := strings.Count(logged.String(), "http.public_url"); n != 2 {
			t.Errorf("%d hints after ten minutes", n)
		}
		noSecrets(t, logged.String())
	})
}
