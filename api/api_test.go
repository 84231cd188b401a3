package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"onmyway/api"
	"onmyway/notify"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const rootKey = "omw_root_0123456789abcdef"

// fixture is an API over a world.
type fixture struct {
	*world
	t       testing.TB
	handler http.Handler
	log     bytes.Buffer
	secrets map[string]string // of keys, by name
}

func newFixture(t testing.TB, change ...func(*api.Config, *api.Deps)) *fixture {
	f := &fixture{world: newWorld(), t: t, secrets: map[string]string{}}
	f.addKey("idle")
	for _, s := range api.Scopes {
		f.addKey(string(s), s)
	}
	routes, err := notify.CompileRoutes([]notify.Route{{Name: "everything", Channels: notify.Channels}})
	if err != nil {
		t.Fatal(err)
	}
	f.routes = routes
	cfg := api.Config{Bootstrap: api.BootstrapKey(rootKey), Topic: "order-events", PublicURL: "https://track.example.com/"}
	deps := api.Deps{
		Keys: f.world, Publisher: f.world, Decode: decode, Phone: phone, Orders: f.world, Messages: f.world, Resender: f.world,
		Explainer: &notify.Explainer{Store: f.world, Rules: f.rules}, Rules: f.rules, Customers: f.world, Consents: f.world, Numbers: f.world,
		Subscriptions: f.world, CheckSubscription: checkSubscription, Signer: f.world, Recorder: f.world, Audit: f.world,
		DeadLetters: f.world, Remember: f.remember,
		Checks:      map[string]func(context.Context) error{"kafka": func(context.Context) error { return nil }},
		WebSocket:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		VAPIDPublic: "BPublic",
	}
	for _, c := range change {
		c(&cfg, &deps)
	}
	f.handler = api.New(cfg, deps, slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	return f
}

// addKey makes a key with scopes.
func (f *fixture) addKey(name string, scopes ...api.Scope) notify.APIKey {
	var words []string
	for _, s := range scopes {
		words = append(words, string(s))
	}
	k, secret := notify.NewAPIKey(name, words, notify.Act{At: time.Now(), By: "test"}, time.Time{})
	f.keys[k.ID], f.secrets[name] = k, secret
	return k
}

// bearer is the header of a key, by its name.
func (f *fixture) bearer(name string) string { return "Bearer " + f.secrets[name] }

// do calls with the root key; header pairs follow, an empty value takes a header away.
func (f *fixture) do(call, body string, header ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	method, target, _ := strings.Cut(call, " ")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+rootKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	Errors                    []notify.Problem
}

// wantProblem checks the shape that every error has, and its status and code.
func wantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, code string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("the body is no problem: %v: %s", err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if w.Code != status || p.Status != status || p.Code != code || p.Type != "/problems/"+code || p.Title == "" {
		t.Errorf("got %d %+v, want %d %s", w.Code, p, status, code)
	}
	return p
}

// fields are the names of what is wrong.
func (p problem) fields() []string {
	names := []string{}
	for _, e := range p.Errors {
		names = append(names, e.Field)
	}
	return names
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
}

func wantJSON(t testing.TB, w *httptest.ResponseRecorder, want string) {
	t.Helper()
	var got, wanted any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("body %s: %v", w.Body, err)
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatalf("want %s: %v", want, err)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestPublicCalls(t *testing.T) {
	f := newFixture(t)
	w := f.do("GET /v1/push-key", "", "Authorization", "")
	wantStatus(t, w, http.StatusOK)
	wantJSON(t, w, `{"public_key":"BPublic"}`)
	wantStatus(t, f.do("HEAD /healthz", "", "Authorization", ""), http.StatusOK)
	wantStatus(t, f.do("GET /connection/websocket", "", "Authorization", ""), http.StatusTeapot)

	none := newFixture(t, func(_ *api.Config, d *api.Deps) { d.VAPIDPublic, d.WebSocket = "", nil })
	wantProblem(t, none.do("GET /v1/push-key", ""), http.StatusNotFound, "not_found")
	wantProblem(t, none.do("GET /connection/websocket", ""), http.StatusNotFound, "not_found")
}

// The hub takes over the connection, so it must see the ResponseWriter of the server itself.
func TestWebSocketGetsThePlainResponseWriter(t *testing.T) {
	var seen http.ResponseWriter
	f := newFixture(t, func(_ *api.Config, d *api.Deps) {
		d.WebSocket = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { seen = w })
	})
	if w := f.do("GET /connection/websocket", ""); seen != http.ResponseWriter(w) {
		t.Errorf("the hub got a %T", seen)
	}
}

func TestOpenAPI(t *testing.T) {
	f := newFixture(t)
	w := f.do("GET /openapi.json", "", "Authorization", "")
	wantStatus(t, w, http.StatusOK)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || len(doc.Paths) != 17 {
		t.Errorf("OpenAPI %s with %d paths", doc.OpenAPI, len(doc.Paths))
	}
	if strings.Contains(w.Body.String(), "$schema") {
		t.Error("bodies carry $schema")
	}
	if !strings.Contains(w.Body.String(), `"name":"Idempotency-Key"`) {
		t.Error("the Idempotency-Key is not described")
	}
	for _, path := range []string{"/openapi.yaml", "/schemas/Problem.json"} {
		wantProblem(t, f.do("GET "+path, ""), http.StatusNotFound, "not_found")
	}
}

func TestUnknownPathAndMethod(t *testing.T) {
	f := newFixture(t)
	wantProblem(t, f.do("GET /v1/nothing", ""), http.StatusNotFound, "not_found")
	w := f.do("DELETE /v1/customers/c-1", "")
	wantProblem(t, w, http.StatusMethodNotAllowed, "method_not_allowed")
	if got := w.Header().Get("Allow"); got != "GET, PUT, PATCH" {
		t.Errorf("Allow %q", got)
	}
}

// Every route of the router is either public by name or a call that the document gives a scope.
func TestEveryRouteHasAScope(t *testing.T) {
	f := newFixture(t)
	public := map[string]bool{
		"GET /healthz": true, "GET /readyz": true, "GET /openapi.json": true, "GET /openapi-3.0.json": true, "GET /v1/push-key": true,
		"GET /docs": true, "GET /docs/style.css": true, "GET /problems": true, "GET /problems/{code}": true,
		"GET /reasons": true, "GET /reasons/{code}": true,
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	if err := json.Unmarshal(f.do("GET /openapi.json", "").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	calls := 0
	err := chi.Walk(f.handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route = strings.TrimPrefix(route, "/*")
		if public[method+" "+route] || route == "/connection/websocket" {
			return nil
		}
		calls++
		security := doc.Paths[route][strings.ToLower(method)].Security
		if len(security) != 1 || len(security[0]["key"]) != 1 || security[0]["key"][0] == "" {
			t.Errorf("%s %s has no scope: %v", method, route, security)
		}
		return nil
	})
	if err != nil || calls != 22 {
		t.Errorf("walked %d calls: %v", calls, err)
	}
}

// What an engine says never reaches a caller, and reaches the log once.
func TestInternalsStayInside(t *testing.T) {
	calls := map[string]string{
		"Find": "GET /v1/messages", "Entry": "GET /v1/messages/" + entryID.String(), "Customer": "GET /v1/customers/c-1",
		"EditCustomer": "PUT /v1/customers/c-1", "Subscribe": "POST /v1/customers/c-1/push-subscriptions",
		"Subscriptions": "GET /v1/customers/c-1/push-subscriptions", "Sign": "POST /v1/customers/c-1/tokens",
		"Resend": "POST /v1/messages/" + entryID.String() + "/resend",
		"Order":  "GET /v1/orders/o-1", "DeadLetters": "GET /v1/deadletters", "Audit": "GET /v1/audit", "Record": "POST /v1/customers/c-1/tokens",
		"AddConsent": "POST /v1/customers/c-1/consents", "Stops": "GET /v1/stopped-numbers",
		"StopNumber": "PUT /v1/stopped-numbers/+14155550123", "AllowNumber": "DELETE /v1/stopped-numbers/+14155550123?reason=asked",
	}
	bodies := map[string]string{"EditCustomer": `{}`, "Resend": `{"reason":"lost"}`, "Subscribe": pushSubscription,
		"AddConsent": consentGiven, "StopNumber": `{"reason":"wrong number"}`}
	for method, call := range calls {
		t.Run(method, func(t *testing.T) {
			f := newFixture(t)
			f.Fail[method] = errSecret
			w := f.do(call, bodies[method], "Idempotency-Key", "k", "X-Request-Id", "req-7")
			wantProblem(t, w, http.StatusInternalServerError, "internal")
			if strings.Contains(w.Body.String(), "db-7") {
				t.Errorf("shown: %s", w.Body)
			}
			if n := strings.Count(f.log.String(), "db-7"); n != 1 || !strings.Contains(f.log.String(), "request_id=req-7") {
				t.Errorf("logged %d times: %s", n, &f.log)
			}
			if w.Header().Get("X-Request-Id") != "req-7" {
				t.Error("the request id is not in the answer")
			}
			f.Fail[method] = fmt.Errorf("db-7: %w", syscall.ECONNREFUSED)
			w = f.do(call, bodies[method], "Idempotency-Key", "k")
			wantProblem(t, w, http.StatusServiceUnavailable, "database_unavailable")
			if w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "db-7") {
				t.Errorf("while the database is away: %v %s", w.Header(), w.Body)
			}
		})
	}
}

// Over a real connection: the hub can take it over, calls share one, and a body of unknown length is limited all the same.
func TestOverAServer(t *testing.T) {
	f := newFixture(t, func(_ *api.Config, d *api.Deps) {
		d.WebSocket = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
				t.Error(err)
			}
		})
	})
	server := httptest.NewServer(f.handler)
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	call := func(method, path string, body io.Reader) int {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+rootKey)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	endless := io.MultiReader(strings.NewReader(`{"name":"`), io.LimitReader(letters{}, 1<<20))
	for _, tt := range []struct {
		method, path string
		body         io.Reader
		want         int
	}{
		{"PUT", "/v1/customers/c-1", strings.NewReader(dana), http.StatusOK},
		{"GET", "/v1/customers/c-1", nil, http.StatusOK},
		{"PUT", "/v1/customers/c-1", endless, http.StatusRequestEntityTooLarge},
		{"GET", "/readyz", nil, http.StatusOK},
		{"GET", "/connection/websocket", nil, http.StatusSwitchingProtocols},
	} {
		if got := call(tt.method, tt.path, tt.body); got != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, got, tt.want)
		}
	}
}

// letters never ends.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// reader is a body that ends in an error, as when the caller goes away.
type reader struct{ err error }

func (r reader) Read([]byte) (int, error) { return 0, r.err }

func TestBodyThatEndsEarly(t *testing.T) {
	f := newFixture(t)
	r := httptest.NewRequest("PUT", "/v1/customers/c-1", reader{io.ErrUnexpectedEOF})
	r.Header.Set("Authorization", "Bearer "+rootKey)
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	wantProblem(t, w, http.StatusBadRequest, "bad_request")
}
