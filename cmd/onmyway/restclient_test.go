package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// client is a restClient that waits for nothing and notes for how long it would have.
func client(s *httptest.Server, waits *[]time.Duration) *restClient {
	c := &restClient{base: mustURL(s.URL), key: restKey, http: restHTTP()}
	c.pause = func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	}
	return c
}

func TestCallTriesAgain(t *testing.T) {
	const busy = `{"title":"Too many requests","status":429}`
	tests := []struct {
		name    string
		answers []func(w http.ResponseWriter)
		waits   []time.Duration
		fails   string
	}{
		{"at once", []func(http.ResponseWriter){ok}, nil, ""},
		{"as asked", []func(http.ResponseWriter){after("7", 429, busy), ok}, []time.Duration{7 * time.Second}, ""},
		{"not for hours", []func(http.ResponseWriter){after("86400", 503, busy), ok}, []time.Duration{longestWait}, ""},
		{"backs off", []func(http.ResponseWriter){after("", 502, ""), after("", 503, ""), ok},
			[]time.Duration{500 * time.Millisecond, time.Second}, ""},
		{"connection cut", []func(http.ResponseWriter){cut, ok}, []time.Duration{500 * time.Millisecond}, ""},
		{"bounded", []func(http.ResponseWriter){cut, cut, cut, cut, cut, ok},
			[]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}, "gave up after 5 tries"},
		{"a final no", []func(http.ResponseWriter){after("1", 409, `{"title":"No","detail":"turned off","status":409}`), ok}, nil, "No: turned off"},
		{"our own fault", []func(http.ResponseWriter){after("", 500, `{"title":"Something went wrong","status":500}`), ok}, nil, "request r-1"},
		{"elsewhere", []func(http.ResponseWriter){moved, ok}, nil, "as --url"},
		{"somebody else", []func(http.ResponseWriter){after("", 404, "<html>"), ok}, nil, "is --url right?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Request-Id", "r-1")
				calls++
				tt.answers[calls-1](w)
			})
			var waits []time.Duration
			body, err := client(s, &waits).call(t.Context(), restCall{method: http.MethodGet, path: "/v1/messages"})
			if tt.fails == "" && (err != nil || string(body) != "{}") || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("%s, %v; want %q", body, err, tt.fails)
			}
			if diff := cmp.Diff(tt.waits, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

func ok(w http.ResponseWriter) { answer(w, 200, "{}") }
func cut(http.ResponseWriter)  { panic(http.ErrAbortHandler) }
func moved(w http.ResponseWriter) {
	w.Header().Set("Location", "https://elsewhere.example/")
	w.WriteHeader(http.StatusFound)
}

func after(seconds string, status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if seconds != "" {
			w.Header().Set("Retry-After", seconds)
		}
		answer(w, status, body)
	}
}

// TestCallStops: whoever interrupts a command does not wait for its next try.
func TestCallStops(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) { after("30", 503, "")(w) })
	ctx, cancel := context.WithCancel(t.Context())
	var waits []time.Duration
	c := client(s, &waits)
	c.pause = func(ctx context.Context, _ time.Duration) error {
		cancel()
		return sleep(ctx, time.Hour)
	}
	_, err := c.call(ctx, restCall{method: http.MethodGet, path: "/v1/messages"})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestProblemInWords: each wrong field has a line, and nothing in an answer steers the terminal.
func TestProblemInWords(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 422, `{"title":"The request has wrong fields","detail":"mend the fields in errors","status":422,
			"errors":[{"field":"phone","detail":"is no number\u001b[31m"},{"field":"until","detail":"is not after since"}]}`)
	})
	v := invoke(t, restTo(s), "", "messages", "list", "--phone", "1")
	v.want(t, 1, "onmyway: The request has wrong fields\n  --phone is no number [31m\n  --until is not after since\n")
}

// TestUnreachable: the error says where it called, and not what for.
func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	c := client(s, new([]time.Duration))
	_, err := c.call(t.Context(), restCall{method: http.MethodGet, path: "/v1/messages", query: map[string][]string{"phone": {"4155550123"}}})
	if err == nil || strings.Contains(err.Error(), "555") || !strings.Contains(err.Error(), "is the service running there?") {
		t.Error(err)
	}
}

func TestRESTUsage(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/messages" {
			answer(w, 404, `{}`)
			return
		}
		answer(w, 200, `{"items":[]}`)
	})
	tests := []struct {
		name string
		env  map[string]string
		args []string
		code int
		says string
	}{
		{"the address of REST", map[string]string{urlVariable: s.URL + "/v1/", keyVariable: restKey}, nil, 0, "no messages"},
		{"no key", map[string]string{urlVariable: s.URL}, nil, 2, "$ONMYWAY_API_KEY"},
		{"key in a file", map[string]string{urlVariable: s.URL}, []string{"--key-file", fileWith(t, "key", restKey+"\n")}, 0, "no messages"},
		{"the file wins", map[string]string{urlVariable: s.URL, keyVariable: "x"}, []string{"--key-file", fileWith(t, "key", restKey)}, 0, "no messages"},
		{"wrong file", map[string]string{urlVariable: s.URL}, []string{"--key-file", fileWith(t, "key", "a: b\nc: d\n")}, 2, "is it the right file?"},
		{"no such file", map[string]string{urlVariable: s.URL}, []string{"--key-file", "/nowhere"}, 2, "--key-file"},
		{"wrong key", map[string]string{urlVariable: s.URL, keyVariable: "other"}, nil, 1, "A valid API key is needed"},
		{"no address", map[string]string{urlVariable: "localhost:8080", keyVariable: restKey}, nil, 2, "--url"},
		{"address with a password", map[string]string{urlVariable: "http://a:b@localhost", keyVariable: restKey}, nil, 2, "--url"},
		{"flag over variable", map[string]string{urlVariable: "http://127.0.0.1:1", keyVariable: restKey}, []string{"--url", s.URL + "/"}, 0, "no messages"},
		{"format", restTo(s), []string{"-o", "xml"}, 2, "use table or json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			invoke(t, tt.env, "", append([]string{"messages", "list"}, tt.args...)...).want(t, tt.code, tt.says)
		})
	}
}
