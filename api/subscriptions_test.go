package api_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

const pushSubscription = `{"endpoint":"https://fcm.googleapis.com/fcm/send/secret","expirationTime":null,
	"keys":{"p256dh":"BKey","auth":"Auth","new":"field"}}`

func TestSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const call = "/v1/customers/c-42/push-subscriptions"
		const shown = `{"id":"0123456789abcdef","service":"fcm.googleapis.com","created_at":"2000-01-01T00:00:00Z"}`
		f := newFixture(t)
		f.customers["c-42"] = notify.Customer{ID: "c-42", Version: 1}

		wantJSON(t, f.do("GET "+call, ""), `{"items":[]}`)
		w := f.do("POST "+call, pushSubscription)
		wantStatus(t, w, http.StatusCreated)
		wantJSON(t, w, shown)
		if got := w.Header().Get("Location"); got != call+"/0123456789abcdef" {
			t.Errorf("Location %s", got)
		}
		want := []notify.Subscription{{ID: "0123456789abcdef", CustomerID: "c-42", Endpoint: "https://fcm.googleapis.com/fcm/send/secret",
			P256dh: "BKey", Auth: "Auth", CreatedAt: f.subscriptions[0].CreatedAt}}
		if diff := cmp.Diff(want, f.subscriptions); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		wantJSON(t, f.do("GET "+call, ""), `{"items":[`+shown+`]}`)

		wantProblem(t, f.do("DELETE /v1/customers/other/push-subscriptions/0123456789abcdef", ""), http.StatusNotFound, "not_found")
		w = f.do("DELETE "+call+"/0123456789abcdef", "")
		wantStatus(t, w, http.StatusNoContent)
		wantProblem(t, f.do("DELETE "+call+"/0123456789abcdef", ""), http.StatusNotFound, "not_found")
		if len(f.remembered) != 2 || len(f.remembered[0].Subscriptions) != 1 || len(f.remembered[1].Subscriptions) != 0 {
			t.Errorf("remembered %v", f.remembered)
		}
	})
}

func TestSubscriptionFaults(t *testing.T) {
	tests := []struct {
		name, body string
		fields     []string
	}{
		{"refused endpoint", strings.Replace(pushSubscription, "https", "http", 1), []string{"endpoint"}},
		{"nothing", `{}`, []string{"endpoint", "keys"}},
		{"half the keys", `{"endpoint":"https://x","keys":{"auth":"a"}}`, []string{"keys.p256dh"}},
		{"long endpoint", `{"endpoint":"https://` + strings.Repeat("x", 2048) + `","keys":{"auth":"a","p256dh":"b"}}`, []string{"endpoint"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			p := wantProblem(t, f.do("POST /v1/customers/c-42/push-subscriptions", tt.body), http.StatusUnprocessableEntity, "invalid_request")
			if diff := cmp.Diff(tt.fields, p.fields()); diff != "" {
				t.Error(diff)
			}
			if len(f.subscriptions) > 0 {
				t.Error("stored all the same")
			}
		})
	}
}
