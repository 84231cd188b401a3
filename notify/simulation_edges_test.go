package notify_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

// TestSimulationOfClocks has processes whose clocks are up to ten minutes from the truth and jump.
func TestSimulationOfClocks(t *testing.T) {
	f := mayhem
	f.clocks = 10 * time.Minute
	for _, seed := range seeds(t, 10, 1000) {
		simulate(t, simRules(t), seed, f, story{lasts: 4 * time.Minute, orders: 15, customers: 10, nodes: 3, accidents: 4})
	}
}

// points are the places at which a process talks to somebody.
var points = []string{"fetch", "look", "Known", "Lookup", "Add", "mark", "commit", "Begin", "begun", "send", "Finish", "Release",
	"Claim", "Reclaim", "Doubts", "find", "Taken", "Settle", "Silent"}

// troubled is a provider that loses connections and tells nothing by itself, so that texts have to be settled.
var troubled = faults{refused: 0.2, lostAfter: 0.4, lostBefore: 0.2, callbackLost: 1}

// TestStopAtEveryPoint tells a process to stop at each point, in good times and while SQL or the provider does not answer: it
// ends within 20 s, leaves nothing running and nothing undone that its peers would not do.
func TestStopAtEveryPoint(t *testing.T) {
	for _, times := range []string{"good", "SQL away", "slow provider"} {
		for _, point := range points {
			t.Run(times+"/"+point, func(t *testing.T) {
				f := troubled
				if times == "slow provider" {
					f.slow = 0.9
				}
				w := atPoint(t, f, point, func(n *node, w *world) {
					if times == "SQL away" {
						w.sqlAway(40 * time.Second)
					}
					w.inTime(n)
				})
				if wrong := w.wrong(); wrong != "" {
					t.Error(wrong)
				}
			})
		}
	}
}

// TestLockLostAtEveryPoint takes away the lock that says that a process lives, at each point, for shorter and longer than its
// peers need to notice; in the second half it also sleeps meanwhile, so that it wakes up with a text in hand that is not its own
// any more.
func TestLockLostAtEveryPoint(t *testing.T) {
	for _, sleeps := range []bool{false, true} {
		for _, point := range points {
			for _, d := range []time.Duration{time.Second, 20 * time.Second, 3 * time.Minute} {
				t.Run(fmt.Sprintf("sleeps=%v/%s/%s", sleeps, point, d), func(t *testing.T) {
					w := atPoint(t, troubled, point, func(n *node, _ *world) {
						n.loseLock(d)
						if sleeps {
							n.sleep(d)
						}
					})
					if wrong := w.wrong(); wrong != "" {
						t.Error(wrong)
					}
				})
			}
		}
	}
}

// atPoint runs two processes and lets something happen to the first when it comes to a point.
func atPoint(t *testing.T, f faults, point string, happen func(n *node, w *world)) (w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(simRules(t), 7, f)
		first := w.start("first")
		w.start("second")
		first.at(point, 1, func() { happen(first, w) })
		began := time.Now()
		for step, milestone := range steps[:4] {
			for order := range 8 {
				w.log.produce(stepOf(order, step, milestone, began.Add(time.Duration(step)*time.Minute), order))
			}
			time.Sleep(time.Minute)
		}
		w.replace(2)
		w.heal()
		w.judge()
		w.end()
		if first.reached() {
			return
		}
		if !map[string]bool{"Release": true, "Known": true, "find": true, "Taken": true, "Settle": true}[point] { // nothing may lead there
			t.Errorf("no process came to %q", point)
		}
	})
	return w
}

// TestInstantsOfAttempts has a provider that gives one answer to everything: the instants of the attempts follow from the answer.
func TestInstantsOfAttempts(t *testing.T) {
	for _, test := range []struct {
		fate       string
		validity   string // a milestone
		most       int    // attempts
		least      int
		firstGap   time.Duration // at most between the first two
		end        notify.State
		endReasons []notify.Reason
	}{
		{"unreachable", "driver_en_route_to_pickup", 140, 35, 4 * time.Second, notify.Suppressed, []notify.Reason{notify.Expired}},
		{"lost before", "driver_en_route_to_pickup", 120, 60, 90 * time.Second, notify.Suppressed, []notify.Reason{notify.Expired}},
		{"bad number", "driver_arriving_pickup", 1, 1, 0, notify.Failed, []notify.Reason{notify.BadAddress}},
		{"lost after", "driver_arriving_pickup", 1, 1, 0, notify.Delivered, nil},
		{"ok", "driver_arriving_pickup", 1, 1, 0, notify.Delivered, nil},
	} {
		t.Run(test.fate, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(simRules(t), 1, faults{})
				for range 2000 {
					w.sms.script = append(w.sms.script, test.fate)
				}
				w.start("only")
				began := time.Now()
				e := stepOf(1, 0, test.validity, began, 1)
				w.log.produce(e)
				time.Sleep(e.Milestone.Validity + time.Hour)
				ms, err := w.truth.Find(t.Context(), notify.Query{Channel: notify.SMS, Limit: 10})
				if err != nil || len(ms) != 1 {
					t.Fatalf("%d texts, %v", len(ms), err)
				}
				w.judge()
				w.end()
				m := ms[0]
				if wrong := w.wrong(); wrong != "" {
					t.Error(wrong)
				}
				if m.State != test.end || len(test.endReasons) > 0 && m.Reason != test.endReasons[0] {
					t.Errorf("in the end %s (%s), want %s", m.State, m.Reason, test.end)
				}
				if n := len(m.Attempts); n < test.least || n > test.most {
					t.Errorf("%d attempts, want %d to %d", n, test.least, test.most)
				}
				checkGaps(t, m.Attempts, test.firstGap, e.OccurredAt.Add(e.Milestone.Validity))
			})
		})
	}
}

// checkGaps demands that attempts keep away from each other as the envelope says, and that none comes after the text's end.
func checkGaps(t *testing.T, as []notify.Attempt, first time.Duration, expires time.Time) {
	t.Helper()
	for i, a := range as {
		if !a.StartedAt.Before(expires) {
			t.Errorf("attempt %d began at %s, when the text was true until %s", i+1, a.StartedAt, expires)
		}
		if i == 0 {
			continue
		}
		gap := a.StartedAt.Sub(as[i-1].FinishedAt)
		most := min(first<<min(i, 12), 5*time.Minute) + 80*time.Second // what verify takes, and a round of Sweep
		if gap > most || gap < 0 {
			t.Errorf("attempt %d came %s after the end of the one before, want at most %s", i+1, gap, most)
		}
	}
}
