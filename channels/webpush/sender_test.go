package webpush_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

func TestBrowserReadsWhatWasSent(t *testing.T) {
	l := newLab(t, webpushtest.Options{})
	m := message(l.sub.ID)
	a := l.sender.Send(t.Context(), m)
	if a.Verdict != notify.Took || a.ProviderID != "m1" || a.Status != 201 {
		t.Fatalf("answer %+v, want took as m1", a)
	}
	got := l.service.Delivered()
	if len(got) != 1 {
		t.Fatalf("%d delivered, want 1", len(got))
	}
	if l.sub.ID != webpush.SubscriptionID(l.sub.Endpoint) || got[0].Subscription != l.sub.ID || got[0].Urgency != "high" || len(got[0].Topic) != 32 || got[0].TTL < 3590 || got[0].TTL > 3600 {
		t.Errorf("headers %+v", got[0])
	}
	var payload any
	if err := json.Unmarshal(got[0].Payload, &payload); err != nil {
		t.Fatal(err)
	}
	facts := map[string]any{
		"id": m.ID.String(), "order_id": "CH-1001", "line": "car_haul", "milestone": "driver_en_route_to_pickup", "sequence": 7.0,
		"occurred_at": m.OccurredAt.UTC().Format(time.RFC3339),
	}
	want := map[string]any{"web_push": 8030.0, "notification": map[string]any{
		"title": m.Title, "body": m.Body, "navigate": m.Link, "tag": got[0].Topic, "lang": "en", "silent": false, "data": facts,
	}}
	for name, value := range facts {
		want[name] = value
	}
	if diff := cmp.Diff(want, payload); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalsNeedNoRequest(t *testing.T) {
	var asked atomic.Int32
	l := newLab(t, webpushtest.Options{Fault: func(webpushtest.Request) webpushtest.Fault { asked.Add(1); return webpushtest.Fault{} }})
	broken := l.subscribe(t)
	broken.P256dh = "AAAA"
	l.subs[broken.ID] = broken
	rows := []struct {
		name    string
		change  func(*notify.Message)
		verdict notify.Verdict
		reason  notify.Reason
	}{
		{"expired", func(m *notify.Message) { m.ExpiresAt = time.Now().Add(-time.Minute) }, notify.Permanent, notify.Expired},
		{"half a second left", func(m *notify.Message) { m.ExpiresAt = time.Now().Add(500 * time.Millisecond) }, notify.Permanent, notify.Expired},
		{"unknown subscription", func(m *notify.Message) { m.Address = "gone" }, notify.Gone, notify.BadAddress},
		{"the browser is another's now", func(m *notify.Message) { m.CustomerID = "c-43" }, notify.Permanent, notify.BadAddress},
		{"keys that are none", func(m *notify.Message) { m.Address = broken.ID }, notify.Permanent, notify.Refused},
		{"no room", func(m *notify.Message) { m.OrderID = strings.Repeat("9", 4000) }, notify.Permanent, notify.BadContent},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			m := message(l.sub.ID)
			r.change(m)
			if a := l.sender.Send(t.Context(), m); a.Verdict != r.verdict || a.Reason != r.reason || a.Detail == "" {
				t.Errorf("answer %+v, want %s %s", a, r.verdict, r.reason)
			}
		})
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func TestTTLIsWhatIsLeft(t *testing.T) {
	now := time.Now()
	l := newLab(t, webpushtest.Options{}, func(c *webpush.Config) { c.Now = func() time.Time { return now } })
	ends := []time.Time{now.Add(1999 * time.Millisecond), now.Add(15 * time.Minute), now.Add(100 * 24 * time.Hour), {}}
	for _, end := range ends {
		m := message(l.sub.ID)
		m.ExpiresAt = end
		if a := l.sender.Send(t.Context(), m); a.Verdict != notify.Took {
			t.Fatalf("answer %+v", a)
		}
	}
	var got []int
	for _, n := range l.service.Delivered() {
		got = append(got, n.TTL)
	}
	if diff := cmp.Diff([]int{1, 900, 2419200, 2419200}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTooLargeGetsShortFormOnce(t *testing.T) {
	for _, first := range []int{1, 2} {
		requests := 0
		l := newLab(t, webpushtest.Options{Fault: func(r webpushtest.Request) webpushtest.Fault {
			requests = r.No
			if r.No <= first {
				return webpushtest.Fault{Status: 413}
			}
			return webpushtest.Fault{}
		}})
		m := message(l.sub.ID)
		m.Body = strings.Repeat("long ", 400)
		a := l.sender.Send(t.Context(), m)
		if requests != 2 {
			t.Errorf("%d requests, want 2", requests)
		}
		if first == 2 {
			if a.Verdict != notify.Permanent || a.Reason != notify.BadContent {
				t.Errorf("answer %+v, want permanent, bad content", a)
			}
			continue
		}
		if a.Verdict != notify.Took {
			t.Fatalf("answer %+v, want took", a)
		}
		got := string(l.service.Delivered()[0].Payload)
		if !strings.Contains(got, m.Title) || strings.Contains(got, "long") || !strings.Contains(got, `"navigate"`) {
			t.Errorf("short form %s", got)
		}
	}
}

func TestNewerReplacesOlderOfTheOrder(t *testing.T) {
	l := newLab(t, webpushtest.Options{})
	l.service.Disconnect(l.sub.ID)
	send := func(title string, change func(*notify.Message)) {
		m := message(l.sub.ID)
		m.Title = title
		change(m)
		if a := l.sender.Send(t.Context(), m); a.Verdict != notify.Took {
			t.Fatalf("answer %+v", a)
		}
	}
	same := func(*notify.Message) {}
	send("on the way", same)
	send("papers", func(m *notify.Message) { m.Line = notify.TitleRegistration })
	send("please sign", func(m *notify.Message) { m.Standing = true })
	send("another order", func(m *notify.Message) { m.OrderID = "CH-1002" })
	send("here", same)
	l.service.Connect(l.sub.ID)
	var got []string
	for _, n := range l.service.Delivered() {
		var p struct{ Notification struct{ Title string } }
		if err := json.Unmarshal(n.Payload, &p); err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Notification.Title)
	}
	if diff := cmp.Diff([]string{"papers", "please sign", "another order", "here"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEndsThatProveNothing(t *testing.T) {
	rows := []struct {
		name  string
		fault webpushtest.Fault
		taken int
	}{
		{"cut", webpushtest.Fault{Drop: true}, 0},
		{"taken and cut", webpushtest.Fault{Drop: true, Accepted: true}, 1},
		{"no answer", webpushtest.Fault{Hang: true}, 0},
		{"taken and no answer", webpushtest.Fault{Hang: true, Accepted: true}, 1},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, webpushtest.Options{Fault: func(webpushtest.Request) webpushtest.Fault { return r.fault }})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			a := l.sender.Send(ctx, message(l.sub.ID))
			if a.Verdict != notify.NotTaken || a.Reason != notify.UnclearEnd {
				t.Errorf("answer %+v, want not taken, unclear", a)
			}
			if n := len(l.service.Delivered()); n != r.taken {
				t.Errorf("%d delivered, want %d", n, r.taken)
			}
		})
	}
}

// A stored endpoint that leads inside is not called, although the sender is asked to.
func TestPrivateEndpointIsNotCalled(t *testing.T) {
	var hits atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer inside.Close()
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	l := newLab(t, webpushtest.Options{})
	for _, endpoint := range []string{
		inside.URL, "https://127.0.0.1" + port, "https://localhost" + port, "https://[::1]" + port, "https://169.254.169.254/latest",
		"https://fcm.googleapis.com.evil.example/x", "https://fcm.googleapis.com@127.0.0.1" + port, "https://example.com/", "",
	} {
		sub := l.sub
		sub.Endpoint = endpoint
		closed := newSender(t, config(t), subscriptions{sub.ID: sub})
		a := closed.Send(t.Context(), message(sub.ID))
		if a.Verdict != notify.Permanent || a.Reason != notify.Refused {
			t.Errorf("%s: answer %+v, want permanent, refused", endpoint, a)
		}
		if endpoint != "" && strings.Contains(a.Detail, endpoint) {
			t.Errorf("the detail quotes the endpoint: %s", a.Detail)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("%d requests reached the inside, want 0", n)
	}
}

type brokenStore struct{}

func (brokenStore) SubscriptionByID(context.Context, string) (notify.Subscription, error) {
	return notify.Subscription{}, errors.New("the database is away")
}

func TestStoreThatIsAway(t *testing.T) {
	s := newSender(t, config(t), brokenStore{})
	if a := s.Send(t.Context(), message("x")); a.Verdict != notify.NotTaken || a.Reason != notify.Unreachable {
		t.Errorf("answer %+v, want not taken: a store that is away forgets no browser", a)
	}
}

// Apple asks for the same token within the hour; one that was refused is not used again.
func TestTokenIsUsedAgain(t *testing.T) {
	now := time.Now()
	var seen []string
	status := 201
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		w.WriteHeader(status)
	}))
	defer srv.Close()
	l := newLab(t, webpushtest.Options{}, func(c *webpush.Config) { c.Now = func() time.Time { return now } })
	sub := l.sub
	sub.Endpoint = srv.URL + "/x"
	l.subs[sub.ID] = sub
	send := func() { l.sender.Send(t.Context(), message(sub.ID)) }
	send()
	send()
	now = now.Add(5 * time.Hour)
	status = 403
	m := message(sub.ID)
	m.ExpiresAt = now.Add(time.Hour)
	l.sender.Send(t.Context(), m)
	l.sender.Send(t.Context(), m)
	if len(seen) != 4 || seen[0] != seen[1] || seen[1] == seen[2] || seen[2] == seen[3] {
		t.Errorf("tokens: first kept %v, renewed with age %v, dropped when refused %v", seen[0] == seen[1], seen[1] != seen[2], seen[2] != seen[3])
	}
}
