package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// TestResend: one key sends once, however often and at once it is used.
func TestResend(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		e := onTheWay(1, 10)
		of := w.told(n, e)
		answers := make(chan string, 20)
		for range cap(answers) {
			go func() { answers <- n.resent(of, "k-1") }()
		}
		first := <-answers
		for range cap(answers) - 1 {
			if next := <-answers; next != first {
				t.Errorf("one call answers %s, another %s", first, next)
			}
		}
		within(t, 20*time.Second, "it is accepted again", func() error { return w.accepted(n, e.OrderID, 2) })
		n.call(http.StatusUnprocessableEntity, nil, http.MethodPost, "/v1/messages/"+of.ID+"/resend",
			map[string]string{"reason": "something else"}, "Idempotency-Key", "k-1")
		var kept message
		n.call(http.StatusOK, &kept, http.MethodGet, "/v1/messages/"+of.ID, nil)
		if len(kept.Resends) != 1 || kept.Resends[0] != first {
			t.Errorf("resends of the message: %v, the calls answered %s", kept.Resends, first)
		}
		if err := w.texted(e.Customer["phone"], 2); err != nil {
			t.Error(err)
		}
	})
}

// resent asks to send a message again and returns the id of the new one, or what went wrong.
func (n *node) resent(of message, key string) string {
	var made message
	status, answer, err := n.try(http.MethodPost, "/v1/messages/"+of.ID+"/resend",
		map[string]any{"reason": "changed phones", "force": true}, "Idempotency-Key", key) // the first one left just now
	if err == nil {
		err = json.Unmarshal(answer, &made)
	}
	if err != nil || status != http.StatusAccepted || made.ResendOf != of.ID {
		return fmt.Sprintf("%d %s %v", status, answer, err)
	}
	return made.ID
}

// TestOptOut: who turns texts off gets none, neither of the next event nor of a person who means well; who turns them on
// again gets the next one.
func TestOptOut(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		e := onTheWay(1, 10)
		of := w.told(n, e)
		put := func(sms bool) {
			n.call(http.StatusOK, nil, http.MethodPut, "/v1/customers/"+e.CustomerID, map[string]any{
				"phone": e.Customer["phone"], "preferences": map[string]any{"channels": map[string]bool{"sms": sms}}})
		}
		put(false)
		var refused struct{ Code string }
		n.call(http.StatusConflict, &refused, http.MethodPost, "/v1/messages/"+of.ID+"/resend",
			map[string]any{"reason": "please", "force": true}, "Idempotency-Key", "k-2")
		if refused.Code != notify.RefuseOptedOut {
			t.Errorf("refused with %q", refused.Code)
		}
		next := onTheWay(11, 10) // the same customer
		w.produce(20*time.Second, next)
		within(t, 20*time.Second, "the next event is decided", func() error {
			ms, err := n.tryMessages("order_id=" + next.OrderID)
			if err == nil && (len(ms) != 1 || len(ms[0].NotSent) != 2 || ms[0].NotSent[1].Reason != notify.OptedOut) {
				err = fmt.Errorf("%+v", ms)
			}
			return err
		})
		put(true)
		w.told(n, onTheWay(21, 10))
		if err := w.texted(e.Customer["phone"], 2); err != nil {
			t.Error(err)
		}
	})
}

// told produces an event and returns its text, when that is accepted.
func (w *world) told(n *node, e event) message {
	w.t.Helper()
	w.produce(20*time.Second, e)
	within(w.t, 20*time.Second, "the text is accepted", func() error { return w.accepted(n, e.OrderID, 1) })
	return n.messages("channel=sms&order_id=" + e.OrderID)[0]
}

// accepted is an error until staff see so many accepted texts of an order.
func (w *world) accepted(n *node, order string, want int) error {
	ms, err := n.tryMessages("channel=sms&state=accepted&order_id=" + order)
	if err == nil && len(ms) != want {
		err = fmt.Errorf("%d accepted texts of %s, want %d", len(ms), order, want)
	}
	return err
}
