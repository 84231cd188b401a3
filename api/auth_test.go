package api_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	"onmyway/api"
)

// everyCall lists the routes of the router itself, with values for what stands in braces.
func everyCall(t *testing.T, f *fixture) (calls []string) {
	values := strings.NewReplacer("/*", "", "{id}", entryID.String(), "{sid}", "abc", "{code}", "not_found")
	err := chi.Walk(f.handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if route != "/connection/websocket" {
			calls = append(calls, method+" "+values.Replace(route))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(calls)
	return calls
}

// The matrix of every route and every scope equals the golden file: "ok" is any answer of the call itself. A new call
// needs a line there, so nobody adds one that is open by mistake.
func TestAuthMatrix(t *testing.T) {
	f := newFixture(t)
	callers := []string{"none", "wrong", "idle"}
	for _, s := range api.Scopes {
		callers = append(callers, string(s))
	}
	callers = append(callers, "root")
	var got strings.Builder
	for _, call := range everyCall(t, f) {
		fmt.Fprintln(&got, strings.ReplaceAll(call, entryID.String(), "{id}"))
		for _, caller := range callers {
			authorization, ok := map[string]string{"none": "", "root": "Bearer " + rootKey, "wrong": "Bearer wrong"}[caller]
			if !ok {
				authorization = f.bearer(caller)
			}
			answer := "ok"
			if w := f.do(call, "", "Authorization", authorization); w.Code == 401 || w.Code == 403 {
				answer = fmt.Sprint(w.Code)
			}
			fmt.Fprintf(&got, "  %-18s %s\n", caller, answer)
		}
	}
	golden(t, filepath.Join("testdata", "auth.golden"), got.String())
}

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +now), -update when it is meant:\n%s", path, diff)
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
	f := newFixture(t)
	w := f.do("GET /v1/messages", "", "Authorization", f.bearer("tokens:write"))
	p := wantProblem(t, w, http.StatusForbidden, "missing_scope")
	if !strings.Contains(p.Detail, "messages:read") || !strings.Contains(w.Header().Get("WWW-Authenticate"), `scope="messages:read"`) {
		t.Errorf("%s, %v", p.Detail, w.Header())
	}
}

// A body is not even read before the key is known.
func TestKeyComesBeforeTheBody(t *testing.T) {
	f := newFixture(t)
	wantProblem(t, f.do("PUT /v1/customers/c-1", "not json", "Authorization", ""), 401, "unauthorized")
	w := f.do("POST /v1/events", `{"order_id":"o","milestone":"m"}`, "Authorization", f.bearer("idle"))
	wantProblem(t, w, 403, "missing_scope")
	if f.produceCalls != 0 {
		t.Error("published without the scope")
	}
}
