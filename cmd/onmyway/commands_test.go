package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// invocation is what a command made of its arguments, in process.
type invocation struct {
	code     int
	out, err string
}

// invoke runs a command line in process, with an environment that has nothing of ours but env.
func invoke(t *testing.T, env map[string]string, stdin string, args ...string) invocation {
	t.Helper()
	return invokeWith(t.Context(), t, env, strings.NewReader(stdin), args...)
}

func invokeWith(ctx context.Context, t *testing.T, env map[string]string, stdin io.Reader, args ...string) invocation {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, envPrefix) && !strings.HasPrefix(name, envPrefix+"TEST_") {
			t.Setenv(name, "") // gives it back afterwards
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	var out, told bytes.Buffer
	root := command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(&told)
	err := root.ExecuteContext(ctx)
	v := invocation{out: out.String(), err: told.String()}
	if err != nil {
		v.code = 1
		if errors.As(err, new(usageError)) {
			v.code = 2
		}
		v.err += "onmyway: " + err.Error() + "\n"
	}
	return v
}

// want judges an invocation. Says must be in what it writes, silent must not.
func (v invocation) want(t *testing.T, code int, says ...string) {
	t.Helper()
	if v.code != code {
		t.Errorf("exit code %d, want %d", v.code, code)
	}
	for _, s := range says {
		if !strings.Contains(v.out+v.err, s) {
			t.Errorf("it does not say %q", s)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", v.out, v.err)
	}
}

// restKey is the key of the tests' service.
const restKey = "omw_test-key"

// restTo is the environment of a command that calls a service.
func restTo(s *httptest.Server) map[string]string {
	return map[string]string{urlVariable: s.URL, keyVariable: restKey}
}

// serveREST runs a service in place of the real one.
func serveREST(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+restKey {
			answer(w, http.StatusUnauthorized, `{"title":"A valid API key is needed","code":"unauthorized","status":401}`)
			return
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// answer writes JSON, or a problem for a status that is one.
func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	if status >= 400 && strings.Contains(body, `"title"`) {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// fileWith makes a file in a folder of its own and gives its path.
func fileWith(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// inZone lets commands tell times on the clock of a zone.
func inZone(t *testing.T, zone *time.Location) {
	t.Helper()
	was := time.Local
	time.Local = zone
	t.Cleanup(func() { time.Local = was })
}

func TestReadWhen(t *testing.T) {
	inZone(t, time.FixedZone("", -8*3600))
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	tests := map[string]string{
		"2h": "2026-11-21T10:00:00Z", "3d": "2026-11-18T12:00:00Z", "90m": "2026-11-21T10:30:00Z",
		"2026-11-20T19:00:00-05:00": "2026-11-21T00:00:00Z", "2026-11-20": "2026-11-20T08:00:00Z",
	}
	for said, want := range tests {
		if at, err := readWhen(said, now); err != nil || at.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v; want %s", said, at, err, want)
		}
	}
	for _, said := range []string{"", "yesterday", "-2h", "0d", "2026-13-01", "9999999d", "2026-11-20T19:00:00"} {
		if at, err := readWhen(said, now); err == nil {
			t.Errorf("%q is taken for %v", said, at)
		}
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine("Dana\x1b[2J\r\n\u202eReyes\u2028x"); got != "Dana [2J   Reyes x" {
		t.Errorf("%q", got)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// TestProgressBar: a terminal gets one line that is rewritten, and words of their own lines are not written into it.
func TestProgressBar(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, 200)
	p.bar = true
	p.began, p.last = time.Now().Add(-10*time.Second), time.Time{}
	p.show(100, 5000, "events")
	p.show(101, 5001, "events") // too soon
	p.say("line 3: is wrong")
	got := b.String()
	if !strings.HasPrefix(got, "\r["+strings.Repeat("#", 15)+strings.Repeat(".", 15)+"]  50 %  5,000 events") ||
		strings.Count(got, "events") != 1 || !strings.HasSuffix(got, " \rline 3: is wrong\n") {
		t.Errorf("%q", got)
	}
}

// TestCommandsHaveHelp: everything that people type has words and an example.
func TestCommandsHaveHelp(t *testing.T) {
	for _, name := range []string{"events publish", "messages list", "messages show", "messages resend", "customers import",
		"keys create", "keys list", "keys revoke"} {
		cmd, _, err := command().Find(strings.Fields(name))
		if err != nil || cmd.Name() != strings.Fields(name)[1] {
			t.Fatalf("%s: %v", name, err)
		}
		if cmd.Short == "" || !strings.Contains(cmd.Example, "onmyway "+name) {
			t.Errorf("%s has no example or no words", name)
		}
		if !slices.Contains([]string{"o"}, cmd.Flags().Lookup("output").Shorthand) {
			t.Errorf("%s has no -o", name)
		}
	}
}
