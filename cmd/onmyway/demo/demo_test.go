package demo_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"onmyway/cmd/onmyway/demo"
)

// built is the folder of the service's binary, once it is built.
var built string

// command builds the service once.
var command = sync.OnceValues(func() ([]string, error) {
	dir, err := os.MkdirTemp("", "onmyway-service-")
	if err != nil {
		return nil, err
	}
	built = dir
	binary := filepath.Join(dir, "onmyway")
	out, err := exec.Command("go", "build", "-o", binary, "onmyway/cmd/onmyway").CombinedOutput()
	if err != nil {
		return nil, &buildError{err, string(out)}
	}
	return []string{binary, "serve"}, nil
})

type buildError struct {
	error
	out string
}

func (e *buildError) Error() string { return e.error.Error() + "\n" + e.out }

// service is the command that runs the service. Its tests take seconds.
func service(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole service: not with -short")
	}
	c, err := command()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return c
}

// nothingLeft checks that the demo has removed its folder.
func nothingLeft(t *testing.T) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "onmyway-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOnce(t *testing.T) {
	for name, o := range map[string]demo.Options{
		"undisturbed": {Events: 300},
		"killed":      {Events: 300, Kills: 1},
		"on engines of one's own": {Events: 60, Kafka: os.Getenv("ONMYWAY_TEST_KAFKA"), Redis: os.Getenv("ONMYWAY_TEST_REDIS"),
			Database: os.Getenv("ONMYWAY_TEST_POSTGRES")},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "on engines of one's own" && (o.Kafka == "" || o.Redis == "") {
				t.Skip("ONMYWAY_TEST_KAFKA and ONMYWAY_TEST_REDIS are not set")
			}
			var complaints strings.Builder
			o.Command, o.Out, o.Err = service(t), io.Discard, &complaints
			rep, err := demo.Once(t.Context(), o)
			if err != nil {
				t.Fatalf("%v\n%s", err, complaints.String())
			}
			if !rep.OK() {
				rep.Complain(&complaints)
				t.Errorf("lost %d, doubled %d, unexpected %d\n%s", rep.Lost, rep.Doubled, rep.Unexpected, complaints.String())
			}
			if rep.Events != o.Events || rep.Repeats == 0 || rep.Messages.SMS.Accepted == 0 ||
				rep.Messages.Push.Accepted == 0 || rep.Messages.WebSocket.Sent == 0 {
				t.Errorf("report %+v", rep)
			}
			nothingLeft(t)
		})
	}
}

func TestOnceTellsWhyTheServiceDoesNotStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the engines: not with -short")
	}
	t.Setenv("TMPDIR", t.TempDir())
	_, err := demo.Once(t.Context(), demo.Options{Command: []string{"sh", "-c", "echo no room on this ship; exit 1"}, Events: 1, Out: io.Discard, Err: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "no room on this ship") {
		t.Errorf("error %v, want the last words of the service", err)
	}
	nothingLeft(t)
}

// output is written by the demo and read by the test.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// find waits until a pattern shows and returns its first group.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(time.Minute)
	for {
		o.mu.Lock()
		text := o.text.String()
		o.mu.Unlock()
		if m := re.FindStringSubmatch(text); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-deadline:
			t.Fatalf("no %q in:\n%s", pattern, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestPlay(t *testing.T) {
	o := &output{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	options := demo.Options{Command: service(t), Addr: "127.0.0.1:0", Out: o, Err: io.Discard}
	go func() { ended <- demo.Play(ctx, options) }()
	defer stop()
	page := o.find(t, `Open\s+(http://\S+)`)
	o.find(t, `(?m)^text .* ms$`)
	o.find(t, `(?m)^push .* ms$`)
	o.find(t, `(?m)^live .* ms$`)
	html := get(t, page+"/")
	for _, want := range []string{"Dana, by text", "Events in", "Push: Dana has no device with alerts"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<style", " style=", "onclick", "javascript:"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q, which its policy forbids", bad)
		}
	}
	press(t, page, "/kill")
	o.find(t, `kill -9`)
	o.find(t, `(?m)^back after .*Lost 0, doubled 0`)

	stop()
	began := time.Now()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("ending took %s", took)
	}
	nothingLeft(t)
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, res.StatusCode, err)
	}
	return string(b)
}

func press(t *testing.T, page, button string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, page+button, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", page)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", button, res.StatusCode)
	}
}
