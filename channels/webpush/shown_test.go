package webpush_test

import (
	"encoding/json"
	"strings"
	"testing"

	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

// A service worker finds beside the notification whom to tell that it shows it.
func TestBrowserIsToldWhereToSayThatItShows(t *testing.T) {
	cfg := config(t)
	cfg.AllowInsecure = true
	service, err := webpushtest.Start(webpushtest.Options{VAPIDPublic: cfg.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	sub, err := service.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	sub.CustomerID = "c-42"
	subs := subscriptions{sub.ID: sub}
	at := func(id notify.ID) string {
		return "https://track.example.com/hooks/shown/" + id.String() + ".c3VtIG9mIDE2IGJ5dGVz"
	}
	for name, tt := range map[string]struct {
		body  string
		shown func(notify.ID) string
	}{
		"usual":      {"Sam picks up your Honda.", at},
		"long":       {strings.Repeat("Sam picks up your Honda. ", 500), at},
		"no address": {"Sam picks up your Honda.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Shown = tt.shown
			m := message(sub.ID)
			m.Body = tt.body
			if a := newSender(t, cfg, subs).Send(t.Context(), m); a.Verdict != notify.Took {
				t.Fatalf("answer %+v", a)
			}
			all := service.Delivered()
			payload := all[len(all)-1].Payload
			var got struct{ Shown *string }
			if err := json.Unmarshal(payload, &got); err != nil || len(payload) > webpush.MaxPayload {
				t.Fatalf("%v, %d bytes", err, len(payload))
			}
			switch {
			case tt.shown == nil && got.Shown != nil:
				t.Errorf("an address that nobody gave: %s", *got.Shown)
			case tt.shown != nil && (got.Shown == nil || *got.Shown != at(m.ID)):
				t.Errorf("payload %s, want the address %s", payload, at(m.ID))
			}
		})
	}
}
