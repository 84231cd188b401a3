package api_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/api"
	"onmyway/notify"
)

var (
	noon    = time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("", -8*3600))
	entryID = notify.NewID(noon, "entry")
	eventID = notify.NewID(noon, "event")
)

func entry() notify.Entry {
	return notify.Entry{
		Message: notify.Message{
			ID: entryID, EventID: eventID, OrderID: "CH-1001", CustomerID: "c-42", Line: notify.CarHaul,
			Milestone: "driver_en_route_to_pickup", Sequence: 7, Channel: notify.SMS, Address: "+14155550123",
			Body: "Your driver Sam is on the way.", Locale: "en", Template: "3f2a", State: notify.Failed, Reason: notify.BadAddress,
			OccurredAt: noon, CreatedAt: noon, DueAt: noon, ExpiresAt: noon.Add(2 * time.Hour), UpdatedAt: noon.Add(1500 * time.Microsecond),
			Attempt: 1, ProviderID: "SM1", ResendOf: eventID, ResendNo: 1,
		},
		Attempts: []notify.Attempt{{No: 1, StartedAt: noon, FinishedAt: noon.Add(time.Second), Verdict: notify.Permanent,
			Reason: notify.BadAddress, Status: 400, Code: 21211, Detail: "the number can't take texts"}},
		History: []notify.Step{
			{At: noon.Add(time.Minute), State: notify.Accepted, Detail: "the provider has it"},
			{At: noon.Add(2 * time.Minute), State: notify.Failed, Reason: notify.BadAddress, Code: 30006, Detail: "a landline"},
		},
		EventKey: "evt-1",
		Origin:   notify.Origin{Topic: "order-events", Partition: 3, Offset: 99},
		Resends:  []notify.ID{eventID},
		By:       "desk", Why: "never came",
	}
}

func TestGetMessage(t *testing.T) {
	f := newFixture(t)
	f.entries = []notify.Entry{entry()}
	w := f.do("GET /v1/messages/"+entryID.String(), "")
	wantStatus(t, w, http.StatusOK)
	wantJSON(t, w, `{"id":"`+entryID.String()+`","order_id":"CH-1001","customer_id":"c-42","line":"car_haul",
		"milestone":"driver_en_route_to_pickup","sequence":7,"channel":"sms","state":"failed","reason":"bad_address",
		"address":"+1415•••0123","title":"","body":"Your driver Sam is on the way.","created_at":"2026-11-21T20:00:00Z",
		"due_at":"2026-11-21T20:00:00Z","expires_at":"2026-11-21T22:00:00Z","updated_at":"2026-11-21T20:00:00.001Z",
		"resend_of":"`+eventID.String()+`","resend_no":1,"resend_by":"desk","resend_reason":"never came","resends":["`+eventID.String()+`"],
		"attempts":[{"no":1,"started_at":"2026-11-21T20:00:00Z","finished_at":"2026-11-21T20:00:01Z","verdict":"permanent",
			"reason":"bad_address","status":400,"code":21211,"detail":"the number can't take texts"}],
		"history":[{"at":"2026-11-21T20:01:00Z","state":"accepted","detail":"the provider has it"},
			{"at":"2026-11-21T20:02:00Z","state":"failed","reason":"bad_address","code":30006,"detail":"a landline"}],
		"lineage":{"topic":"order-events","partition":3,"offset":99,"event_id":"evt-1","route":"everything","template":"3f2a","template_locale":"en","provider_id":"SM1"},
		"not_sent":[],"occurred_at":"2026-11-21T20:00:00Z","why":"Failed: the number or device can't be reached, for good."}`)
}

func TestGetWebSocketMessage(t *testing.T) {
	f := newFixture(t)
	f.entries = []notify.Entry{{
		Message:  notify.Message{ID: eventID, Channel: notify.WebSocket, State: notify.Sent, CreatedAt: noon, OccurredAt: noon},
		EventKey: notify.EventKey("", "CH-1", notify.CarHaul, "picked_up", 0),
		NotSent:  []notify.NotSent{{Channel: notify.SMS, Reason: notify.NoAddress}},
	}}
	w := f.do("GET /v1/messages/"+strings.ToUpper(eventID.String()), "")
	wantJSON(t, w, `{"id":"`+eventID.String()+`","order_id":"","customer_id":"","line":"","milestone":"","sequence":0,"channel":"websocket",
		"state":"sent","reason":"","address":"","title":"","body":"","created_at":"2026-11-21T20:00:00Z","resend_no":0,"resends":[],"attempts":[],"history":[],
		"lineage":{"topic":"","partition":0,"offset":0,"event_id":"`+eventID.String()+`","template":"","template_locale":""},
		"not_sent":[{"channel":"sms","reason":"no_address","why":"Not texted: no phone number is known."}],
		"occurred_at":"2026-11-21T20:00:00Z","why":"Shown on the live page from 21 Nov 20:00 in UTC."}`)
}

func TestGetMessageThatIsNotThere(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{entryID.String(), "1", "%00", strings.Repeat("x", 5000)} {
		wantProblem(t, f.do("GET /v1/messages/"+id, ""), http.StatusNotFound, "not_found")
	}
}

func TestListMessagesAsks(t *testing.T) {
	tests := []struct {
		name, query string
		want        notify.Query
	}{
		{"nothing", "", notify.Query{Limit: 50}},
		{"everything", "order_id=CH-1&customer_id=c-1&channel=sms&state=failed&milestone=delivered&limit=7",
			notify.Query{OrderID: "CH-1", CustomerID: "c-1", Channel: notify.SMS, State: notify.Failed, Milestone: "delivered", Limit: 7}},
		{"times", "since=2026-11-21T12:00:00Z&until=2026-11-21T14:00:00%2B01:00",
			notify.Query{Since: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC), Limit: 50}},
		{"phone as people write it", "phone=" + url.QueryEscape("(415) 555-2671"), notify.Query{Phone: "+14155552671", Limit: 50}},
		{"phone with a plus that was not escaped", "phone=+14155552671", notify.Query{Phone: "+14155552671", Limit: 50}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			wantStatus(t, f.do("GET /v1/messages?"+tt.query, ""), http.StatusOK)
			if diff := cmp.Diff(tt.want, f.queries[0]); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListMessagesFaults(t *testing.T) {
	f := newFixture(t)
	w := f.do("GET /v1/messages?limit=101&channel=fax&state=gone&phone=12&since=today", "")
	p := wantProblem(t, w, http.StatusUnprocessableEntity, "invalid_request")
	if diff := cmp.Diff([]string{"channel", "limit", "phone", "since", "state"}, p.fields()); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	p = wantProblem(t, f.do("GET /v1/messages?since=2026-11-21T12:00:00Z&until=2026-11-21T12:00:00Z", ""), http.StatusUnprocessableEntity, "invalid_request")
	if diff := cmp.Diff([]string{"until"}, p.fields()); diff != "" {
		t.Error(diff)
	}
	p = wantProblem(t, f.do("GET /v1/messages?order_id=a%00&customer_id=%FF&milestone=x%0A", ""), http.StatusUnprocessableEntity, "invalid_request")
	if diff := cmp.Diff([]string{"customer_id", "milestone", "order_id"}, p.fields()); diff != "" {
		t.Error(diff)
	}
	wantProblem(t, f.do("GET /v1/messages?limit=0", ""), http.StatusUnprocessableEntity, "invalid_request")
	ours := api.Cursor("messages", nil, entryID)
	for _, c := range []string{"x", "AQ", ours, ours + "A", "Ag" + ours[2:], "%00"} {
		wantProblem(t, f.do("GET /v1/messages?cursor="+c, ""), http.StatusBadRequest, "bad_cursor")
	}
	if len(f.queries) > 0 {
		t.Error("asked all the same")
	}
}

func TestListMessagesPages(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		e := entry()
		e.ID = notify.NewID(noon.Add(-time.Duration(i)*time.Minute), "page")
		f.entries = append(f.entries, e)
	}
	var ids []string
	target, pages := "GET /v1/messages?limit=2", 0
	for next := "-"; next != ""; pages++ {
		var page struct {
			Items []struct{ ID, Address string }
			Next  string
		}
		w := f.do(target, "")
		wantStatus(t, w, http.StatusOK)
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			ids = append(ids, m.ID)
			if m.Address != "+1415•••0123" {
				t.Errorf("address %s", m.Address)
			}
		}
		next = page.Next
		target = "GET /v1/messages?limit=2&cursor=" + next
	}
	var want []string
	for _, e := range f.entries {
		want = append(want, e.ID.String())
	}
	if diff := cmp.Diff(want, ids); diff != "" || pages != 3 {
		t.Errorf("%d pages (-want +got):\n%s", pages, diff)
	}
	wantJSON(t, newFixture(t).do("GET /v1/messages", ""), `{"items":[]}`)
}

// A call whose engine hangs ends with a problem that says to try again.
func TestSlowEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.Fail["slow"] = errSecret
		w := f.do("GET /v1/messages/"+entryID.String(), "")
		wantProblem(t, w, http.StatusServiceUnavailable, "timeout")
		if seconds, _ := strconv.Atoi(w.Header().Get("Retry-After")); seconds < 1 {
			t.Error("no Retry-After")
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(api.Cursor("messages", nil, entryID))
	f.Add("")
	f.Add("AQAAAAAAAAAAAAAAAAAAAAA=")
	fx := newFixture(f, func(c *api.Config, _ *api.Deps) { c.RatePerMinute = math.MaxInt32 })
	f.Fuzz(func(t *testing.T, c string) {
		place, ok := api.ReadCursor("messages", nil, c)
		if ok && api.Cursor("messages", nil, notify.ID(place)) != c {
			t.Errorf("%q and %q are one cursor", c, api.Cursor("messages", nil, notify.ID(place)))
		}
		if _, other := api.ReadCursor("messages", []string{"x"}, c); ok && other {
			t.Errorf("%q is the cursor of two queries", c)
		}
		for _, path := range []string{"/v1/messages", "/v1/audit", "/v1/deadletters"} {
			if c == "" {
				continue
			}
			r := httptest.NewRequest("GET", path+"?cursor="+url.QueryEscape(c), nil)
			r.Header.Set("Authorization", "Bearer "+rootKey)
			w := httptest.NewRecorder()
			fx.handler.ServeHTTP(w, r)
			fx.log.Reset()
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && (w.Code != http.StatusUnprocessableEntity || len(c) <= 200) {
				t.Errorf("%s %q: %d %s", path, c, w.Code, w.Body)
			}
		}
	})
}

// Whatever is asked as a phone number: it is found or refused, and the answer and the log do not repeat it.
func FuzzPhoneFilter(f *testing.F) {
	for _, s := range []string{"(415) 555-2671", "+14155552671", "４１５5552671", "+1 415\x00", "tel:+1-415-555-2671"} {
		f.Add(s)
	}
	fx := newFixture(f, func(c *api.Config, _ *api.Deps) { c.RatePerMinute = math.MaxInt32 })
	f.Fuzz(func(t *testing.T, spelled string) {
		r := httptest.NewRequest("GET", "/v1/messages?phone="+url.QueryEscape(spelled), nil)
		r.Header.Set("Authorization", "Bearer "+rootKey)
		w := httptest.NewRecorder()
		fx.handler.ServeHTTP(w, r)
		logged := fx.log.String()
		fx.log.Reset()
		if w.Code != http.StatusOK && w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d %s", spelled, w.Code, w.Body)
		}
		if len(spelled) >= 10 && !strings.Contains(`"errors":[{"field":"phone","detail":`, spelled) &&
			(strings.Contains(w.Body.String(), spelled) && w.Code != http.StatusOK || strings.Contains(logged, spelled)) {
			t.Errorf("%q is repeated: %s %s", spelled, w.Body, logged)
		}
	})
}
