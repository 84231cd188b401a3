package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/api"
	"onmyway/notify"
)

func TestPatchCustomer(t *testing.T) {
	whole := notify.Customer{ID: "c-42",
		Contact: notify.Contact{Name: "Dana Reyes", Phone: "+14155552671", Locale: "en-US", TimeZone: "America/Los_Angeles"},
		Preferences: notify.Preferences{
			Channels:   map[notify.Channel]bool{notify.SMS: true, notify.Push: false},
			Categories: map[notify.Category]map[notify.Channel]bool{notify.DriverAlerts: {notify.SMS: false}},
			Quiet:      &notify.QuietHours{Start: 22 * 60, End: 8 * 60},
		}}
	tests := []struct {
		name, patch string
		want        func(c *notify.Customer)
	}{
		{"nothing", `{}`, func(*notify.Customer) {}},
		{"one field", `{"locale":"es-mx"}`, func(c *notify.Customer) { c.Locale = "es-MX" }},
		{"null empties", `{"phone":null,"name":null}`, func(c *notify.Customer) { c.Phone, c.Name = "", "" }},
		{"number in another spelling", `{"phone":"415 555 2672"}`, func(c *notify.Customer) { c.Phone = "+14155552672" }},
		{"masked number stays", `{"phone":"+1415•••2671"}`, func(*notify.Customer) {}},
		{"one channel", `{"preferences":{"channels":{"sms":false}}}`, func(c *notify.Customer) { c.Preferences.Channels[notify.SMS] = false }},
		{"no choice any more", `{"preferences":{"channels":{"push":null}}}`, func(c *notify.Customer) { delete(c.Preferences.Channels, notify.Push) }},
		{"no choices any more", `{"preferences":{"channels":null,"categories":{"driver_alerts":null}}}`,
			func(c *notify.Customer) { c.Preferences.Channels, c.Preferences.Categories = nil, nil }},
		{"one more category", `{"preferences":{"categories":{"delays":{"push":true}}}}`,
			func(c *notify.Customer) {
				c.Preferences.Categories[notify.Delays] = map[notify.Channel]bool{notify.Push: true}
			}},
		{"half of the quiet hours", `{"preferences":{"quiet_hours":{"start":"21:30"}}}`, func(c *notify.Customer) { c.Preferences.Quiet.Start = 21*60 + 30 }},
		{"no quiet hours", `{"preferences":{"quiet_hours":null}}`, func(c *notify.Customer) { c.Preferences.Quiet = nil }},
		{"no preferences", `{"preferences":null}`, func(c *notify.Customer) { c.Preferences = notify.Preferences{} }},
	}
	for _, media := range []string{"application/json", "application/merge-patch+json", ""} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				f := newFixture(t)
				f.do("PUT /v1/customers/c-42", dana)
				wantStatus(t, f.do("PATCH /v1/customers/c-42", tt.patch, "Content-Type", media), http.StatusOK)
				want := clone(t, whole)
				tt.want(&want)
				got := f.customers["c-42"]
				got.Version, got.ByAPI, got.CreatedAt, got.UpdatedAt = 0, false, want.CreatedAt, want.UpdatedAt
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("stored (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func clone(t *testing.T, c notify.Customer) (copied notify.Customer) {
	t.Helper()
	text, err := json.Marshal(c)
	if err == nil {
		err = json.Unmarshal(text, &copied)
	}
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestPatchFaults(t *testing.T) {
	tests := []struct {
		name, patch string
		fields      []string
	}{
		{"unknown fields", `{"nme":"x","preferences":{"channels":{"smss":true}}}`, []string{"nme", "preferences.channels.smss"}},
		{"bad values", `{"phone":"12","time_zone":"Mars/Base"}`, []string{"phone", "time_zone"}},
		{"bad hours", `{"preferences":{"quiet_hours":{"start":"25:00"}}}`, []string{"preferences.quiet_hours.start"}},
		{"wrong type", `{"preferences":{"channels":{"sms":"no"}}}`, []string{"preferences.channels.sms"}},
		{"not an object", `[]`, []string{""}},
		{"null", `null`, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.do("PUT /v1/customers/c-42", dana)
			before := f.customers["c-42"]
			p := wantProblem(t, f.do("PATCH /v1/customers/c-42", tt.patch), http.StatusUnprocessableEntity, "invalid_request")
			if diff := cmp.Diff(tt.fields, p.fields()); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, f.customers["c-42"]); diff != "" {
				t.Errorf("stored all the same: %s", diff)
			}
		})
	}
	f := newFixture(t)
	p := wantProblem(t, f.do("PATCH /v1/customers/c-42", `{"preferences":{"chanels":{}}}`), http.StatusUnprocessableEntity, "invalid_request")
	if !strings.Contains(p.Errors[0].Detail, `did you mean "channels"?`) {
		t.Errorf("%+v", p.Errors)
	}
	wantProblem(t, f.do("PATCH /v1/customers/c-42", `{"name":"x"}`), http.StatusNotFound, "not_found")
	// Half of the hours of somebody who has none.
	f.do("PUT /v1/customers/c-42", `{}`)
	p = wantProblem(t, f.do("PATCH /v1/customers/c-42", `{"preferences":{"quiet_hours":{"start":"22:00"}}}`), http.StatusUnprocessableEntity, "invalid_request")
	if diff := cmp.Diff([]string{"preferences.quiet_hours.end"}, p.fields()); diff != "" {
		t.Error(diff)
	}
}

// A null is no choice. Taking it for false would turn a channel off that nobody turned off.
func TestNullIsNoChoice(t *testing.T) {
	f := newFixture(t)
	wantStatus(t, f.do("PUT /v1/customers/c-42", `{"preferences":{"channels":{"sms":null,"push":false},"categories":{"delays":{"sms":null},"papers":null}}}`), http.StatusOK)
	want := notify.Preferences{Channels: map[notify.Channel]bool{notify.Push: false}}
	if diff := cmp.Diff(want, f.customers["c-42"].Preferences); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// Two people who change different fields at once both succeed.
func TestPatchesOfDifferentFieldsLoseNothing(t *testing.T) {
	f := newFixture(t)
	f.do("PUT /v1/customers/c-42", dana)
	var all sync.WaitGroup
	for _, patch := range []string{`{"name":"D. Reyes"}`, `{"locale":"es"}`, `{"preferences":{"channels":{"sms":false}}}`, `{"time_zone":"America/Chicago"}`} {
		all.Go(func() { f.do("PATCH /v1/customers/c-42", patch) })
	}
	all.Wait()
	c := f.customers["c-42"]
	if c.Name != "D. Reyes" || c.Locale != "es" || c.Preferences.Channels[notify.SMS] || c.TimeZone != "America/Chicago" || c.Phone != "+14155552671" {
		t.Errorf("stored %+v", c)
	}
}

func TestConditions(t *testing.T) {
	tests := []struct {
		name, header, value string
		stored              bool
		status              int
	}{
		{"the version", "If-Match", `"1"`, true, 200},
		{"one of several", "If-Match", `"7", "1"`, true, 200},
		{"any", "If-Match", `*`, true, 200},
		{"any of nobody", "If-Match", `*`, false, 412},
		{"another version", "If-Match", `"2"`, true, 412},
		{"a version of nobody", "If-Match", `"0"`, false, 412},
		{"without quotes", "If-Match", `1`, true, 412},
		{"weak", "If-Match", `W/"1"`, true, 412},
		{"new", "If-None-Match", `*`, false, 200},
		{"not new", "If-None-Match", `*`, true, 412},
		{"not this version", "If-None-Match", `"1"`, true, 412},
		{"not another version", "If-None-Match", `"2"`, true, 200},
	}
	for _, call := range []string{"PUT /v1/customers/c-42", "PATCH /v1/customers/c-42", "PUT /v1/customers/c-42/preferences"} {
		for _, tt := range tests {
			t.Run(call+" "+tt.name, func(t *testing.T) {
				if !tt.stored && tt.status == 200 && strings.HasPrefix(call, "PATCH") {
					t.Skip("nobody to change")
				}
				f := newFixture(t)
				if tt.stored {
					w := f.do("PUT /v1/customers/c-42", dana)
					if got := w.Header().Get("ETag"); got != `"1"` {
						t.Errorf("ETag %s", got)
					}
				}
				before := f.customers["c-42"]
				w := f.do(call, `{}`, tt.header, tt.value)
				if tt.status == 412 {
					wantProblem(t, w, 412, "changed_meanwhile")
					if diff := cmp.Diff(before, f.customers["c-42"]); diff != "" {
						t.Errorf("written all the same: %s", diff)
					}
					return
				}
				wantStatus(t, w, tt.status)
			})
		}
	}
}

// The table of RFC 7396, appendix A.
func TestMerged(t *testing.T) {
	for _, tt := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		var target, patch, want any
		for i, dst := range []*any{&target, &patch, &want} {
			if err := json.Unmarshal([]byte(tt[i]), dst); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, api.Merged(target, patch)); diff != "" {
			t.Errorf("%s and %s (-want +got):\n%s", tt[0], tt[1], diff)
		}
	}
}
