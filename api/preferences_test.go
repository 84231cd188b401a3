package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

type preferencesAnswer struct {
	Preferences map[string]any
	Now         []struct {
		Category, Channel, Prospect, Reason, Why string
		Until                                    time.Time
		Urgent                                   bool
	}
	Changes []struct {
		At                  time.Time
		By, Field, From, To string
	}
}

func (f *fixture) preferences(t *testing.T) (answer preferencesAnswer) {
	t.Helper()
	w := f.do("GET /v1/customers/c-42/preferences", "")
	wantStatus(t, w, http.StatusOK)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// why is what is said of a category and channel.
func (a preferencesAnswer) why(category notify.Category, ch notify.Channel) string {
	for _, o := range a.Now {
		if o.Category == string(category) && o.Channel == string(ch) {
			return o.Prospect + ": " + o.Why
		}
	}
	return "not there"
}

func TestPreferencesExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // midnight in London, 1 January 2000: 16:00 in Los Angeles
		f := newFixture(t)
		wantProblem(t, f.do("GET /v1/customers/c-42/preferences", ""), http.StatusNotFound, "not_found")
		f.do("PUT /v1/customers/c-42", `{"name":"Dana Reyes","phone":"(415) 555-2671","time_zone":"America/Los_Angeles"}`)
		f.defaults = notify.Defaults{notify.Progress: {notify.SMS: true}}
		got := f.preferences(t)
		if len(got.Now) != len(notify.Categories)*len(notify.Channels) {
			t.Fatalf("%d outlooks", len(got.Now))
		}
		want := map[string]string{
			got.why(notify.Delays, notify.SMS):       "sent: Texted as soon as it happens.",
			got.why(notify.Delays, notify.WebSocket): "sent: Shown on the live page as soon as it happens.",
			got.why(notify.Delays, notify.Push):      "not_sent: No alert sent: no device with alerts is known.",
			got.why(notify.Progress, notify.SMS):     "not_sent: Not texted: it is sent only to those who ask for it.",
		}
		for got, want := range want {
			if got != want {
				t.Errorf("says %q, want %q", got, want)
			}
		}

		time.Sleep(48 * time.Hour)
		w := f.do("PUT /v1/customers/c-42/preferences", `{"channels":{"sms":false},"quiet_hours":{"start":"15:00","end":"18:30"}}`)
		wantStatus(t, w, http.StatusOK)
		if f.customers["c-42"].Phone != "+14155552671" || w.Header().Get("ETag") != `"2"` {
			t.Errorf("stored %+v, ETag %s", f.customers["c-42"], w.Header().Get("ETag"))
		}
		got = f.preferences(t)
		if why := got.why(notify.Delays, notify.SMS); why != "not_sent: Not texted: Dana turned SMS off on 2 Jan." {
			t.Errorf("says %q", why)
		}
		f.subscriptions = []notify.Subscription{{ID: "s", CustomerID: "c-42", Endpoint: "https://x"}}
		got = f.preferences(t)
		if why := got.why(notify.Delays, notify.Push); why != "held: Held until 18:30 in Los Angeles: Dana wants no messages before." {
			t.Errorf("says %q", why)
		}
		fields := []string{}
		for _, c := range got.Changes {
			fields = append(fields, c.Field+" "+c.From+" "+c.To)
			if c.By != "bootstrap" || c.At.IsZero() {
				t.Errorf("%+v", c)
			}
		}
		wanted := []string{"preferences.channels.sms default off", "preferences.quiet_hours none 15:00-18:30", "name  ", "phone  ",
			"time_zone  America/Los_Angeles"}
		if diff := cmp.Diff(wanted, fields); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

func TestPreferencesShowTheNewestTwentyChanges(t *testing.T) {
	f := newFixture(t)
	for i := range 30 {
		f.do("PUT /v1/customers/c-42/preferences", `{"channels":{"sms":`+map[bool]string{true: "true", false: "false"}[i%2 == 0]+`}}`)
	}
	got := f.preferences(t)
	if len(got.Changes) != 20 || got.Changes[0].To != "off" || got.Changes[1].To != "on" {
		t.Errorf("%d changes, the newest %+v", len(got.Changes), got.Changes[:2])
	}
}

func TestPreferenceFaults(t *testing.T) {
	for body, fields := range map[string][]string{
		`{"channels":{"fax":true}}`:                    {"channels.fax"},
		`{"categories":{"weather":{}}}`:                {"categories.weather"},
		`{"quiet_hours":{"start":"22:00"}}`:            {"quiet_hours.end"},
		`{"quiet_hours":{"start":1,"end":"8h"}}`:       {"quiet_hours.end", "quiet_hours.start"},
		`{"quiet_hours":{"start":null,"end":"08:00"}}`: {"quiet_hours.start"},
		`null`:               {""},
		`{"preferences":{}}`: {"preferences"},
	} {
		f := newFixture(t)
		p := wantProblem(t, f.do("PUT /v1/customers/c-42/preferences", body), http.StatusUnprocessableEntity, "invalid_request")
		if diff := cmp.Diff(fields, p.fields()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
		if len(f.customers) > 0 {
			t.Errorf("%s is stored all the same", body)
		}
	}
}

// Every write says who asked, under the name of their key and the id of the request.
func TestWritesSayWhoAsked(t *testing.T) {
	f := newFixture(t)
	asDesk := []string{"Authorization", "", "X-Request-Id", "req-9"}
	for call, body := range map[string]string{
		"PUT /v1/customers/c-1":                     `{"name":"x"}`,
		"PATCH /v1/customers/c-1":                   `{"locale":"es"}`,
		"PUT /v1/customers/c-1/preferences":         `{"channels":{"sms":false}}`,
		"POST /v1/customers/c-1/push-subscriptions": pushSubscription,
		"POST /v1/customers/c-1/tokens":             `{"order_id":"CH-1"}`,
	} {
		f.customers["c-1"] = notify.Customer{ID: "c-1", Version: 1}
		f.audit = nil
		asDesk[1] = f.bearer("customers:write")
		if strings.HasSuffix(call, "tokens") {
			asDesk[1] = f.bearer("tokens:write")
		}
		if w := f.do(call, body, asDesk...); w.Code >= 300 {
			t.Errorf("%s: %d %s", call, w.Code, w.Body)
		}
		if len(f.audit) != 1 || !slices.Contains([]string{"customers:write", "tokens:write"}, f.audit[0].By) ||
			f.audit[0].Request != "req-9" || f.audit[0].Object != "customer:c-1" || f.audit[0].At.IsZero() {
			t.Errorf("%s: %+v", call, f.audit)
		}
	}
}
