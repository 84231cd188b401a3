package webpushtest_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/SherClockHolmes/webpush-go"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

// keys is the key pair of an application server.
type keys struct {
	private *ecdsa.PrivateKey
	public  string // base64url
}

func newKeys(t *testing.T) keys {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return keys{key, base64.RawURLEncoding.EncodeToString(point)}
}

func (k keys) header(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(k.private)
	if err != nil {
		t.Fatal(err)
	}
	return "vapid t=" + s + ", k=" + k.public
}

func start(t *testing.T, o webpushtest.Options) *webpushtest.Server {
	t.Helper()
	s, err := webpushtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func subscribe(t *testing.T, s *webpushtest.Server) notify.Subscription {
	t.Helper()
	sub, err := s.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// sealed is what the library makes of a text: a request that was never sent.
func sealed(t *testing.T, k keys, sub notify.Subscription, text string, ttl int, topic string) *http.Request {
	t.Helper()
	private, err := k.private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var c caught
	_, _ = webpush.SendNotification([]byte(text), &webpush.Subscription{Endpoint: sub.Endpoint, Keys: webpush.Keys{Auth: sub.Auth, P256dh: sub.P256dh}},
		&webpush.Options{
			HTTPClient: &c, Subscriber: "ops@example.com", TTL: ttl, Topic: topic, Urgency: webpush.UrgencyHigh,
			VAPIDPublicKey: k.public, VAPIDPrivateKey: base64.RawURLEncoding.EncodeToString(private),
		})
	if c.req == nil {
		t.Fatal("the library made no request")
	}
	return c.req
}

type caught struct{ req *http.Request }

func (c *caught) Do(r *http.Request) (*http.Response, error) { c.req = r; return nil, io.EOF }

func post(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestServerIsStrict(t *testing.T) {
	k, other := newKeys(t), newKeys(t)
	s := start(t, webpushtest.Options{VAPIDPublic: k.public})
	sub, gone := subscribe(t, s), subscribe(t, s)
	s.Expire(gone.ID)
	hour := time.Now().Add(time.Hour).Unix()
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"aud": s.URL, "exp": hour, "sub": "mailto:ops@example.com"}
		change(c)
		return c
	}
	auth := func(k keys, change func(jwt.MapClaims)) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", k.header(t, claims(change))) }
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	rows := []struct {
		name   string
		sub    notify.Subscription
		change func(*http.Request)
		status int
	}{
		{"as it should be", sub, func(*http.Request) {}, 201},
		{"our own token", sub, auth(k, func(jwt.MapClaims) {}), 201},
		{"subject by https", sub, auth(k, func(c jwt.MapClaims) { c["sub"] = "https://example.com/contact" }), 201},
		{"very low urgency", sub, set("Urgency", "very-low"), 201},
		{"no urgency", sub, func(r *http.Request) { r.Header.Del("Urgency") }, 201},
		{"no TTL", sub, func(r *http.Request) { r.Header.Del("TTL") }, 400},
		{"TTL below zero", sub, set("TTL", "-1"), 400},
		{"TTL in words", sub, set("TTL", "1h"), 400},
		{"TTL of years", sub, set("TTL", "99999999"), 400},
		{"unknown urgency", sub, set("Urgency", "urgent"), 400},
		{"long topic", sub, set("Topic", strings.Repeat("a", 33)), 400},
		{"topic of other characters", sub, set("Topic", "a=b"), 400},
		{"empty topic", sub, set("Topic", ""), 400},
		{"other coding", sub, set("Content-Encoding", "aesgcm"), 400},
		{"no token", sub, func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"bearer token", sub, set("Authorization", "Bearer x"), 401},
		{"no JWT", sub, set("Authorization", "vapid t=a.b, k="+k.public), 401},
		{"key that is no point", sub, set("Authorization", "vapid t=a.b.c, k=AAAA"), 403},
		{"other key", sub, auth(other, func(jwt.MapClaims) {}), 403},
		{"signed by another", sub, auth(keys{other.private, k.public}, func(jwt.MapClaims) {}), 401},
		{"other audience", sub, auth(k, func(c jwt.MapClaims) { c["aud"] = "https://fcm.googleapis.com" }), 401},
		{"audience with path", sub, auth(k, func(c jwt.MapClaims) { c["aud"] = sub.Endpoint }), 401},
		{"expired", sub, auth(k, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }), 401},
		{"lives too long", sub, auth(k, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(25 * time.Hour).Unix() }), 401},
		{"no expiry", sub, auth(k, func(c jwt.MapClaims) { delete(c, "exp") }), 401},
		{"no subject", sub, auth(k, func(c jwt.MapClaims) { delete(c, "sub") }), 401},
		{"mailto twice", sub, auth(k, func(c jwt.MapClaims) { c["sub"] = "mailto:mailto:ops@example.com" }), 401},
		{"localhost as subject", sub, auth(k, func(c jwt.MapClaims) { c["sub"] = "mailto:ops@localhost" }), 401},
		{"GET", sub, func(r *http.Request) { r.Method = http.MethodGet }, 405},
		{"unknown endpoint", sub, func(r *http.Request) { r.URL.Path += "x" }, 404},
		{"other path", sub, func(r *http.Request) { r.URL.Path = "/" }, 404},
		{"gone", gone, func(*http.Request) {}, 410},
		{"encrypted for another", gone, func(r *http.Request) { r.URL.Path = sub.Endpoint[len(s.URL):] }, 400},
		{"too large", sub, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("a", 4097))), 4097
		}, 413},
		{"not encrypted", sub, func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hello")), 5 }, 400},
	}
	accepted := 0
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			req := sealed(t, k, r.sub, "hello", 60, "t")
			r.change(req)
			status, body := post(t, req)
			if status != r.status {
				t.Errorf("status %d, want %d: %s", status, r.status, body)
			}
			if status == 201 {
				accepted++
			}
		})
	}
	if n := len(s.Delivered()); n != accepted {
		t.Errorf("%d delivered, want the %d that were accepted", n, accepted)
	}
}

func TestNewerReplacesWhatWaits(t *testing.T) {
	k := newKeys(t)
	now := time.Now()
	s := start(t, webpushtest.Options{Now: func() time.Time { return now }})
	sub := subscribe(t, s)
	s.Disconnect(sub.ID)
	for _, m := range []struct {
		text, topic string
		ttl         int
	}{{"old", "order", 600}, {"now or never", "", 0}, {"short-lived", "", 10}, {"other", "papers", 600}, {"new", "order", 600}} {
		if status, body := post(t, sealed(t, k, sub, m.text, m.ttl, m.topic)); status != 201 {
			t.Fatalf("status %d: %s", status, body)
		}
	}
	if n := len(s.Delivered()); n != 0 {
		t.Fatalf("%d delivered to a browser that is away", n)
	}
	now = now.Add(time.Minute)
	s.Connect(sub.ID)
	var got []string
	for _, n := range s.Delivered() {
		got = append(got, string(n.Payload))
	}
	if diff := cmp.Diff([]string{"other", "new"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLedgerHasWhatWasAccepted(t *testing.T) {
	k := newKeys(t)
	var ledger bytes.Buffer
	told := 0
	s := start(t, webpushtest.Options{
		Ledger:     &ledger,
		OnDelivery: func(webpushtest.Notification) { told++ },
		Fault: func(r webpushtest.Request) webpushtest.Fault {
			return map[int]webpushtest.Fault{2: {Status: 503}, 3: {Status: 500, Accepted: true}}[r.No]
		},
	})
	sub := subscribe(t, s)
	for _, want := range []int{201, 503, 500, 201} {
		if status, body := post(t, sealed(t, k, sub, `{"n":1}`, 60, "t")); status != want {
			t.Fatalf("status %d, want %d: %s", status, want, body)
		}
	}
	lines := strings.Split(strings.TrimSpace(ledger.String()), "\n")
	if len(lines) != 3 || told != 3 {
		t.Fatalf("%d lines and %d deliveries, want 3", len(lines), told)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "at")
	want := map[string]any{"subscription": sub.ID, "payload": map[string]any{"n": 1.0}, "ttl": 60.0, "urgency": "high", "topic": "t"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSubscriptionIsOneOfABrowser(t *testing.T) {
	s := webpushtest.New(webpushtest.Options{})
	s.URL = "https://push.example.com"
	sub := subscribe(t, s)
	if _, err := ecdh.P256().NewPublicKey(raw(t, sub.P256dh)); err != nil || len(raw(t, sub.Auth)) != 16 {
		t.Errorf("keys %v, %d bytes", err, len(raw(t, sub.Auth)))
	}
	if !strings.HasPrefix(sub.Endpoint, s.URL+"/") || len(sub.ID) != 32 {
		t.Errorf("endpoint or id: %+v", sub)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
