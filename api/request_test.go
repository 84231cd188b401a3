package api_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/api"
)

func TestHeadersOfEveryAnswer(t *testing.T) {
	f := newFixture(t)
	for _, call := range []string{"GET /healthz", "GET /v1/messages", "GET /v1/nothing", "GET /openapi.json"} {
		w := f.do(call, "")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
			"Strict-Transport-Security": "max-age=31536000",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", call, name, got)
			}
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", call)
		}
	}
}

func TestRequestID(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"", "a b", "a\nlevel=ERROR", strings.Repeat("x", 65), "né"} {
		if got := f.do("GET /healthz", "", "X-Request-Id", id).Header().Get("X-Request-Id"); got == id || len(got) < 20 {
			t.Errorf("%q became %q", id, got)
		}
	}
}

// The log has no query, no path with ids, no key and no number; it says who, what and how it went.
func TestAccessLog(t *testing.T) {
	f := newFixture(t)
	f.do("GET /v1/messages?phone=%2B14155552671", "", "X-Request-Id", "req-1")
	f.do("PUT /v1/customers/+14155552671", dana)
	f.do("GET /v1/customers/secret-id", "", "Authorization", "Bearer wrong-secret")
	got := f.log.String()
	for _, secret := range []string{"4155552671", "secret", rootKey, "Dana"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in the log:\n%s", secret, got)
		}
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	want := []string{
		"method=GET route=/v1/messages status=200 ",
		"method=PUT route=/v1/customers/{id} status=200 ",
		"method=GET route=/v1/customers/{id} status=401 ",
	}
	if len(lines) != len(want) {
		t.Fatalf("log:\n%s", got)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("line %d: %s", i, lines[i])
		}
	}
	if !strings.Contains(lines[0], "key=bootstrap") || !strings.Contains(lines[0], "request_id=req-1") || !strings.Contains(lines[0], "client=192.0.2.1") {
		t.Errorf("line 0: %s", lines[0])
	}
}

func TestPanic(t *testing.T) {
	f := newFixture(t)
	f.Fail["panic"] = errors.New("yes")
	wantProblem(t, f.do("GET /v1/messages/"+entryID.String(), ""), http.StatusInternalServerError, "internal")
	if got := f.log.String(); !strings.Contains(got, "call panicked") || strings.Contains(got, "4155550123") || !strings.Contains(got, "status=500") {
		t.Errorf("log: %s", got)
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(c *api.Config, _ *api.Deps) { c.RatePerMinute = 3 })
		for range 3 {
			wantStatus(t, f.do("GET /v1/messages", ""), http.StatusOK)
		}
		w := f.do("GET /v1/messages", "")
		wantProblem(t, w, http.StatusTooManyRequests, "rate_limited")
		if w.Header().Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		wantStatus(t, f.do("GET /readyz", ""), http.StatusOK) // probes are not limited
		time.Sleep(2 * time.Minute)
		wantStatus(t, f.do("GET /v1/messages", ""), http.StatusOK)
	})
}

// from calls from an address.
func (f *fixture) from(address, forwarded string) int {
	r := httptest.NewRequest("GET", "/v1/messages", nil)
	r.Header.Set("Authorization", "Bearer "+rootKey)
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	r.RemoteAddr = address
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w.Code
}

// An address has its rate, and a caller can't get another one by writing a header.
func TestRateLimitByAddress(t *testing.T) {
	proxies := func(c *api.Config, _ *api.Deps) {
		c.RatePerMinute = 3
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	}
	tests := []struct {
		name           string
		first, second  [2]string // peer and X-Forwarded-For
		share, trusted bool
	}{
		{"same address, other port", [2]string{"192.0.2.1:1"}, [2]string{"192.0.2.1:2"}, true, false},
		{"header of a stranger", [2]string{"192.0.2.1:1", "1.1.1.1"}, [2]string{"192.0.2.1:2", "2.2.2.2"}, true, false},
		{"header of a stranger, with proxies", [2]string{"192.0.2.1:1", "1.1.1.1"}, [2]string{"192.0.2.1:2", "2.2.2.2"}, true, true},
		{"one /64", [2]string{"[2001:db8::1]:1"}, [2]string{"[2001:db8::2]:1"}, true, false},
		{"forged left of the proxy", [2]string{"10.0.0.1:1", "1.1.1.1, 192.0.2.1"}, [2]string{"10.0.0.1:1", "2.2.2.2, 192.0.2.1"}, true, true},
		{"two proxies", [2]string{"10.0.0.1:1", "192.0.2.1, 10.0.0.2"}, [2]string{"10.0.0.1:1", "192.0.2.1"}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := proxies
				if !tt.trusted {
					set = func(c *api.Config, _ *api.Deps) { c.RatePerMinute = 3 }
				}
				f := newFixture(t, set)
				for range 3 {
					f.from(tt.first[0], tt.first[1])
				}
				if got := f.from(tt.second[0], tt.second[1]); (got == http.StatusTooManyRequests) != tt.share {
					t.Errorf("status %d", got)
				}
			})
		})
	}
}
