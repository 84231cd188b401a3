package notifytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"onmyway/notify"
)

// An event leaves, or has a message: never both, however late somebody resends it.
func forgetRacesResend(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	const events = 40
	b := &notify.Batch{Now: noon}
	for i := range events {
		e := newEvent(fmt.Sprint("CH-", i), "c-1", "picked_up", int64(i+1))
		b.Events = append(b.Events, stored(&e))
	}
	add(t, s, b)
	var made [events]notify.ID
	var all sync.WaitGroup
	for i := range events {
		all.Go(func() {
			r := notify.Resend{Message: newMessage(b.Events[i].Event, notify.SMS, number), Of: b.Events[i].ID, Force: true}
			id, _, err := peer.AddResend(t.Context(), By("ann", nextDay), &r)
			if made[i] = id; err != nil && !errors.Is(err, notify.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	all.Go(func() { forget(t, s, notify.KeptEvents, nextDay, 10) })
	all.Wait()
	for i := range events {
		_, err := s.Entry(t.Context(), b.Events[i].ID)
		if left := errors.Is(err, notify.ErrNotFound); left == !made[i].IsZero() {
			t.Errorf("event %d has left: %v (%v), though its resend is %s", i, left, err, made[i])
		}
	}
}
