package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"onmyway/api"
	"onmyway/notify"
)

const dana = `{"name":" Dana Reyes ","phone":"(415) 555-2671","locale":"en-us","time_zone":"America/Los_Angeles",
	"preferences":{"channels":{"sms":true,"push":false},"categories":{"driver_alerts":{"sms":false}},
	"quiet_hours":{"start":"22:00","end":"08:00"}}}`

const danaShown = `{"id":"c-42","name":"Dana Reyes","phone":"+1415•••2671","locale":"en-US","time_zone":"America/Los_Angeles",
	"preferences":{"channels":{"sms":true,"push":false},"categories":{"driver_alerts":{"sms":false}},
	"quiet_hours":{"start":"22:00","end":"08:00"}},"created_at":"2000-01-01T00:00:00Z","updated_at":"2000-01-01T00:00:00Z"}`

func TestPutAndGetCustomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		wantProblem(t, f.do("GET /v1/customers/c-42", ""), http.StatusNotFound, "not_found")
		w := f.do("PUT /v1/customers/c-42", dana)
		wantStatus(t, w, http.StatusOK)
		wantJSON(t, w, danaShown)
		wantJSON(t, f.do("GET /v1/customers/c-42", ""), danaShown)
		want := notify.Customer{ID: "c-42",
			Contact: notify.Contact{Name: "Dana Reyes", Phone: "+14155552671", Locale: "en-US", TimeZone: "America/Los_Angeles"},
			Preferences: notify.Preferences{
				Channels:   map[notify.Channel]bool{notify.SMS: true, notify.Push: false},
				Categories: map[notify.Category]map[notify.Channel]bool{notify.DriverAlerts: {notify.SMS: false}},
				Quiet:      &notify.QuietHours{Start: 22 * 60, End: 8 * 60},
			}}
		got := f.customers["c-42"]
		got.Version, got.ByAPI, got.CreatedAt, got.UpdatedAt = 0, false, want.CreatedAt, want.UpdatedAt
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		if len(f.remembered) != 1 || f.remembered[0].Phone != "+14155552671" {
			t.Errorf("remembered %v", f.remembered)
		}
	})
}

// The whole is written: what is absent is emptied.
func TestPutCustomerEmpties(t *testing.T) {
	f := newFixture(t)
	f.do("PUT /v1/customers/c-42", dana)
	wantStatus(t, f.do("PUT /v1/customers/c-42", `{"name":"Dana","preferences":{"quiet_hours":null}}`), http.StatusOK)
	if c := f.customers["c-42"]; c.Phone != "" || c.Preferences.Quiet != nil || c.Preferences.Channels != nil || c.Name != "Dana" {
		t.Errorf("stored %+v", c)
	}
}

// Reading a customer, changing the name and writing it back keeps the number that was only shown masked.
func TestPutCustomerKeepsTheMaskedNumber(t *testing.T) {
	f := newFixture(t)
	f.do("PUT /v1/customers/c-42", dana)
	wantStatus(t, f.do("PUT /v1/customers/c-42", `{"name":"D. Reyes","phone":"+1415•••2671"}`), http.StatusOK)
	if c := f.customers["c-42"]; c.Phone != "+14155552671" || c.Name != "D. Reyes" {
		t.Errorf("stored %+v", c)
	}
	for _, call := range []string{"PUT /v1/customers/c-42", "PUT /v1/customers/c-new"} {
		p := wantProblem(t, f.do(call, `{"phone":"+1415•••9999"}`), http.StatusUnprocessableEntity, "invalid_request")
		if diff := cmp.Diff([]string{"phone"}, p.fields()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPutCustomerFaults(t *testing.T) {
	tests := []struct {
		name, body string
		fields     []string
	}{
		{"everything at once", `{"nme":"x","phone":"12","locale":"english","time_zone":"Mars/Base",
			"preferences":{"channels":{"fax":true,"sms":"no"},"categories":{"weather":{"sms":true},"delays":{"sms":true,"pigeon":true}},
			"quiet_hours":{"start":"25:00"}}}`,
			[]string{"locale", "nme", "phone", "preferences.categories.delays.pigeon", "preferences.categories.weather",
				"preferences.channels.fax", "preferences.channels.sms", "preferences.quiet_hours.end", "preferences.quiet_hours.start", "time_zone"}},
		{"zone of this machine", `{"time_zone":"Local"}`, []string{"time_zone"}},
		{"control characters", `{"name":"Dana\nReyes"}`, []string{"name"}},
		{"long name", `{"name":"` + strings.Repeat("x", 201) + `"}`, []string{"name"}},
		{"number as a number", `{"phone":14155552671}`, []string{"phone"}},
		{"not an object", `[]`, []string{""}},
		{"null", `null`, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			p := wantProblem(t, f.do("PUT /v1/customers/c-42", tt.body), http.StatusUnprocessableEntity, "invalid_request")
			if diff := cmp.Diff(tt.fields, p.fields()); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if len(f.customers) > 0 {
				t.Error("stored all the same")
			}
			for _, e := range p.Errors {
				if e.Detail == "" || strings.Contains(e.Detail, "Mars") {
					t.Errorf("%s: %q", e.Field, e.Detail)
				}
			}
		})
	}
}

func TestUnknownFieldIsSuggested(t *testing.T) {
	f := newFixture(t)
	for body, want := range map[string]string{
		`{"phon":"+14155552671"}`:                            `there is no such field: did you mean "phone"?`,
		`{"timezone":"UTC"}`:                                 `there is no such field: did you mean "time_zone"?`,
		`{"preferences":{"quite_hours":{}}}`:                 `there is no such field: did you mean "quiet_hours"?`,
		`{"favourite_colour":"red"}`:                         `there is no such field`,
		`{"preferences":{"chanels":{"sms":false}},"name":1}`: `there is no such field: did you mean "channels"?`,
	} {
		p := wantProblem(t, f.do("PUT /v1/customers/c-42", body), http.StatusUnprocessableEntity, "invalid_request")
		if got := p.Errors[len(p.Errors)-1].Detail; got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	p := wantProblem(t, f.do("GET /v1/messages?ordr_id=1", ""), http.StatusUnprocessableEntity, "invalid_request")
	if p.Errors[0].Field != "ordr_id" || p.Errors[0].Detail != `there is no such field: did you mean "order_id"?` {
		t.Errorf("%+v", p.Errors)
	}
}

func TestPutCustomerBody(t *testing.T) {
	f := newFixture(t)
	p := wantProblem(t, f.do("PUT /v1/customers/c-42", `{"name":"+14155552671`), http.StatusBadRequest, "bad_request")
	if len(p.Errors) != 1 || strings.Contains(p.Errors[0].Detail, "4155552671") {
		t.Errorf("%+v", p)
	}
	wantProblem(t, f.do("PUT /v1/customers/c-42", ""), http.StatusBadRequest, "bad_request")
	wantProblem(t, f.do("PUT /v1/customers/c-42", dana, "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "unsupported_media_type")
	wantProblem(t, f.do("PUT /v1/customers/c-42", `{"name":"`+strings.Repeat("x", 64<<10)+`"}`), http.StatusRequestEntityTooLarge, "request_entity_too_large")
}

func TestCustomerIDs(t *testing.T) {
	tests := []struct {
		name, path, id string // an empty id: refused
	}{
		{"plain", "c-42", "c-42"},
		{"escaped slash", "a%2Fb", "a/b"},
		{"space and accents", "Ren%C3%A9%20M", "René M"},
		{"null byte", "a%00b", ""},
		{"line break", "a%0Ab", ""},
		{"not UTF-8", "a%FFb", ""},
		{"too long", strings.Repeat("x", 129), ""},
		{"longest", strings.Repeat("x", 128), strings.Repeat("x", 128)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			w := f.do("PUT /v1/customers/"+tt.path, `{"name":"x"}`)
			if tt.id == "" {
				p := wantProblem(t, w, http.StatusUnprocessableEntity, "invalid_request")
				if diff := cmp.Diff([]string{"id"}, p.fields()); diff != "" {
					t.Error(diff)
				}
				return
			}
			wantStatus(t, w, http.StatusOK)
			if _, ok := f.customers[tt.id]; !ok {
				t.Errorf("stored %v", f.customers)
			}
		})
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "+14155550123": "+1415•••0123", "+4712345678": "+471•••5678", "+2905123": "+•••5123", "+290512": "•••",
	} {
		if got := api.Masked(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzMasked(f *testing.F) {
	f.Add(uint64(14155550123))
	f.Add(uint64(290512))
	f.Fuzz(func(t *testing.T, digits uint64) {
		number := "+" + strconv.FormatUint(digits, 10)
		shown := strings.Replace(api.Masked(number), "•••", "", 1)
		if len(shown) > max(len(number)-3, 0) {
			t.Errorf("%q is masked as %q", number, api.Masked(number))
		}
	})
}
