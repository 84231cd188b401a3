package websocket_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/channels/websocket"
)

// TestSocketsOpenOneAfterTheOther: some at once after a rest, and then each at its distance from the one before.
func TestSocketsOpenOneAfterTheOther(t *testing.T) {
	hub, now := websocket.New(websocket.Config{}, tokens, nil, quietly), time.Now()
	for range 2 {
		waits, gap := hub.Turns(now, websocket.OpenedAtOnce+3)
		for i, wait := range waits {
			if want := time.Duration(i+1-websocket.OpenedAtOnce) * gap; max(wait, 0) != max(want, 0) {
				t.Errorf("number %d waits for %s, want %s", i, wait, want)
			}
		}
		now = now.Add(time.Hour)
	}
}

// TestWhoWaitsToOpenLeaves: a client that goes, and a hub that closes, end the wait and free the place.
func TestWhoWaitsToOpenLeaves(t *testing.T) {
	for name, end := range map[string]func(*websocket.Hub, context.CancelFunc){
		"the client goes": func(_ *websocket.Hub, leave context.CancelFunc) { leave() },
		"the hub closes":  func(h *websocket.Hub, _ context.CancelFunc) { _ = h.Close(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
				hub.Turns(time.Now(), 100_000)
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
				r.Header.Set("Upgrade", "websocket")
				w, done := httptest.NewRecorder(), make(chan struct{})
				go func() { defer close(done); hub.ServeHTTP(w, r) }()
				synctest.Wait()
				if n := hub.Count(); n != 1 {
					t.Errorf("%d places are taken while it waits, want 1", n)
				}
				end(hub, leave)
				synctest.Wait()
				select {
				case <-done:
				default:
					t.Fatal("it still waits")
				}
				if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || hub.Count() != 0 {
					t.Errorf("status %d, %d places are taken", w.Code, hub.Count())
				}
			})
		})
	}
}
