package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

var resendCall = "POST /v1/messages/" + entryID.String() + "/resend"

func TestResend(t *testing.T) {
	f := newFixture(t)
	w := f.do(resendCall, `{"reason":" changed phones ","channel":"push","force":true}`, "Idempotency-Key", "k-1")
	wantStatus(t, w, http.StatusAccepted)
	got := f.asked[0]
	made := f.resends[got.Idempotent]
	got.Idempotent.BodyHash = [32]byte{}
	want := notify.ResendRequest{Of: entryID, Channel: notify.Push, Reason: "changed phones", Force: true, Act: notify.Act{At: got.Act.At, By: "bootstrap", Request: got.Act.Request},
		Idempotent: notify.Idempotent{Principal: "bootstrap", Key: "k-1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if w.Header().Get("Location") != "/v1/messages/"+made.ID.String() || !strings.Contains(w.Body.String(), `"resend_of":"`+entryID.String()) {
		t.Errorf("Location %s, body %s", w.Header().Get("Location"), w.Body)
	}
}

func TestResendIdempotency(t *testing.T) {
	f := newFixture(t)
	first := f.do(resendCall, `{"reason":"lost"}`, "Idempotency-Key", "k-1")
	again := f.do(resendCall, `{ "force":false, "reason":"lost" }`, "Idempotency-Key", "k-1")
	wantStatus(t, again, http.StatusAccepted)
	if first.Body.String() != again.Body.String() || len(f.asked) != 1 {
		t.Errorf("the same key made %d messages", len(f.asked))
	}
	for _, call := range [][2]string{
		{resendCall, `{"reason":"other"}`},
		{resendCall, `{"reason":"lost","force":true}`},
		{"POST /v1/messages/" + eventID.String() + "/resend", `{"reason":"lost"}`},
	} {
		wantProblem(t, f.do(call[0], call[1], "Idempotency-Key", "k-1"), http.StatusUnprocessableEntity, "idempotency_key_reused")
	}
	// The key belongs to who sent it.
	wantStatus(t, f.do(resendCall, `{"reason":"other"}`, "Idempotency-Key", "k-1", "Authorization", f.bearer("messages:resend")), http.StatusAccepted)
	if len(f.asked) != 2 {
		t.Errorf("%d messages", len(f.asked))
	}
}

func TestFiftyParallelResendsMakeOneMessage(t *testing.T) {
	f := newFixture(t)
	answers := make([]string, 50)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			w := f.do(resendCall, `{"reason":"lost"}`, "Idempotency-Key", "k-1")
			answers[i] = fmt.Sprint(w.Code, w.Body)
		})
	}
	all.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.HasPrefix(a, "202") {
			t.Fatalf("%s and %s", answers[0], a)
		}
	}
	if len(f.asked) != 1 {
		t.Errorf("%d messages", len(f.asked))
	}
}

func TestResendFaults(t *testing.T) {
	tests := []struct {
		name, key, body string
		status          int
		code            string
		fields          []string
	}{
		{"no key", "", `{"reason":"lost"}`, 400, "idempotency_key_missing", []string{}},
		{"key with spaces", "a b", `{"reason":"lost"}`, 400, "idempotency_key_missing", []string{}},
		{"long key", strings.Repeat("k", 201), `{"reason":"lost"}`, 400, "idempotency_key_missing", []string{}},
		{"no key and no reason", "", `{}`, 400, "idempotency_key_missing", []string{}},
		{"no reason", "k", `{}`, 422, "invalid_request", []string{"reason"}},
		{"blank reason", "k", `{"reason":" "}`, 422, "invalid_request", []string{"reason"}},
		{"reason of other blanks", "k", `{"reason":"\u00a0\u2003\u3000\ufeff"}`, 422, "invalid_request", []string{"reason"}},
		{"reason of two lines", "k", `{"reason":"a\nb"}`, 422, "invalid_request", []string{"reason"}},
		{"reason that was broken on the way", "k", `{"reason":"lost\ufffd"}`, 422, "invalid_request", []string{"reason"}},
		{"reason with a zero byte", "k", `{"reason":"a\u0000b"}`, 422, "invalid_request", []string{"reason"}},
		{"long reason", "k", `{"reason":"` + strings.Repeat("x", 501) + `"}`, 422, "invalid_request", []string{"reason"}},
		{"unknown channel and field", "k", `{"reason":"lost","channel":"fax","forced":true}`, 422, "invalid_request", []string{"channel", "forced"}},
		{"no body", "k", ``, 400, "bad_request", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			p := wantProblem(t, f.do(resendCall, tt.body, "Idempotency-Key", tt.key), tt.status, tt.code)
			if diff := cmp.Diff(tt.fields, p.fields()); diff != "" {
				t.Error(diff)
			}
			if len(f.asked) > 0 {
				t.Error("sent all the same")
			}
		})
	}
}

func TestResendRefusals(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"not there", notify.ErrNotFound, 404, "not_found"},
		{"opted out", &notify.Refusal{Code: notify.RefuseOptedOut, Detail: "only they can turn it on"}, 409, "opted_out"},
		{"expired", fmt.Errorf("wrapped: %w", &notify.Refusal{Code: notify.RefuseExpired, Detail: "set force"}), 409, "expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.Fail["Resend"] = tt.err
			p := wantProblem(t, f.do(resendCall, `{"reason":"lost"}`, "Idempotency-Key", "k"), tt.status, tt.code)
			if p.Detail == "" {
				t.Error("it does not say what to do")
			}
		})
	}
	f := newFixture(t)
	wantProblem(t, f.do("POST /v1/messages/nothing/resend", `{"reason":"lost"}`, "Idempotency-Key", "k"), 404, "not_found")
}
