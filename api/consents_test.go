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

const consentGiven = `{"channel":"sms","given":true,"source":"web form","evidence":"form 4711"}`

func TestConsents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // at midnight, UTC, on 1 January 2000
		const call = "/v1/customers/c-42/consents"
		f := newFixture(t)
		wantProblem(t, f.do("POST "+call, consentGiven), http.StatusNotFound, "not_found")
		wantProblem(t, f.do("GET "+call, ""), http.StatusNotFound, "not_found")
		f.customers["c-42"] = notify.Customer{ID: "c-42", Version: 1}
		wantJSON(t, f.do("GET "+call, ""), `{"items":[]}`)

		const given = `{"no":1,"channel":"sms","given":true,"at":"2000-01-01T00:00:00Z","source":"web form","by":"bootstrap",
			"recorded_at":"2000-01-01T00:00:00Z","evidence":"form 4711"}`
		w := f.do("POST "+call, consentGiven, "Idempotency-Key", "k-1")
		wantStatus(t, w, http.StatusCreated)
		wantJSON(t, w, given)
		wantJSON(t, f.do("POST "+call, consentGiven, "Idempotency-Key", "k-1"), given)
		other := strings.Replace(consentGiven, "true", "false", 1)
		wantProblem(t, f.do("POST "+call, other, "Idempotency-Key", "k-1"), http.StatusUnprocessableEntity, "idempotency_key_reused")
		w = f.do("POST "+call, `{"channel":"sms","given":false,"at":"2000-01-01T01:00:30+01:00","source":"phone call"}`) // a clock half a minute ahead
		wantStatus(t, w, http.StatusCreated)
		const taken = `{"no":2,"channel":"sms","given":false,"at":"2000-01-01T00:00:00Z","source":"phone call","by":"bootstrap",
			"recorded_at":"2000-01-01T00:00:00Z"}`
		wantJSON(t, w, taken)
		wantJSON(t, f.do("GET "+call, ""), `{"items":[`+taken+`,`+given+`]}`)
		if last := f.remembered[len(f.remembered)-1]; !last.Consents.Withdrawn(notify.SMS) {
			t.Errorf("remembered %+v", last.Consents)
		}

		var page struct{ Next string }
		w = f.do("GET "+call+"?limit=1", "")
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Next == "" {
			t.Fatalf("a page of one: %s", w.Body)
		}
		w = f.do("GET "+call+"?limit=5&cursor="+page.Next, "")
		wantJSON(t, w, `{"items":[`+given+`]}`)
		f.customers["c-9"] = notify.Customer{ID: "c-9", Version: 1}
		wantProblem(t, f.do("GET /v1/customers/c-9/consents?cursor="+page.Next, ""), http.StatusBadRequest, "bad_cursor")

		var customer struct{ Consents json.RawMessage }
		if err := json.Unmarshal(f.do("GET /v1/customers/c-42", "").Body.Bytes(), &customer); err != nil {
			t.Fatal(err)
		}
		if got, want := string(customer.Consents), `{"sms":{"given":false,"at":"2000-01-01T00:00:00Z","source":"phone call"}}`; got != want {
			t.Errorf("the customer says %s, want %s", got, want)
		}
	})
}

// TestConsentComesAgain repeats a call whose clock is ahead of ours, as far as that is allowed: it is the same call all the same.
func TestConsentComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // at midnight, UTC, on 1 January 2000
		const call, asked = "POST /v1/customers/c-42/consents", `{"channel":"sms","given":true,"at":"2000-01-01T00:00:30Z","source":"web form"}`
		f := newFixture(t)
		f.customers["c-42"] = notify.Customer{ID: "c-42", Version: 1}
		first := f.do(call, asked, "Idempotency-Key", "k-1")
		wantStatus(t, first, http.StatusCreated)
		time.Sleep(time.Second)
		wantJSON(t, f.do(call, asked, "Idempotency-Key", "k-1"), first.Body.String())
	})
}

func TestConsentFaults(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		fields     []string
	}{
		{"nothing", `{}`, []string{"channel", "given", "source"}},
		{"another channel", `{"channel":"push","given":true,"source":"web form"}`, []string{"channel"}},
		{"the future", `{"channel":"sms","given":true,"source":"web form","at":"2100-01-01T00:00:00Z"}`, []string{"at"}},
		{"no time", `{"channel":"sms","given":true,"source":"web form","at":"1970-01-01T00:00:00Z"}`, []string{"at"}},
		{"a number as source", `{"channel":"sms","given":true,"source":"+14155550123"}`, []string{"source"}},
		{"an event as source", `{"channel":"sms","given":true,"source":"Order event"}`, []string{"source"}},
		{"two lines", `{"channel":"sms","given":true,"source":"web form","evidence":"a\nb"}`, []string{"evidence"}},
		{"words", `{"channel":"sms","given":"yes","source":"web form"}`, []string{"given"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.customers["c-42"] = notify.Customer{ID: "c-42", Version: 1}
			p := wantProblem(t, f.do("POST /v1/customers/c-42/consents", tt.body), http.StatusUnprocessableEntity, "invalid_request")
			if diff := cmp.Diff(tt.fields, p.fields()); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStoppedNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const call = "/v1/stopped-numbers"
		f := newFixture(t)
		f.customers["c-42"] = notify.Customer{ID: "c-42", Version: 1, Contact: notify.Contact{Phone: "+14155550123"}}
		wantJSON(t, f.do("GET "+call, ""), `{"items":[]}`)
		wantProblem(t, f.do("DELETE "+call+"/+14155550123?reason=asked", ""), http.StatusNotFound, "not_found")

		const now = `{"source":"staff","since":"2000-01-01T00:00:00Z","by":"bootstrap","reason":"wrong number"}`
		shown := strings.Replace(now, "{", `{"phone":"+1415•••0123",`, 1)
		for range 2 { // the second one changes nothing
			w := f.do("PUT "+call+"/%28415%29%20555-0123", `{"reason":" wrong number "}`)
			wantStatus(t, w, http.StatusOK)
			wantJSON(t, w, shown)
		}
		wantJSON(t, f.do("GET "+call, ""), `{"items":[`+shown+`]}`)
		wantJSON(t, f.do("GET "+call+"?phone=+14155550123", ""), `{"items":[`+shown+`]}`)
		wantJSON(t, f.do("GET "+call+"?phone=4155550999", ""), `{"items":[]}`)
		var customer struct {
			Stopped json.RawMessage `json:"number_stopped"`
		}
		if err := json.Unmarshal(f.do("GET /v1/customers/c-42", "").Body.Bytes(), &customer); err != nil || string(customer.Stopped) != now {
			t.Errorf("the customer's number: %s, %v", customer.Stopped, err)
		}

		// What the recipient did staff can't lift.
		if _, _, err := f.ledger().Stop(t.Context(), noon, notify.Inbound{From: "+14155550123", ProviderID: "SM1"}); err != nil {
			t.Fatal(err)
		}
		w := f.do("DELETE "+call+"/+14155550123?reason=owner+asked", "")
		wantStatus(t, w, http.StatusOK)
		var left struct {
			Phone   string
			Stopped struct{ Source string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &left); err != nil || left.Phone != "+1415•••0123" || left.Stopped.Source != "reply" {
			t.Errorf("lifted: %s", w.Body)
		}
		wantProblem(t, f.do("DELETE "+call+"/+14155550123?reason=asked", ""), http.StatusConflict, "recipient_only")
		if body := f.do("GET "+call+"?phone=4155550123", "").Body.String(); !strings.Contains(body, `"lifted":{"at":"2000-01-01T00:00:00Z","by":"bootstrap","reason":"owner asked"}`) {
			t.Errorf("the number's history: %s", body)
		}
		if strings.Contains(f.log.String(), "5550123") {
			t.Errorf("the log names a number: %s", &f.log)
		}
	})
}

// TestStopStaysAsItIs stops a number again that staff stopped long ago, and whose recipient has come and gone since.
func TestStopStaysAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const call = "PUT /v1/stopped-numbers/+14155550123"
		f := newFixture(t)
		first := f.do(call, `{"reason":"wrong number"}`)
		wantStatus(t, first, http.StatusOK)
		for range 5 {
			time.Sleep(time.Second)
			if _, _, err := f.ledger().Stop(t.Context(), time.Now(), notify.Inbound{From: "+14155550123"}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := f.ledger().Start(t.Context(), time.Now(), notify.Inbound{From: "+14155550123"}); err != nil {
				t.Fatal(err)
			}
		}
		wantJSON(t, f.do(call, `{"reason":"again"}`), first.Body.String())
	})
}

// TestLiftAnsweredAgain sends a call again whose answer was lost.
func TestLiftAnsweredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const call = "/v1/stopped-numbers/+14155550123"
		f := newFixture(t)
		wantStatus(t, f.do("PUT "+call, `{"reason":"wrong number"}`), http.StatusOK)
		for range 2 {
			wantJSON(t, f.do("DELETE "+call+"?reason=owner+asked", ""), `{"phone":"+1415•••0123"}`)
			time.Sleep(notify.LiftedLately / 2)
		}
		wantProblem(t, f.do("DELETE "+call+"?reason=owner+asked", ""), http.StatusNotFound, "not_found")
	})
}

func TestStoppedNumberFaults(t *testing.T) {
	f := newFixture(t)
	for call, fields := range map[string][]string{
		"PUT /v1/stopped-numbers/+14155550123 {}":                              {"reason"},
		`PUT /v1/stopped-numbers/+14155550123 {"reason":" "}`:                  {"reason"},
		`PUT /v1/stopped-numbers/+14155550123 {"reason":"\u2003\u3000\u200b"}`: {"reason"},
		`PUT /v1/stopped-numbers/12 {"reason":"wrong number"}`:                 {"phone"},
		`PUT /v1/stopped-numbers/12 {}`:                                        {"phone", "reason"},
		"DELETE /v1/stopped-numbers/+14155550123 ":                             {"reason"},
		"DELETE /v1/stopped-numbers/+14155550123?reason=%09 ":                  {"reason"},
		"GET /v1/stopped-numbers?phone=12 ":                                    {"phone"},
	} {
		at := strings.LastIndex(call, " ")
		if i := strings.Index(call, " {"); i > 0 {
			at = i
		}
		p := wantProblem(t, f.do(call[:at], call[at+1:]), http.StatusUnprocessableEntity, "invalid_request")
		if got := p.fields(); !slices.Equal(got, fields) {
			t.Errorf("%s: fields %q, want %q", call, got, fields)
		}
	}
}
