package notify_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestMutants builds this package broken on purpose, by a tag, and demands that the simulation finds it out: a simulation that
// lets one of them pass proves nothing about the program that is not broken.
func TestMutants(t *testing.T) {
	if os.Getenv("ONMYWAY_TEST_LONG") == "" {
		t.Skip("it compiles the package three times: set ONMYWAY_TEST_LONG=1")
	}
	for tag, promise := range map[string]string{
		"bad_no_verify":      "I1|I3|I9", // a text twice, or on its way to that
		"bad_send_then_mark": "I1|I3|I7",
		"bad_redis_first":    "I2|G1", // an event lost
	} {
		t.Run(tag, func(t *testing.T) {
			run := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-tags", tag, "-run", "^TestSimulation$", ".")
			run.Env = os.Environ()
			out, err := run.CombinedOutput()
			found := regexp.MustCompile(`seed (\d+): (` + promise + `):`).FindSubmatch(out)
			if err == nil || found == nil {
				t.Fatalf("the simulation did not find %s: %v\n%.2000s", tag, err, out)
			}
			t.Logf("%s: found by %s with seed %s of those from 1 on", tag, found[2], found[1])
		})
	}
}
