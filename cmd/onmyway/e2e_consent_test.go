package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// TestConsentStory: who takes consent back gets no text that starts later than a second after, of no event, whatever the
// events say; who gives it again gets the next one. What staff stop they lift.
func TestConsentStory(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		e := onTheWay(1, 10)
		w.told(n, e)
		record := func(given bool) {
			t.Helper()
			n.call(http.StatusCreated, nil, http.MethodPost, "/v1/customers/"+e.CustomerID+"/consents",
				map[string]any{"channel": "sms", "given": given, "source": "phone call"})
		}
		record(false)
		taken := w.texts(e.Customer["phone"]) // what was on its way may arrive
		for i := 11; i < 61; i += 10 {
			next := onTheWay(i, 10) // the same customer
			w.produce(20*time.Second, next)
			within(t, 20*time.Second, "the next event is decided", func() error {
				ms, err := n.tryMessages("order_id=" + next.OrderID)
				if err == nil && (len(ms) != 1 || len(ms[0].NotSent) != 2 || ms[0].NotSent[1].Reason != notify.NoConsent) {
					err = fmt.Errorf("%+v", ms)
				}
				return err
			})
		}
		if got := w.texts(e.Customer["phone"]); got != taken {
			t.Errorf("%d texts after the withdrawal", got-taken)
		}
		record(true)
		w.told(n, onTheWay(61, 10))

		number := "/v1/stopped-numbers/" + e.Customer["phone"]
		n.call(http.StatusOK, nil, http.MethodPut, number, map[string]string{"reason": "wrong number"})
		stopped := onTheWay(71, 10)
		w.produce(20*time.Second, stopped)
		within(t, 20*time.Second, "the text is suppressed", func() error {
			ms, err := n.tryMessages("channel=sms&state=suppressed&order_id=" + stopped.OrderID)
			if err == nil && (len(ms) != 1 || ms[0].Reason != notify.Stopped) {
				err = fmt.Errorf("%+v", ms)
			}
			return err
		})
		n.call(http.StatusOK, nil, http.MethodDelete, number+"?reason=owner", nil)
		w.told(n, onTheWay(81, 10))
		if got := w.texts(e.Customer["phone"]); got != taken+2 {
			t.Errorf("%d texts in all, want %d", got, taken+2)
		}
	})
}

// texts counts those that were accepted for a number.
func (w *world) texts(phone string) (n int) {
	for _, m := range w.sms.Accepted() {
		if m.To == phone {
			n++
		}
	}
	return n
}
