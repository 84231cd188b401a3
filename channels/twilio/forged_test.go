package twilio_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"

	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
)

func body(r *http.Request, s string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(s)), int64(len(s))
}

// Each of these begins as a callback that would be taken.
func TestForged(t *testing.T) {
	path := statusPath() + "?a=1"
	form := statusForm("sent")
	encoded := form.Encode()
	edit := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			if !strings.Contains(encoded, old) {
				t.Fatalf("%s is not in %s", old, encoded)
			}
			body(r, strings.Replace(encoded, old, with, 1))
		}
	}
	signed := func(token, target string, form url.Values) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Twilio-Signature", twiliotest.Signature(token, target, form)) }
	}
	resign := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) {
			v := statusForm("sent")
			v[name] = values
			body(r, v.Encode())
			signed(good().AuthToken, public+path, v)(r)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		code   int
		kind   string
	}{
		{"no signature", func(r *http.Request) { r.Header.Del("X-Twilio-Signature") }, 403, twilio.CallbackForged},
		{"empty signature", func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "") }, 403, twilio.CallbackForged},
		{"signature of nothing", func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=") }, 403, twilio.CallbackForged},
		{"signature with a line end", func(r *http.Request) {
			r.Header["X-Twilio-Signature"] = []string{r.Header.Get("X-Twilio-Signature") + "\n"}
		}, 403, twilio.CallbackForged},
		{"another token", signed("authtoken5", public+path, form), 403, twilio.CallbackForged},
		{"no token", signed("", public+path, form), 403, twilio.CallbackForged},
		{"another host", signed(good().AuthToken, "https://evil.example.com"+path, form), 403, twilio.CallbackForged},
		{"another scheme", signed(good().AuthToken, "http://track.example.com"+path, form), 403, twilio.CallbackForged},
		{"another port", signed(good().AuthToken, public+":80"+path, form), 403, twilio.CallbackForged},
		{"the host of the request", func(r *http.Request) {
			r.Host = "evil.example.com"
			r.Header.Set("X-Forwarded-Host", r.Host)
			r.Header.Set("X-Forwarded-Proto", "https")
			signed(good().AuthToken, "https://evil.example.com"+path, form)(r)
		}, 403, twilio.CallbackForged},
		{"another attempt", func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "-2", "-1", 1) }, 403, twilio.CallbackForged},
		{"inbound instead", func(r *http.Request) { r.URL.Path = twilio.InboundPath }, 403, twilio.CallbackForged},
		{"no query", func(r *http.Request) { r.URL.RawQuery = "" }, 403, twilio.CallbackForged},
		{"more query", func(r *http.Request) { r.URL.RawQuery += "&b=2" }, 403, twilio.CallbackForged},
		{"another status", edit("MessageStatus=sent", "MessageStatus=delivered"), 403, twilio.CallbackForged},
		{"a parameter more", edit("MessageStatus=sent", "MessageStatus=sent&ErrorCode=30003"), 403, twilio.CallbackForged},
		{"a parameter less", edit("ApiVersion=2010-04-01&", ""), 403, twilio.CallbackForged},
		{"a value twice", edit("MessageStatus=sent", "MessageStatus=sent&MessageStatus=delivered"), 403, twilio.CallbackForged},
		{"the same value twice", edit("MessageStatus=sent", "MessageStatus=sent&MessageStatus=sent"), 403, twilio.CallbackForged},
		{"a truncated body", func(r *http.Request) { body(r, encoded[:len(encoded)-10]) }, 403, twilio.CallbackForged},
		{"no body", func(r *http.Request) { body(r, "") }, 403, twilio.CallbackForged},
		{"another account, signed", resign("AccountSid", "AC00000000000000000000000000000009"), 403, twilio.CallbackForged},
		{"no account, signed", resign("AccountSid"), 403, twilio.CallbackForged},
		{"two statuses, signed", resign("MessageStatus", "sent", "delivered"), 403, twilio.CallbackForged},
		{"form called JSON", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400, twilio.CallbackMalformed},
		{"JSON without a hash", func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			body(r, `{"MessageStatus":"sent"}`)
			signed(good().AuthToken, public+path, nil)(r)
		}, 403, twilio.CallbackForged},
		{"no type", func(r *http.Request) { r.Header.Del("Content-Type") }, 400, twilio.CallbackMalformed},
		{"multipart", func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, 400, twilio.CallbackMalformed},
		{"a broken escape", func(r *http.Request) { body(r, encoded+"&a=%4") }, 400, twilio.CallbackMalformed},
		{"semicolons", func(r *http.Request) { body(r, encoded+"&a;b") }, 400, twilio.CallbackMalformed},
		{"the connection breaks", func(r *http.Request) { r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)) }, 400, twilio.CallbackMalformed},
		{"too large, signed", resign("X", strings.Repeat("x", 64<<10)), 413, twilio.CallbackOversized},
		{"too large, not signed", func(r *http.Request) { body(r, strings.Repeat("x", 64<<10+1)) }, 413, twilio.CallbackOversized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			h := newHooks(d)
			if w := call(h, path, form); w.Code != http.StatusNoContent || d.calls() != 1 {
				t.Fatalf("before: status %d, %d calls", w.Code, d.calls())
			}
			w := call(h, path, form, tt.change)
			if w.Code != tt.code || d.calls() != 1 {
				t.Errorf("status %d, want %d; %d calls", w.Code, tt.code, d.calls()-1)
			}
			if diff := cmp.Diff([]string{twilio.CallbackStatus, tt.kind}, d.kinds); diff != "" {
				t.Error(diff)
			}
			noSecrets(t, w.Body.String())
		})
	}
}

func TestMethodsAndPaths(t *testing.T) {
	d := &desk{}
	h := newHooks(d)
	for _, tt := range []struct {
		method, path string
		code         int
	}{
		{http.MethodGet, statusPath(), 405},
		{http.MethodPut, twilio.InboundPath, 405},
		{http.MethodPost, "/hooks/twilio", 404},
		{http.MethodPost, twilio.StatusPath, 404},
		{http.MethodPost, twilio.InboundPath + "/more", 404},
	} {
		w := call(h, tt.path, statusForm("sent"), func(r *http.Request) { r.Method = tt.method })
		if w.Code != tt.code || d.calls() != 0 {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, w.Code, tt.code)
		}
	}
}

// The signature of the documentation, and how Twilio writes ports.
func TestSignatures(t *testing.T) {
	path, form := statusPath(), statusForm("sent")
	for _, tt := range []struct {
		name, public, signed string
		token, old           string
		ok                   bool
	}{
		{"as set", public, public, "new1", "", true},
		{"with the port", public, public + ":443", "new1", "", true},
		{"set with the port", public + ":443", public, "new1", "", true},
		{"http with the port", "http://track.example.com", "http://track.example.com:80", "new1", "", true},
		{"http with the port of https", "http://track.example.com", "http://track.example.com:443", "new1", "", false},
		{"a port of its own", public + ":8443", public + ":8443", "new1", "", true},
		{"a port of its own, left out", public + ":8443", public, "new1", "", true},
		{"another port", public + ":8443", public + ":443", "new1", "", false},
		{"IPv6", "http://[::1]", "http://[::1]:80", "new1", "", true},
		{"IPv6, the port left out", "http://[::1]:8080/x", "http://[::1]/x", "new1", "", true},
		{"below a path", public + "/a/b/", public + ":443/a/b", "new1", "", true},
		{"the old token", public, public, "old1", "old1", true},
		{"the old token is gone", public, public, "old1", "", false},
		{"no public URL", "", "", "new1", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			h := newHooks(d, func(c *twilio.Config) { c.PublicURL, c.AuthToken, c.AuthTokenOld = tt.public, "new1", tt.old })
			w := call(h, path, form, func(r *http.Request) {
				r.Header.Set("X-Twilio-Signature", twiliotest.Signature(tt.token, tt.signed+path, form))
			})
			if (w.Code == http.StatusNoContent) != tt.ok || (d.calls() == 1) != tt.ok {
				t.Errorf("status %d, %d calls", w.Code, d.calls())
			}
		})
	}
}

// Without a token nothing is taken, least of all what is signed with the empty one, and the start says so.
func TestNoToken(t *testing.T) {
	var logged bytes.Buffer
	d := &desk{}
	cfg := good()
	cfg.AuthToken, cfg.PublicURL = "", public
	h := twilio.NewHooks(cfg, d, d, slog.New(slog.NewTextHandler(&logged, nil)))
	w := call(h, statusPath(), statusForm("sent"), func(r *http.Request) {
		r.Header.Set("X-Twilio-Signature", twiliotest.Signature("", public+statusPath(), statusForm("sent")))
	})
	if w.Code != http.StatusForbidden || d.calls() != 0 || !strings.Contains(logged.String(), "sms.twilio.auth_token") {
		t.Errorf("status %d, logged %s", w.Code, &logged)
	}
}

func TestJSON(t *testing.T) {
	const whole = `{"AccountSid":"AC00000000000000000000000000000001","MessageSid":"` + someSID + `","MessageStatus":"failed","ErrorCode":30007,"x":{"y":[1]}}`
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	for _, tt := range []struct {
		name, query, body string
		code              int
	}{
		{"good", "?bodySHA256=" + sum(whole), whole, 204},
		{"with more query", "?a=1&bodySHA256=" + sum(whole) + "&b", whole, 204},
		{"another body", "?bodySHA256=" + sum(whole), strings.Replace(whole, "failed", "sent", 1), 403},
		{"no hash", "", whole, 403},
		{"two hashes", "?bodySHA256=" + sum("x") + "&bodySHA256=" + sum(whole), whole, 403},
		{"half a hash", "?bodySHA256=" + sum(whole)[:32], whole, 403},
		{"not JSON", "?bodySHA256=" + sum("x"), "x", 400},
		{"not an object", "?bodySHA256=" + sum("[]"), "[]", 400},
		{"null", "?bodySHA256=" + sum("null"), "null", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			target := statusPath() + tt.query
			w := call(newHooks(d), target, nil, func(r *http.Request) {
				r.Header.Set("Content-Type", "application/json")
				body(r, tt.body)
				validator := client.NewRequestValidator(good().AuthToken)
				if genuine := validator.ValidateBody(public+target, []byte(tt.body), r.Header.Get("X-Twilio-Signature")); genuine != (tt.code != 403) &&
					tt.name != "two hashes" && tt.name != "null" && tt.name != "no hash" {
					t.Errorf("Twilio's own validator says %t", genuine)
				}
			})
			if w.Code != tt.code || (d.calls() == 1) != (tt.code == 204) {
				t.Errorf("status %d, want %d", w.Code, tt.code)
			}
			if tt.code == 204 && d.reports[0].Code != 30007 {
				t.Errorf("got %+v", d.reports[0])
			}
		})
	}
}

// What Twilio documents must pass: repeated parameters that we do not read, and none of the order of ours.
func TestRepeatedParameters(t *testing.T) {
	d := &desk{}
	form := statusForm("sent")
	form["MediaUrl"] = []string{"b", "a", "b"}
	if w := call(newHooks(d), statusPath(), form); w.Code != http.StatusNoContent {
		t.Errorf("status %d", w.Code)
	}
}

func FuzzTwilioForm(f *testing.F) {
	f.Add([]byte(statusForm("sent").Encode()), []byte(statusForm("delivered").Encode()), "")
	f.Add([]byte("a=1&a=2&AccountSid=AC00000000000000000000000000000001"), []byte("a=2"), "?x=%zz")
	f.Add([]byte("%"), []byte(";"), "?;")
	f.Add([]byte("a=bc"), []byte("ab=c"), "?bodySHA256=00")
	f.Fuzz(func(t *testing.T, genuine, mutated []byte, query string) {
		target := statusPath() + query
		if u, err := url.ParseRequestURI(target); err != nil || u.RequestURI() != target || strings.ContainsAny(target, " \r\n\x00#") {
			return
		}
		form, err := url.ParseQuery(string(genuine))
		if err != nil {
			return
		}
		signature := twiliotest.Signature(good().AuthToken, public+target, form)
		send := func(body []byte) (int, *desk) {
			d := &desk{}
			r := httptest.NewRequest(http.MethodPost, target, bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Twilio-Signature", signature)
			w := httptest.NewRecorder()
			newHooks(d).ServeHTTP(w, r)
			return w.Code, d
		}
		code, d := send(mutated)
		other, err := url.ParseQuery(string(mutated))
		same := err == nil && twiliotest.Signature(good().AuthToken, public+target, other) == signature
		if !same && (code < 400 || d.calls() != 0) {
			t.Errorf("status %d, %d calls", code, d.calls())
		}
		// The genuine one is refused for its content alone, and agrees with Twilio's own validator.
		code, d = send(genuine)
		complete := len(form["AccountSid"]) == 1 && form.Get("AccountSid") == good().AccountSID
		if complete && len(genuine) <= 64<<10 && code == http.StatusForbidden && !hasRepeats(form) {
			t.Errorf("a genuine callback was refused: %s", genuine)
		}
		validator := client.NewRequestValidator(good().AuthToken)
		if !hasRepeats(form) && !strings.Contains(target, "bodySHA256") && len(genuine) <= 64<<10 &&
			!validator.ValidateBody(public+target, genuine, signature) {
			t.Errorf("Twilio's own validator refuses %s at %s", genuine, target)
		}
		if code == http.StatusNoContent && d.calls() > 1 {
			t.Errorf("%d calls", d.calls())
		}
	})
}

func hasRepeats(form url.Values) bool {
	for _, values := range form {
		if len(values) > 1 {
			return true
		}
	}
	return false
}
