package api_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/api"
	"onmyway/notify"
)

func TestMakeToken(t *testing.T) {
	born := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when synctest begins
	tests := []struct {
		name, body string
		want       notify.Grant
	}{
		{"no body", "", notify.Grant{CustomerID: "c-42", Expires: born.Add(24 * time.Hour)}},
		{"empty body", "{}", notify.Grant{CustomerID: "c-42", Expires: born.Add(24 * time.Hour)}},
		{"one order", `{"order_id":"CH-1"}`, notify.Grant{CustomerID: "c-42", OrderID: "CH-1", Expires: born.Add(24 * time.Hour)}},
		{"hours", `{"ttl":"90m"}`, notify.Grant{CustomerID: "c-42", Expires: born.Add(90 * time.Minute)}},
		{"seconds", `{"ttl":"3600"}`, notify.Grant{CustomerID: "c-42", Expires: born.Add(time.Hour)}},
		{"days", `{"ttl":"90d"}`, notify.Grant{CustomerID: "c-42", Expires: born.Add(90 * 24 * time.Hour)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				w := f.do("POST /v1/customers/c-42/tokens", tt.body)
				wantStatus(t, w, http.StatusCreated)
				wantJSON(t, w, `{"token":"omw1.claims.sum","tracker_url":"https://track.example.com/t/omw1.claims.sum",
					"expires_at":"`+tt.want.Expires.Format(time.RFC3339)+`"}`)
				if diff := cmp.Diff([]notify.Grant{tt.want}, f.grants); diff != "" {
					t.Errorf("grant (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestMakeTokenFaults(t *testing.T) {
	for _, ttl := range []string{"0", "-1h", "91d", "2161h", "1ms", "soon", "1.5d", "d", "99999999999999999999"} {
		f := newFixture(t)
		p := wantProblem(t, f.do("POST /v1/customers/c-42/tokens", `{"ttl":"`+ttl+`"}`), http.StatusUnprocessableEntity, "invalid_request")
		if diff := cmp.Diff([]string{"ttl"}, p.fields()); diff != "" {
			t.Errorf("%s: %s", ttl, diff)
		}
	}
}

func FuzzTTL(f *testing.F) {
	for _, s := range []string{"", "24h", "90d", "3600", "1h30m", "-1s", "16777216d", "9999999h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ttl, ok := api.ReadTTL(s); ok && (ttl < time.Second || ttl > 90*24*time.Hour) {
			t.Errorf("%q is %v", s, ttl)
		}
	})
}
