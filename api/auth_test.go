package api_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var everyCall = []string{
	"POST /v1/events",
	"GET /v1/messages",
	"GET /v1/messages/" + "0193508e-0000-7000-8000-000000000000",
	"POST /v1/messages/" + "0193508e-0000-7000-8000-000000000000" + "/resend",
	"GET /v1/customers/c-1",
	"PUT /v1/customers/c-1",
	"GET /v1/customers/c-1/push-subscriptions",
	"POST /v1/customers/c-1/push-subscriptions",
	"DELETE /v1/customers/c-1/push-subscriptions/abc",
	"POST /v1/customers/c-1/tokens",
	"GET /v1/push-key",
	"GET /healthz",
	"GET /readyz",
	"GET /openapi.json",
}

// The matrix of calls and keys equals the golden file: "ok" is any answer of the call itself.
func TestAuthMatrix(t *testing.T) {
	f := newFixture(t)
	callers := []string{"none", "wrong", "idle"}
	for _, s := range scopes {
		callers = append(callers, string(s))
	}
	callers = append(callers, "root")
	var got strings.Builder
	for _, call := range everyCall {
		fmt.Fprintln(&got, call)
		for _, caller := range callers {
			header := map[string]string{"none": "", "root": "Bearer " + rootKey}
			authorization, ok := header[caller]
			if !ok {
				authorization = "Bearer " + caller
			}
			answer := "ok"
			if w := f.do(call, "", "Authorization", authorization); w.Code == 401 || w.Code == 403 {
				answer = fmt.Sprint(w.Code)
			}
			fmt.Fprintf(&got, "  %-16s %s\n", caller, answer)
		}
	}
	golden := filepath.Join("testdata", "auth.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("who may do what has changed (-golden +now), -update when it is meant:\n%s", diff)
	}
}

func TestAuthorizationHeader(t *testing.T) {
	tests := []struct {
		name, header string
		status       int
	}{
		{"key", "Bearer " + rootKey, 200},
		{"scheme in lower case", "bearer " + rootKey, 200},
		{"none", "", 401},
		{"scheme alone", "Bearer", 401},
		{"empty key", "Bearer ", 401},
		{"basic", "Basic " + rootKey, 401},
		{"key alone", rootKey, 401},
		{"one letter more", "Bearer " + rootKey + "x", 401},
		{"one letter less", "Bearer " + rootKey[1:], 401},
		{"the name of a key", "Bearer root", 401},
		{"very long", "Bearer " + strings.Repeat("x", 1<<16), 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			w := f.do("GET /v1/messages", "", "Authorization", tt.header)
			wantStatus(t, w, tt.status)
			if tt.status == 401 {
				wantProblem(t, w, 401, "unauthorized")
				if !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
					t.Error("no WWW-Authenticate")
				}
			}
		})
	}
}

func TestMissingScopeIsNamed(t *testing.T) {
	w := newFixture(t).do("GET /v1/messages", "", "Authorization", "Bearer tokens:write")
	p := wantProblem(t, w, http.StatusForbidden, "missing_scope")
	if !strings.Contains(p.Detail, "messages:read") || !strings.Contains(w.Header().Get("WWW-Authenticate"), `scope="messages:read"`) {
		t.Errorf("%s, %v", p.Detail, w.Header())
	}
}

// A body is not even read before the key is known.
func TestKeyComesBeforeTheBody(t *testing.T) {
	f := newFixture(t)
	wantProblem(t, f.do("PUT /v1/customers/c-1", "not json", "Authorization", ""), 401, "unauthorized")
	w := f.do("POST /v1/events", `{"order_id":"o","milestone":"m"}`, "Authorization", "Bearer idle")
	wantProblem(t, w, 403, "missing_scope")
	if f.produceCalls != 0 {
		t.Error("published without the scope")
	}
}
