package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/api"
	"onmyway/notify"
)

// hears takes one token and notes how often.
func hears(good string, times *int) func(*api.Config, *api.Deps) {
	return func(_ *api.Config, d *api.Deps) {
		d.Callbacks = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
		d.Shown = func(token string) error {
			if token != good {
				return notify.ErrTokenInvalid
			}
			*times++
			return nil
		}
	}
}

func TestServiceWorkersSayWhatTheyShow(t *testing.T) {
	const good = "0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10.c3VtIG9mIDE2IGJ5dGVz"
	for _, tt := range []struct {
		name, call, body string
		status, times    int
	}{
		{"its token", "POST /hooks/shown/" + good, "", 204, 1},
		{"a body that nobody reads", "POST /hooks/shown/" + good, strings.Repeat("x", 1<<20), 204, 1},
		{"forged", "POST /hooks/shown/" + good + "x", "", 403, 0},
		{"no token", "POST /hooks/shown/", "", 418, 0},
		{"more path", "POST /hooks/shown/" + good + "/x", "", 418, 0},
		{"another method", "GET /hooks/shown/" + good, "", 418, 0},
		{"a provider's callback", "POST /hooks/twilio/status/x", "", 418, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			times := 0
			f := newFixture(t, hears(good, &times))
			// As a service worker posts across origins: no key, no headers of ours.
			w := f.do(tt.call, tt.body, "Authorization", "", "Content-Type", "text/plain", "Origin", "https://shop.example.com")
			if w.Code != tt.status || times != tt.times {
				t.Errorf("status %d, heard %d times; want %d, %d", w.Code, times, tt.status, tt.times)
			}
			if strings.Contains(f.log.String(), good) {
				t.Errorf("the log holds the token: %s", &f.log)
			}
			if tt.status < 418 && w.Body.Len() != 0 {
				t.Errorf("answers %q", w.Body)
			}
		})
	}
}

func TestShownIsLimitedByAddress(t *testing.T) {
	times := 0
	f := newFixture(t, hears("good", &times), func(c *api.Config, _ *api.Deps) { c.RatePerMinute = 3 })
	codes := map[int]int{}
	for range 10 {
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/hooks/shown/good", nil))
		codes[w.Code]++
	}
	if codes[204] != times || codes[429] < 4 || codes[204]+codes[429] != 10 {
		t.Errorf("answers %v, heard %d times", codes, times)
	}
}

func TestMessagesTellWhenTheyWereSeen(t *testing.T) {
	f := newFixture(t)
	at := time.Date(2026, 11, 21, 19, 3, 0, 123456789, time.UTC)
	f.entries = []notify.Entry{
		{Message: notify.Message{ID: notify.NewID(at, "b"), Channel: notify.WebSocket, State: notify.Sent}, ShownAt: at},
		{Message: notify.Message{ID: notify.NewID(at, "a"), Channel: notify.WebSocket, State: notify.Sent}},
	}
	body := f.do("GET /v1/messages", "").Body.String()
	if n := strings.Count(body, `"shown_at"`); n != 1 || !strings.Contains(body, `"shown_at":"2026-11-21T19:03:00.123Z"`) {
		t.Error(cmp.Diff("one shown_at", body))
	}
}
