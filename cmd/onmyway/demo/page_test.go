package demo_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"onmyway/cmd/onmyway/demo"
)

func TestGuard(t *testing.T) {
	hosts := demo.PageHosts("127.0.0.1:8090")
	h := demo.Guard(hosts, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	tests := []struct {
		name, method, host, origin string
		want                       int
	}{
		{"the page", "GET", "127.0.0.1:8090", "", 204},
		{"by its other name", "GET", "localhost:8090", "", 204},
		{"a name that leads here", "GET", "evil.example:8090", "", 403},
		{"a button of the page", "POST", "127.0.0.1:8090", "http://127.0.0.1:8090", 204},
		{"a button of the page by its other name", "POST", "localhost:8090", "http://localhost:8090", 204},
		{"a button without origin", "POST", "127.0.0.1:8090", "", 403},
		{"a button of another page", "POST", "127.0.0.1:8090", "https://evil.example", 403},
		{"a button of another port", "POST", "127.0.0.1:8090", "http://127.0.0.1:9", 403},
		{"a button of a page without origin", "POST", "127.0.0.1:8090", "null", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
			policy := w.Header().Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self' ws://127.0.0.1:1234;", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("the policy lacks %s: %s", part, policy)
				}
			}
			if strings.Contains(policy, "unsafe") {
				t.Errorf("policy %s", policy)
			}
		})
	}
}

func TestClock(t *testing.T) {
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 19, 2, 0, 0, time.UTC)
	for want, at := range map[string]time.Time{
		"11:02\u00a0AM\u00a0PST":     now,
		"8\u00a0PM\u00a0PST":         time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC),
		"Sunday, 8\u00a0AM\u00a0PST": time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC),
	} {
		if got := demo.Clock(at, la, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1284: "1,284", 1234567: "1,234,567"} {
		if got := demo.Thousands(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
