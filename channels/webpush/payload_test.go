package webpush_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"onmyway/channels/webpush"
	"onmyway/notify"
)

// shown is what a browser reads.
type shown struct {
	WebPush      *int `json:"web_push"`
	Notification struct {
		Title    string
		Body     string
		Navigate *string
		Tag      string
		Silent   *bool
	}
	ID string
}

func read(t *testing.T, b []byte) shown {
	t.Helper()
	var s shown
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, b)
	}
	return s
}

// A payload is declarative only if it says where a tap leads, by https (push-api, "declarative push message").
func TestPayloadIsDeclarativeWithALink(t *testing.T) {
	rows := []struct {
		name, link, base, want string
	}{
		{"its own link", "https://t.example.com/a", "https://d.example.com/", "https://t.example.com/a"},
		{"the default", "", "https://d.example.com/", "https://d.example.com/"},
		{"http is not enough", "http://t.example.com/a", "https://d.example.com/", "https://d.example.com/"},
		{"no script", "javascript:alert(1)", "", ""},
		{"relative", "/t/abc", "", ""},
		{"none", "", "", ""},
		{"default by http", "", "http://localhost:8080", ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := message("a")
			m.Link = r.link
			b, ok := webpush.Payload(m, r.base, false)
			got := read(t, b)
			if !ok || (got.WebPush == nil) != (r.want == "") || (got.Notification.Navigate == nil) != (r.want == "") {
				t.Fatalf("payload %s", b)
			}
			if r.want != "" && (*got.WebPush != 8030 || *got.Notification.Navigate != r.want) {
				t.Errorf("payload %s, want a link to %s", b, r.want)
			}
			if got.Notification.Silent == nil || *got.Notification.Silent {
				t.Errorf("silent is not false: %s", b)
			}
		})
	}
}

func TestPayloadUsesTheRoomThereIs(t *testing.T) {
	for name, unit := range map[string]string{"ASCII": "a", "quotes": `"`, "euro": "€", "emoji": "🚗", "control": "\x01", "separator": "\u2028"} {
		m := message("a")
		m.Body = strings.Repeat(unit, 5000)
		b, ok := webpush.Payload(m, "", false)
		got := read(t, b)
		if !ok || len(b) > webpush.MaxPayload || len(b) < webpush.MaxPayload-12 {
			t.Errorf("%s: %d bytes, want close below %d", name, len(b), webpush.MaxPayload)
		}
		if words := strings.TrimSuffix(got.Notification.Body, "…"); words == got.Notification.Body || strings.Trim(words, unit) != "" {
			t.Errorf("%s: body ends in %q", name, got.Notification.Body[max(0, len(got.Notification.Body)-10):])
		}
	}
}

func TestPayloadWithoutTitleShowsTheBody(t *testing.T) {
	m := message("a")
	m.Title = ""
	b, _ := webpush.Payload(m, "", false)
	if got := read(t, b).Notification; got.Title != m.Body || got.Body != "" {
		t.Errorf("payload %s", b)
	}
}

// Whatever the words are, a payload is JSON of at most its bound, whole characters, and the words are a beginning of
// those that were given.
func FuzzPayload(f *testing.F) {
	f.Add("Your driver is on the way", "Sam is 15 minutes away", "CH-1", "https://t.example.com/a", false)
	f.Add(strings.Repeat("🚗", 900), strings.Repeat("\u2028\"<\\", 900), "CH-1", "", false)
	f.Add(strings.Repeat("é", 2900), "", "CH-1", "https://t.example.com/"+strings.Repeat("a", 900), true)
	f.Add("", "\xff\xfe\x80", strings.Repeat("x", 1400), "", true)
	f.Add("t", strings.Repeat("a ", 2000), strings.Repeat("\x00", 230), "", false)
	f.Fuzz(func(t *testing.T, title, body, order, link string, short bool) {
		m := &notify.Message{Title: title, Body: body, OrderID: order, Link: link, Line: notify.CarHaul}
		limit := webpush.MaxPayload
		if short {
			limit = webpush.MaxShort
		}
		b, ok := webpush.Payload(m, "", short)
		if !ok {
			if len(title)+len(body) > 0 && len(order) < 40 && len(link) < 200 && !short {
				t.Errorf("no room although ids and link are short: %d bytes", len(b))
			}
			return
		}
		if len(b) > limit || !utf8.Valid(b) {
			t.Fatalf("%d bytes, valid %v; want at most %d", len(b), utf8.Valid(b), limit)
		}
		got := read(t, b).Notification
		if title == "" {
			title, body = body, ""
		}
		for _, w := range [][2]string{{title, got.Title}, {body, got.Body}} {
			given, shown := strings.ToValidUTF8(w[0], "\uFFFD"), w[1]
			if shown == "" || shown == given {
				continue
			}
			if start, cut := strings.CutSuffix(shown, "…"); !cut || !strings.HasPrefix(given, start) {
				t.Errorf("%q is no beginning of %q", shown, given)
			}
		}
	})
}
