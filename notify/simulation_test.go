package notify_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

var ctxOfStory = context.Background()

// seeds are those that a test of n seeds tries: ONMYWAY_TEST_SEED alone where it is set, many more with ONMYWAY_TEST_LONG.
func seeds(t *testing.T, n, long int) (list []uint64) {
	t.Helper()
	if one := os.Getenv("ONMYWAY_TEST_SEED"); one != "" {
		seed, err := strconv.ParseUint(one, 10, 64)
		if err != nil {
			t.Fatalf("ONMYWAY_TEST_SEED is no number: %v", err)
		}
		return []uint64{seed}
	}
	switch {
	case os.Getenv("ONMYWAY_TEST_LONG") != "":
		n = long
	case raceDetector: // ten times as slow: scripts/test runs all seeds without it
		n = max(n/5, 1)
	}
	for i := range n {
		list = append(list, uint64(i)+1)
	}
	return list
}

// simulate tells a story and demands that every promise held. It returns the world, for what else a test wants to know.
func simulate(t *testing.T, r *notify.Rules, seed uint64, f faults, s story) (w *world) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		w = newWorld(r, seed, f)
		w.tell(s)
		w.heal()
		w.judge()
		w.end()
	})
	if wrong := w.wrong(); wrong != "" {
		t.Fatalf("seed %d: %s\nplay it again: ONMYWAY_TEST_SEED=%d go test ./notify -run '^%s$'", seed, wrong, seed, t.Name())
	}
	return w
}

// TestSimulation lets three processes live through minutes in which everything goes wrong that can.
func TestSimulation(t *testing.T) {
	happened := map[string]int{}
	texts, digests := 0, 0
	s := story{lasts: 4 * time.Minute, orders: 15, customers: 8, nodes: 3, accidents: 1}
	for _, seed := range seeds(t, 50, 5000) {
		w := simulate(t, simRules(t), seed, mayhem, s)
		texts += len(w.sms.ledger)
		for i := range w.sms.ledger {
			if w.sms.ledger[i].IsDigest() {
				digests++
			}
		}
		for what, n := range w.happened {
			happened[what] += n
		}
	}
	t.Logf("%d texts, %d of them digests; what went wrong: %v", texts, digests, happened)
	if digests == 0 && os.Getenv("ONMYWAY_TEST_SEED") == "" {
		t.Error("no number had enough: the limit of texts to one was not exercised")
	}
}
