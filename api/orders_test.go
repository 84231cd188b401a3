package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// told is an event of an order as staff see it.
func told(at time.Time, line notify.Line, milestone, data string) notify.Entry {
	return notify.Entry{
		Message: notify.Message{ID: notify.NewID(at, milestone), OrderID: "CH-1", CustomerID: "c-42", Line: line, Milestone: milestone,
			Channel: notify.WebSocket, State: notify.Sent, Title: "Title", Body: "Body", OccurredAt: at, CreatedAt: at, UpdatedAt: at},
		EventKey: "evt-" + milestone, Data: []byte(data),
	}
}

func TestGetOrder(t *testing.T) {
	f := newFixture(t)
	f.customers["c-42"] = notify.Customer{ID: "c-42", Version: 1, Contact: notify.Contact{Name: " Dana Reyes", Phone: "+14155552671"}}
	f.heads["CH-1"] = []notify.Head{
		{OrderID: "CH-1", Line: notify.CarHaul, CustomerID: "c-42", Milestone: "driver_en_route_to_pickup", OccurredAt: noon,
			Facts: []byte(`{"driver_name":"Sam","driver_phone":"+1 415 555 0100","truck":"white","carrier_phone":"+1 415 555 0101","support_phone":"+1 415 555 0103",
				"vehicle":"2021 Honda Civic","vin":"2HG","pickup_city":"Oakland, CA","tracking_url":"https://track.example.com/t/x"}`)},
		{OrderID: "CH-1", Line: notify.DriveAway, CustomerID: "c-43", Milestone: "delivered", OccurredAt: noon, Facts: []byte(`{"tracking_url":"javascript:alert(1)"}`)},
		{OrderID: "CH-1", Line: notify.TitleRegistration, CustomerID: "c-42", Milestone: "docs_requested", OccurredAt: noon},
	}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	f.entries = []notify.Entry{ // newest first
		told(at(-1), notify.DriveAway, "delivered", `{"eta":"2026-11-21T20:00:00Z"}`),
		told(at(-2), notify.CarHaul, "driver_en_route_to_pickup", `{"driver_name":"Sam"}`),
		told(at(-3), notify.CarHaul, "pickup_window_set", `{"eta":{"start":""},"delivery_window":{"start":"2026-11-27T22:00:00Z"},
			"pickup_window":{"start":"2026-11-24T17:00:00Z","end":"2026-11-24T20:00:00Z"}}`),
		told(at(-4), notify.CarHaul, "order_booked", `{"eta":"2026-11-20T00:00:00Z"}`),
		told(at(-5), notify.TitleRegistration, "application_opened", `{"expected_by":"2026-12-08","eta":7}`),
	}
	w := f.do("GET /v1/orders/CH-1", "")
	wantStatus(t, w, http.StatusOK)
	wantJSON(t, w, `{"id":"CH-1",
		"customers":[{"id":"c-42","name":"Dana","phone":"+1415•••2671"},{"id":"c-43","name":"","phone":""}],
		"lines":[
			{"line":"car_haul","customer_id":"c-42","milestone":"driver_en_route_to_pickup","phase":"pickup","since":"2026-11-21T20:00:00Z","closed":false,
				"eta":{"says":"pickup_window","start":"2026-11-24T17:00:00Z","end":"2026-11-24T20:00:00Z","milestone":"pickup_window_set","said_at":"2026-11-21T19:57:00Z"},
				"people":[{"role":"driver","name":"Sam","phone":"+1 415 555 0100","truck":"white"},{"role":"carrier","phone":"+1 415 555 0101"},
					{"role":"support","phone":"+1 415 555 0103"}],
				"vehicle":{"name":"2021 Honda Civic","vin":"2HG"},"pickup_city":"Oakland, CA","tracking_url":"https://track.example.com/t/x"},
			{"line":"drive_away","customer_id":"c-43","milestone":"delivered","phase":"closed","since":"2026-11-21T20:00:00Z","closed":true,"people":[],"vehicle":{}},
			{"line":"title_registration","customer_id":"c-42","milestone":"docs_requested","phase":"intake","since":"2026-11-21T20:00:00Z","closed":false,
				"eta":{"says":"expected_by","start":"2026-12-08","milestone":"application_opened","said_at":"2026-11-21T19:55:00Z"},"people":[],"vehicle":{}}]}`)
	wantProblem(t, f.do("GET /v1/orders/CH-2", ""), http.StatusNotFound, "not_found")
	wantProblem(t, f.do("GET /v1/orders/a%00b", ""), http.StatusUnprocessableEntity, "invalid_request")
}

func TestTimeline(t *testing.T) {
	f := newFixture(t)
	event := told(noon, notify.CarHaul, "picked_up", `{}`)
	event.NotSent = []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}}
	text := entry()
	text.ID, text.OrderID = notify.NewID(noon.Add(time.Minute), "text"), "CH-1"
	other := told(noon, notify.CarHaul, "order_booked", `{}`)
	other.OrderID = "CH-2"
	f.entries = []notify.Entry{text, event, other}
	var page struct {
		Items []struct {
			Kind, Why string
			At        time.Time
			Event     *struct {
				Milestone, Phase, Title, Body, State string
				NotSent                              []struct{ Channel, Reason, Why string } `json:"not_sent"`
			}
			Message *struct{ ID, Why, Address string }
		}
		Next string
	}
	w := f.do("GET /v1/orders/CH-1/timeline?limit=2", "")
	wantStatus(t, w, http.StatusOK)
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 2 || page.Next == "" {
		t.Fatalf("%s", w.Body)
	}
	m, e := page.Items[0], page.Items[1]
	if m.Kind != "message" || m.Event != nil || m.Message.ID != text.ID.String() || m.Message.Address != "+1415•••0123" || m.Why == "" || m.Why != m.Message.Why {
		t.Errorf("message %+v %+v", m, m.Message)
	}
	if e.Kind != "event" || e.Message != nil || e.Event.Milestone != "picked_up" || e.Event.Phase != "pickup" || e.Event.Title != "Title" || !e.At.Equal(noon) {
		t.Errorf("event %+v %+v", e, e.Event)
	}
	if diff := cmp.Diff("No alert sent: no device with alerts is known.", e.Event.NotSent[0].Why); diff != "" {
		t.Error(diff)
	}
	wantJSON(t, f.do("GET /v1/orders/CH-1/timeline?limit=2&cursor="+page.Next, ""), `{"items":[]}`)
	p := wantProblem(t, f.do("GET /v1/orders/CH-2/timeline?cursor="+page.Next, ""), http.StatusBadRequest, "bad_cursor")
	if !strings.Contains(p.Detail, "another query") {
		t.Errorf("it says %q", p.Detail)
	}
	wantProblem(t, f.do("GET /v1/orders/CH-3/timeline", ""), http.StatusNotFound, "not_found")
}

// A message in another language than the customer's says so.
func TestLocaleAsked(t *testing.T) {
	f := newFixture(t)
	e := entry()
	e.Locale, e.Asked = "es", "es-MX"
	f.entries = []notify.Entry{e}
	w := f.do("GET /v1/messages/"+entryID.String(), "")
	if !strings.Contains(w.Body.String(), `"template_locale":"es","locale_asked":"es-MX"`) {
		t.Errorf("%s", w.Body)
	}
}
