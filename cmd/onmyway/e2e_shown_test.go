package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// screenWait is how long texts wait for a screen in these tests.
const screenWait = 6 * time.Second

// TestSeenOnScreen: a customer who sees the news on a page or in an alert gets no text about it; everybody else does.
func TestSeenOnScreen(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		file := filepath.Join(w.dir, "routes.yaml")
		routes := fmt.Sprintf("routes:\n  - name: a screen first\n    channels: [sms, push, websocket]\n    sms: {after: %s, unless: shown}\n", screenWait)
		if err := os.WriteFile(file, []byte(routes), 0o600); err != nil {
			t.Fatal(err)
		}
		n := w.node("ONMYWAY_CONFIG=" + file)
		n.env = append(n.env, "ONMYWAY_HTTP__PUBLIC_URL="+n.url)
		n.start()
		pages := n
		if w.redis != nil { // who looks at a page of one node is known on all
			pages = w.node("ONMYWAY_CONFIG="+file, "ONMYWAY_HTTP__PUBLIC_URL="+n.url).start()
		}
		sees := open(t, &viewer{customer: "c-sees", nodes: []*node{pages}, tells: true})
		dozes := watch(t, "c-dozes", pages)
		browser := w.subscribe(n, "c-alert")
		forged := w.subscribe(n, "c-forged")

		events := map[string]event{}
		for i, customer := range []string{"sees", "dozes", "alert", "forged", "none"} {
			e := onTheWay(i, 10)
			e.CustomerID, e.Milestone = "c-"+customer, "picked_up"
			events[customer] = e
			w.produce(20*time.Second, e)
		}
		w.shownBy(browser, http.StatusNoContent, func(address string) string { return address })
		w.shownBy(forged, http.StatusForbidden, func(address string) string { return address[:len(address)-2] + "AA" })

		for customer, want := range map[string]struct {
			state  notify.State
			reason notify.Reason
			waited time.Duration
		}{
			"sees":   {notify.Suppressed, notify.SeenOnScreen, screenWait},
			"alert":  {notify.Suppressed, notify.SeenOnScreen, screenWait},
			"dozes":  {notify.Accepted, "", screenWait},
			"forged": {notify.Accepted, "", screenWait},
			"none":   {notify.Accepted, "", 0},
		} {
			e := events[customer]
			within(t, 20*time.Second, "what became of the text of "+customer, func() error {
				return n.textOf(e, want.state, want.reason, want.waited)
			})
			seen := want.reason == notify.SeenOnScreen
			live := n.messages("channel=websocket&order_id=" + e.OrderID)
			if len(live) != 1 || live[0].ShownAt.IsZero() == seen || strings.HasPrefix(live[0].Why, "Seen at ") != seen {
				t.Errorf("the live message of %s: %+v", customer, live)
			}
			if err := w.texted(e.Customer["phone"], map[bool]int{true: 0, false: 1}[seen]); err != nil {
				t.Errorf("%s: %v", customer, err)
			}
		}
		for _, v := range []*viewer{sees, dozes} {
			if err := v.saw([]event{events["sees"], events["dozes"]}); err != nil {
				t.Error(err)
			}
		}
		const saved = `onmyway_messages_total{channel="sms",milestone="picked_up",reason="seen_on_screen",state="suppressed"}`
		got := n.metric(saved)
		if pages != n {
			got += pages.metric(saved)
		}
		if got != 2 {
			t.Errorf("%v texts are counted as saved, want 2", got)
		}
	})
}

// textOf is an error until the text of an event has come to its end, after it waited for a screen.
func (n *node) textOf(e event, state notify.State, reason notify.Reason, waited time.Duration) error {
	ms, err := n.tryMessages("channel=sms&order_id=" + e.OrderID)
	if err != nil {
		return err
	}
	if len(ms) != 1 || ms[0].State != state || ms[0].Reason != reason || ms[0].DueAt.Sub(ms[0].CreatedAt) != waited {
		return fmt.Errorf("want %s (%q) after %s: %+v", state, reason, waited, ms)
	}
	return nil
}

// shownBy does what the service worker of a browser does when it shows an alert: it posts to the address in it.
func (w *world) shownBy(browser string, want int, change func(address string) string) {
	w.t.Helper()
	var payload struct{ Shown string }
	within(w.t, 20*time.Second, "the browser gets an alert", func() error {
		for _, d := range w.push.Delivered() {
			if d.Subscription == browser {
				return json.Unmarshal(d.Payload, &payload)
			}
		}
		return fmt.Errorf("%d alerts for others", len(w.push.Delivered()))
	})
	if payload.Shown == "" {
		w.t.Fatal("the alert does not say where to tell that it is shown")
	}
	resp, err := w.web.Post(change(payload.Shown), "text/plain", strings.NewReader("shown"))
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		w.t.Errorf("the beacon is answered with %d, want %d", resp.StatusCode, want)
	}
}
