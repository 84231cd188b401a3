package notifytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func claim(t *testing.T, s notify.Outbox, now time.Time, ch notify.Channel, limit int) []notify.Message {
	t.Helper()
	ms, err := s.Claim(t.Context(), now, ch, limit)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func reclaim(t *testing.T, s notify.Outbox, want int) {
	t.Helper()
	if n, err := s.Reclaim(t.Context(), noon.Add(time.Second)); n != want || err != nil {
		t.Errorf("reclaimed %d (%v), want %d", n, err, want)
	}
}

// addHeld stores n messages that are due one second after another, from noon on.
func addHeld(t *testing.T, s notify.Store, n int) []notify.Message {
	t.Helper()
	var events []notify.Event
	for i := range n {
		events = append(events, newEvent(fmt.Sprint("CH-", i), "c-1", "picked_up", int64(i+1)))
	}
	b := batchOf(events...)
	b.Now = noon.Add(-time.Second)
	for i := range b.Messages {
		b.Messages[i].DueAt = noon.Add(time.Duration(n-i) * time.Second)
	}
	add(t, s, b)
	return b.Messages
}

func claimOldest(t *testing.T, nodes Nodes) {
	s := nodes(t)
	held := addHeld(t, s, 5)
	if got := claim(t, s, noon, notify.SMS, 10); len(got) != 0 {
		t.Fatalf("claimed %d messages that are not due", len(got))
	}
	got := claim(t, s, noon.Add(4*time.Second), notify.SMS, 3)
	want := []notify.Message{held[4], held[3], held[2]}
	for i := range want {
		want[i].UpdatedAt = noon.Add(4 * time.Second)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("claimed (-want +got):\n" + diff)
	}
	if got := claim(t, s, noon.Add(time.Minute), notify.Push, 10); len(got) != 0 {
		t.Errorf("claimed %d messages of another channel", len(got))
	}
	if got := claim(t, s, noon.Add(time.Minute), notify.SMS, 10); len(got) != 2 {
		t.Errorf("claimed %d messages the second time, want the 2 that are left", len(got))
	}
}

func claimExpired(t *testing.T, nodes Nodes) {
	s := nodes(t)
	held := addHeld(t, s, 2)
	if got := claim(t, s, held[0].ExpiresAt, notify.SMS, 10); len(got) != 0 {
		t.Errorf("claimed %d messages that have expired", len(got))
	}
	for _, m := range held {
		stands(t, s, m.ID, notify.Suppressed, notify.Expired)
	}
}

func claimShared(t *testing.T, nodes Nodes) {
	const messages, workers = 60, 3
	first := nodes(t)
	addHeld(t, first, messages)
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := map[notify.ID]int{}
	for range workers {
		s := nodes(t)
		wg.Go(func() {
			for {
				got, err := s.Claim(t.Context(), noon.Add(time.Hour), notify.SMS, 7)
				if err != nil {
					t.Error(err)
				}
				if len(got) == 0 {
					return
				}
				mu.Lock()
				for _, m := range got {
					times[m.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id, n := range times {
		if n != 1 {
			t.Errorf("message %s was claimed %d times", id, n)
		}
	}
	// A worker may end while another still holds rows of the last round, so none is left only when all have ended.
	if left := claim(t, first, noon.Add(time.Hour), notify.SMS, messages); len(times)+len(left) != messages {
		t.Errorf("claimed %d messages and %d more, want %d", len(times), len(left), messages)
	}
}

func reclaimDead(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	pending, sending := addSent(t, s, 1), addSent(t, s, 2)
	e := newEvent("CH-2", "c-2", "picked_up", 3)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.Push, "sub-1")}
	add(t, s, b)
	begin(t, s, noon, &sending, true)
	begin(t, s, noon, &b.Messages[0], true)

	reclaim(t, peer, 0)
	stands(t, peer, sending.ID, notify.Sending, "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reclaim(t, peer, 3)
	reclaim(t, peer, 0)
	stands(t, peer, pending.ID, notify.Pending, "")
	stands(t, peer, sending.ID, notify.Verify, notify.OwnerDied)
	stands(t, peer, b.Messages[0].ID, notify.Pending, "")
	if got := claim(t, peer, noon, notify.SMS, 10); len(got) != 1 || got[0].ID != pending.ID {
		t.Errorf("claimed %d text messages of the dead, want the one that was pending", len(got))
	}
	if got := claim(t, peer, noon, notify.Push, 10); len(got) != 1 {
		t.Errorf("claimed %d push messages of the dead, want 1", len(got))
	}
}
