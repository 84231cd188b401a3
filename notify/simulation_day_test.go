package notify_test

import (
	"os"
	"testing"
	"time"
)

// TestSimulatedDay lets three processes live through a day.
func TestSimulatedDay(t *testing.T) {
	if os.Getenv("ONMYWAY_TEST_LONG") == "" && os.Getenv("ONMYWAY_TEST_SEED") == "" {
		t.Skip("a day takes half a minute: set ONMYWAY_TEST_LONG=1")
	}
	s := story{lasts: 24 * time.Hour, orders: 120, customers: 40, nodes: 3, accidents: 20}
	f := mayhem
	f.crash = 0.0001
	for _, seed := range seeds(t, 1, 3) {
		began := time.Now()
		w := simulate(t, simRules(t), seed, f, s)
		t.Logf("seed %d: %d texts and %d pushes, %s; what went wrong: %v", seed, len(w.sms.ledger), len(w.push.ledger), time.Since(began), w.happened)
	}
}
