package notifytest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"onmyway/notify"
)

// both runs two things at the same time.
func both(t *testing.T, a, b func()) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(a)
	wg.Go(b)
	wg.Wait()
}

// stopRacesBegin stops a number on one node while another one stores and begins texts to it. What has not begun when Stop
// returns never begins.
func stopRacesBegin(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	for round := range 8 {
		var ids []notify.ID
		var mu sync.Mutex
		var begun atomic.Int64
		some := make(chan struct{})
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Go(func() {
				for i := range 12 {
					b := batchOf(newEvent(fmt.Sprintf("CH-%d-%d-%d", round, w, i), fmt.Sprint("c-", w), "picked_up", int64(round*1000+w*100+i+1)))
					b.Topic = ""
					m := &b.Messages[0]
					ok := make([]bool, 1)
					mu.Lock()
					ids = append(ids, m.ID)
					mu.Unlock()
					if err := errors.Join(s.Add(t.Context(), b), s.Begin(t.Context(), noon, []*notify.Message{m}, ok)); err != nil {
						t.Error(err)
					}
					if ok[0] && begun.Add(1) == 3 {
						close(some)
					}
				}
			})
		}
		<-some
		stop(t, peer, noon, fmt.Sprint("SM-stop-", round), true)
		atStop := started(t, peer, number)
		workers.Wait()
		for id := range started(t, s, number) {
			if !atStop[id] {
				t.Errorf("round %d: a text began after the stop had returned", round)
			}
		}
		if n := len(atStop); n < 3 || n > 48 {
			t.Errorf("round %d: %d texts had begun", round, n)
		}
		start(t, peer, noon, fmt.Sprint("SM-start-", round), true)
		for _, id := range ids { // out of the way of the next round
			if entry(t, s, id).State == notify.Sending {
				finish(t, s, notify.Outcome{Message: id, State: notify.Failed, Reason: notify.GaveUp, Attempt: attempt(1, notify.Permanent)})
			}
		}
	}
}

// started are the texts to a number that are being sent.
func started(t *testing.T, s Truth, phone string) map[notify.ID]bool {
	t.Helper()
	found, err := s.Find(t.Context(), notify.Query{Phone: phone, State: notify.Sending, Limit: 1000})
	if err != nil {
		t.Error(err)
	}
	ids := map[notify.ID]bool{}
	for i := range found {
		ids[found[i].ID] = true
	}
	return ids
}

// A provider that is not answered in time sends the same text again, perhaps to another node.
func stopParallel(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	var changed atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		node := []Truth{s, peer}[i%2]
		wg.Go(func() {
			news, _, err := node.Stop(t.Context(), noon, notify.Inbound{From: number, Text: "STOP", ProviderID: fmt.Sprint("SM-", i/4)})
			if err != nil {
				t.Error(err)
			}
			if news {
				changed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := changed.Load(); n != 1 {
		t.Errorf("%d of the same stops were news, want 1", n)
	}
	verify(t, s, 1)
}

// Staff who stop a number while others lift it get an answer, and so do those who lift it together.
func stopRacesLift(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	for range 30 {
		stopAsStaff(t, s, By("ann", noon), number, "wrong number")
		lift := func() {
			if err := peer.AllowNumber(t.Context(), By("ben", noon), number, "owner asked"); err != nil {
				t.Error(err)
			}
		}
		both(t, func() { both(t, lift, lift) }, func() {
			held, err := s.StopNumber(t.Context(), By("ann", noon), number, "wrong number")
			if err != nil || held.By != "ann" {
				t.Errorf("stopped by %q: %v", held.By, err)
			}
		})
	}
}
