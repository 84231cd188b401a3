package api_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/api"
	"onmyway/notify"
)

// changeKey changes a stored key.
func (f *fixture) changeKey(k notify.APIKey, change func(*notify.APIKey)) {
	change(&k)
	f.keys[k.ID] = k
}

// Only who holds the right secret learns what became of a key.
func TestKeysThatAreRefused(t *testing.T) {
	past := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	revoked := func(k *notify.APIKey) { k.RevokedAt = past }
	expired := func(k *notify.APIKey) { k.ExpiresAt = past }
	tests := []struct {
		name   string
		change func(*notify.APIKey)
		wrong  bool // another secret with the same id
		code   string
		says   string
	}{
		{"revoked", revoked, false, "key_revoked", "revoked on 2026-03-04"},
		{"revoked, wrong secret", revoked, true, "unauthorized", "no API key of this service"},
		{"expired", expired, false, "key_expired", "expired on 2026-03-04"},
		{"expired, wrong secret", expired, true, "unauthorized", "no API key of this service"},
		{"wrong secret", func(*notify.APIKey) {}, true, "unauthorized", "no API key of this service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.changeKey(f.addKey("desk", api.MessagesRead), tt.change)
			secret := f.secrets["desk"]
			if tt.wrong {
				secret = secret[:len(secret)-4] + "AAAA"
			}
			w := f.do("GET /v1/messages", "", "Authorization", "Bearer "+secret)
			p := wantProblem(t, w, http.StatusUnauthorized, tt.code)
			if !strings.Contains(p.Detail, tt.says) {
				t.Errorf("it says %q", p.Detail)
			}
			if strings.Contains(f.log.String(), secret) {
				t.Error("the secret is in the log")
			}
		})
	}
}

// The shape is checked before SQL is asked, and an unknown id says the same as a wrong secret.
func TestUnknownKeys(t *testing.T) {
	f := newFixture(t)
	for _, secret := range []string{"x", "omw_", "omw_0123456789abcdef_short"} {
		wantProblem(t, f.do("GET /v1/messages", "", "Authorization", "Bearer "+secret), http.StatusUnauthorized, "unauthorized")
	}
	if f.keyAsked != 0 {
		t.Errorf("SQL was asked %d times for what is no key", f.keyAsked)
	}
	_, secret := notify.NewAPIKey("stranger", nil, notify.Act{}, time.Time{})
	wantProblem(t, f.do("GET /v1/messages", "", "Authorization", "Bearer "+secret), http.StatusUnauthorized, "unauthorized")
	if f.keyAsked != 1 {
		t.Errorf("SQL was asked %d times for a key", f.keyAsked)
	}
}

func TestARevocationHoldsAtOnce(t *testing.T) {
	f := newFixture(t)
	k := f.addKey("desk", api.MessagesRead)
	wantStatus(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusOK)
	f.changeKey(k, func(k *notify.APIKey) { k.RevokedAt = time.Now() })
	wantProblem(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusUnauthorized, "key_revoked")
	f.Fail["Key"] = errSecret // what was good before must not be so again
	wantProblem(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusServiceUnavailable, "keys_unavailable")
}

// While SQL does not answer, producers go on with what is known, for five minutes and for keys that were good.
func TestKeysWithoutSQL(t *testing.T) {
	const event = `{"order_id":"CH-1","milestone":"delivered"}`
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.addKey("producer", api.EventsWrite)
		f.addKey("unseen", api.EventsWrite)
		publish := func(name string) int {
			return f.do("POST /v1/events", event, "Authorization", f.bearer(name)).Code
		}
		if got := publish("producer"); got != http.StatusAccepted {
			t.Fatalf("status %d", got)
		}
		f.Fail["Key"] = errSecret
		w := f.do("POST /v1/events", event, "Authorization", f.bearer("unseen"))
		wantProblem(t, w, http.StatusServiceUnavailable, "keys_unavailable")
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if got := publish("producer"); got != http.StatusAccepted {
			t.Errorf("without SQL: %d", got)
		}
		wantProblem(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("producer")), http.StatusForbidden, "missing_scope")

		f.Fail["Key"], f.Fail["KeyHangs"] = nil, errSecret
		began := time.Now()
		if got := publish("producer"); got != http.StatusAccepted || time.Since(began) > time.Second {
			t.Errorf("SQL hangs: %d after %v", got, time.Since(began))
		}
		time.Sleep(5*time.Minute + time.Second)
		if got := publish("producer"); got != http.StatusServiceUnavailable {
			t.Errorf("after more than five minutes: %d", got)
		}
	})
}

// What SQL says counts more than what is remembered.
func TestADeletedKeyIsForgotten(t *testing.T) {
	f := newFixture(t)
	k := f.addKey("desk", api.MessagesRead)
	wantStatus(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusOK)
	delete(f.keys, k.ID)
	wantProblem(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusUnauthorized, "unauthorized")
	f.Fail["Key"] = errSecret
	wantProblem(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusServiceUnavailable, "keys_unavailable")
}

func TestUseOfAKeyIsNotedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.addKey("desk", api.MessagesRead)
		call := func(times int) {
			for range times {
				wantStatus(t, f.do("GET /v1/messages", "", "Authorization", f.bearer("desk")), http.StatusOK)
			}
		}
		call(5)
		if len(f.keyUsed) != 1 {
			t.Errorf("noted %d times", len(f.keyUsed))
		}
		time.Sleep(time.Minute)
		f.Fail["KeyUsed"] = errSecret // the caller does not suffer from it
		call(5)
		if len(f.keyUsed) != 2 {
			t.Errorf("noted %d times in two minutes", len(f.keyUsed))
		}
	})
}

func TestBootstrapKeyNeedsNoSQL(t *testing.T) {
	f := newFixture(t)
	f.Fail["Key"] = errSecret
	wantStatus(t, f.do("GET /v1/messages", ""), http.StatusOK)
	none := newFixture(t, func(c *api.Config, _ *api.Deps) { c.Bootstrap = api.BootstrapKey("") })
	wantProblem(t, none.do("GET /v1/messages", ""), http.StatusUnauthorized, "unauthorized")
	wantProblem(t, none.do("GET /v1/messages", "", "Authorization", "Bearer "), http.StatusUnauthorized, "unauthorized")
}
