package notify_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

// A database that is replaced by an older copy under a process that runs on reads again what it lacks, and no text leaves a
// second time: whether the lost ones left is for the provider to say.
func TestDatabaseReplacedByAnOlderCopy(t *testing.T) {
	for _, tt := range []struct {
		name         string
		forget, busy bool
	}{{"while events come", false, true}, {"while none comes", false, false}, {"and the cache is gone too", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				stop := r.start()
				r.tell(1, 5)
				restore := r.store.Snapshot()
				r.tell(6, 10)
				restore()
				if tt.forget {
					r.cache.Forget()
				}
				last := 10
				if tt.busy {
					last = 12
					r.tell(11, last)
				}
				time.Sleep(time.Minute)
				stop()
				r.wantsOnce(t, last)
			})
		})
	}
}

// tell produces events and waits until they are handled.
func (r *rig) tell(from, to int) {
	for n := from; n <= to; n++ {
		r.log.produce(event(n, time.Now()))
	}
	time.Sleep(time.Second)
}

// wantsOnce checks that each of the first n events was texted once, that SQL has a text for each, and that it doubts those that
// it had lost.
func (r *rig) wantsOnce(t *testing.T, n int) {
	t.Helper()
	for id, times := range r.sms.counts() {
		if times != 1 {
			t.Errorf("text %v was accepted %d times", id, times)
		}
	}
	states := map[notify.State]int{}
	for _, m := range r.store.Messages() {
		if m.Channel == notify.SMS {
			states[m.State]++
		}
	}
	if got := fmt.Sprint(states); got != fmt.Sprint(map[notify.State]int{notify.Accepted: n - 5, notify.Verify: 5}) || len(r.sms.counts()) != n {
		t.Errorf("texts in SQL are %s, and %d left: want %d", got, len(r.sms.counts()), n)
	}
	if got := r.log.committed(); got != int64(n) {
		t.Errorf("committed up to %d, want %d", got, n)
	}
}
