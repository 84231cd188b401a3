package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Connections that the other side keeps open end when the process does.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// pick is the short part of a load that runs with every other test, or the long one when somebody has the time.
func pick(t *testing.T, short, long float64) float64 {
	t.Helper()
	if testing.Short() {
		t.Skip("no processes are started and killed: it takes a minute")
	}
	if os.Getenv("ONMYWAY_TEST_LONG") != "" {
		return long
	}
	return short
}

// program builds the program once for all tests of the package, without the race detector: the kills and the load are the test.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	binary, err := build(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// TestPromises runs the scenarios that say most in the least time, with as much load as reaches their rare paths.
func TestPromises(t *testing.T) {
	cases := []struct {
		id    string
		scale float64
	}{{"R3", pick(t, 0.03, 0.1)}, {"R11", pick(t, 0.02, 0.1)}, {"R18", pick(t, 0.03, 0.1)}, {"R1", pick(t, 0.02, 0.1)}}
	binary := program(t)
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			s, _ := scenarioOf(c.id)
			o := &options{scale: c.scale, kafka: "kfake"}
			r := o.try(t.Context(), s, 20_001, folder(t), binary)
			tell(t, r)
			if r.Skipped == "" && !r.Pass {
				t.Errorf("%s failed:\n%s", c.id, strings.Join(r.Failures, "\n"))
			}
		})
	}
}

// TestControls builds two programs that are broken on purpose: the harness must find them out.
func TestControls(t *testing.T) {
	for tag, scale := range map[string]float64{"bad_no_verify": pick(t, 0.2, 0.5), "bad_stop_cached": pick(t, 0.25, 0.5)} {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			o := &options{only: tag, scale: scale, seed: 30_001, kafka: "kfake"}
			list, err := o.chosenControls()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
			defer cancel()
			r, err := o.catch(ctx, list[0], folder(t))
			if err != nil {
				t.Fatal(err)
			}
			tell(t, r)
			if list[0].found(r) == "" {
				t.Errorf("%s went unnoticed: %v", tag, r.Failures)
			}
		})
	}
}

// folder is one that PostgreSQL's own user can enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "onmyway-torture-test")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

func tell(t *testing.T, r result) {
	t.Helper()
	if r.Skipped != "" {
		t.Skipf("!!! %s !!!", r.Skipped)
	}
	t.Logf("%s seed %d: %d events, %d faults, lost %d, doubled %d, residual %d, %.1f s", r.ID, r.Seed, r.Events, r.Faults, r.Lost,
		r.Doubled, r.Residual, r.Seconds)
}
