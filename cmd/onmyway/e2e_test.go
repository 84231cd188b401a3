package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// TestEveryLine follows one event of each line to phone, browser and page, in the words and on the clock of its customer.
func TestEveryLine(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		// Every text leaves at once, although its customer looks at a page.
		n := w.node("ONMYWAY_LOG__LEVEL=debug", "ONMYWAY_SMS__SCREEN_FIRST=false").start()
		now := time.Now().UTC()
		eta := now.Add(40 * time.Minute)
		data := map[string]any{"driver_name": canary + " Sam", "vehicle": "2021 Honda Civic", "eta": eta.Format(time.RFC3339)}
		tests := []struct {
			event        event
			zone         string
			sms, title   string // what they say
			locale, time string // of the text; how its clock looks
			kafka        bool
		}{
			{event{ID: "evt-1", OrderID: "CH-1", CustomerID: "c-1", Line: "car_haul", Milestone: "driver_en_route_to_pickup", Sequence: 4,
				Customer: map[string]string{"name": canary, "phone": "+14155550101", "locale": "en-US"}, Data: data},
				"America/Los_Angeles", canary + " is on the way to pick up your", "is on the way", "en", "3:04", true},
			{event{ID: "evt-2", OrderID: "DA-1", CustomerID: "c-2", Line: "drive_away", Milestone: "driver_en_route_to_vehicle", Sequence: 1,
				Customer: map[string]string{"name": canary, "phone": "(415) 555-0102", "locale": "es-MX"}, Data: data},
				"America/Chicago", canary + " va en camino a su", "va en camino", "es", "3:04", false},
			{event{OrderID: "TR-1", CustomerID: "c-3", Line: "title_registration", Milestone: "payment_due", Sequence: 2,
				Customer: map[string]string{"name": canary, "phone": "+14155550103"}, Data: map[string]any{"vehicle": "2021 Honda Civic"}},
				"Pacific/Honolulu", "A payment is due", "A payment is due", "en", "", true},
		}
		for _, tt := range tests {
			e := tt.event
			e.OccurredAt, e.Customer["time_zone"] = now, tt.zone
			page := watch(t, e.CustomerID, n)
			browser := w.subscribe(n, e.CustomerID)
			if tt.kafka {
				w.produce(10*time.Second, e)
			} else {
				n.call(http.StatusAccepted, nil, http.MethodPost, "/v1/events", e)
			}
			within(t, 15*time.Second, e.OrderID+" is told", func() error {
				return errors.Join(page.saw([]event{e}), w.texted(e.Customer["phone"], 1), w.pushed(browser, 1))
			})
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			sms := w.sms.Accepted()[len(w.sms.Accepted())-1].Body
			if !strings.Contains(sms, tt.sms) || tt.time != "" && !strings.Contains(sms, eta.In(zone).Format(tt.time)) {
				t.Errorf("the text for %s does not say %q at %s: %s", e.OrderID, tt.sms, eta.In(zone), sms)
			}
			if payload := string(w.push.Delivered()[len(w.push.Delivered())-1].Payload); !strings.Contains(payload, tt.title) {
				t.Errorf("the notification for %s does not say %q: %s", e.OrderID, tt.title, payload)
			}
			explained(t, w, n, e, tt.locale)
		}
		if page := n.messages("order_id=CH-1&channel=websocket"); len(page) != 1 || len(page[0].NotSent) != 0 {
			t.Errorf("the live message of CH-1: %+v", page)
		}
	})
}

// explained reads over REST what became of an event with one phone and one browser.
func explained(t *testing.T, w *world, n *node, e event, locale string) {
	t.Helper()
	want := map[notify.Channel]notify.State{notify.SMS: notify.Accepted, notify.Push: notify.Accepted, notify.WebSocket: notify.Sent}
	within(t, 10*time.Second, "outcomes of "+e.OrderID+" are stored", func() error {
		ms, err := n.tryMessages("order_id=" + e.OrderID)
		if err != nil {
			return err
		}
		for _, m := range ms {
			if m.State != want[m.Channel] {
				return fmt.Errorf("%s is %s %s", m.Channel, m.State, m.Reason)
			}
		}
		if len(ms) != len(want) {
			return fmt.Errorf("%d messages", len(ms))
		}
		return nil
	})
	for _, m := range n.messages("order_id=" + e.OrderID) {
		var one message
		n.call(http.StatusOK, &one, http.MethodGet, "/v1/messages/"+m.ID, nil)
		l := one.Lineage
		if l.Topic != w.topic || l.Template == "" || l.TemplateLocale != locale || e.ID != "" && l.EventID != e.ID {
			t.Errorf("lineage of the %s message of %s: %+v", m.Channel, e.OrderID, l)
		}
		if m.Channel != notify.WebSocket && len(one.Attempts) != 1 {
			t.Errorf("attempts of the %s message of %s: %+v", m.Channel, e.OrderID, one.Attempts)
		}
		if m.Channel == notify.SMS && (l.ProviderID == "" || strings.Contains(one.Address, "5550")) {
			t.Errorf("provider id %q, address %q", l.ProviderID, one.Address)
		}
	}
}

// texted is an error until the provider has accepted so many texts to a number.
func (w *world) texted(phone string, want int) error {
	end := phone[len(phone)-4:]
	got := 0
	for _, m := range w.sms.Accepted() {
		if strings.HasSuffix(m.To, end) {
			got++
		}
	}
	if got != want {
		return fmt.Errorf("%d texts accepted, want %d", got, want)
	}
	return nil
}

// pushed is an error until a browser has got so many notifications.
func (w *world) pushed(browser string, want int) error {
	got := 0
	for _, d := range w.push.Delivered() {
		if d.Subscription == browser {
			got++
		}
	}
	if got != want {
		return fmt.Errorf("%d notifications delivered, want %d", got, want)
	}
	return nil
}

// TestNotSentIsExplained: where a channel is not used, the live message of the event says why.
func TestNotSentIsExplained(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		n.call(http.StatusOK, nil, http.MethodPut, "/v1/customers/c-off", map[string]any{
			"phone": "+14155550110", "preferences": map[string]any{"channels": map[string]bool{"sms": false}}})
		at := time.Now().UTC()
		events := []event{
			{ID: "off", OrderID: "o-off", CustomerID: "c-off", Line: "car_haul", Milestone: "picked_up", OccurredAt: at},
			{ID: "none", OrderID: "o-none", CustomerID: "c-none", Line: "car_haul", Milestone: "picked_up", OccurredAt: at},
			{ID: "old", OrderID: "o-old", CustomerID: "c-none", Line: "car_haul", Milestone: "picked_up", OccurredAt: at.Add(-48 * time.Hour)},
			{ID: "hidden", OrderID: "o-hidden", CustomerID: "c-none", Line: "car_haul", Milestone: "unloaded", OccurredAt: at},
			{ID: "new", OrderID: "o-late", CustomerID: "c-none", Line: "car_haul", Milestone: "delivered", Sequence: 9, OccurredAt: at},
			{ID: "late", OrderID: "o-late", CustomerID: "c-none", Line: "car_haul", Milestone: "picked_up", Sequence: 5, OccurredAt: at},
		}
		w.produce(10*time.Second, events...)
		tests := map[string]struct {
			state   notify.State
			reason  notify.Reason
			notSent []notify.NotSent
		}{
			"off":    {notify.Sent, "", []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}, {Channel: notify.SMS, Reason: notify.OptedOut}}},
			"none":   {notify.Sent, "", []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}, {Channel: notify.SMS, Reason: notify.NoAddress}}},
			"old":    {notify.Suppressed, notify.Expired, []notify.NotSent{}},
			"hidden": {notify.Suppressed, notify.NotVisible, []notify.NotSent{}},
			"late":   {notify.Suppressed, notify.Stale, []notify.NotSent{}},
		}
		found := map[string]message{}
		within(t, 15*time.Second, "all events are stored", func() error {
			for _, e := range events {
				ms, err := n.tryMessages("channel=websocket&order_id=" + e.OrderID)
				if err != nil {
					return err
				}
				for _, m := range ms {
					found[m.Lineage.EventID] = m
				}
			}
			if len(found) != len(events) {
				return fmt.Errorf("%d of %d", len(found), len(events))
			}
			return nil
		})
		for id, want := range tests {
			if m := found[id]; m.State != want.state || m.Reason != want.reason || !slices.Equal(m.NotSent, want.notSent) {
				t.Errorf("%s: %s %s, not sent %v; want %+v", id, m.State, m.Reason, m.NotSent, want)
			}
		}
		if n := len(w.sms.Accepted()); n != 0 {
			t.Errorf("%d texts went out", n)
		}
	})
}
