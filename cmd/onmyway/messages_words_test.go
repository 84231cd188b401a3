package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
)

// TestResendSpeaksOfFlags: the service advises in the words of its API, the command in its own.
func TestResendSpeaksOfFlags(t *testing.T) {
	said := func(r *notify.Refusal) string {
		detail, _ := json.Marshal(r.Detail)
		return fmt.Sprintf(`{"title":"The message must not be sent again","code":%q,"status":409,"detail":%s}`, r.Code, detail)
	}
	tests := map[string]struct{ answer, says string }{
		"left moments ago": {said(notify.JustSentRefusal(12 * time.Second)), "12 seconds ago: add --force to send it once more"},
		"nobody knows":     {said(notify.UnsettledRefusal(notify.Unknown, false)), "went out: add --force to send it"},
		"no longer true":   {said(expiredRefusal(t)), "2026-11-20T21:00:00Z: add --force to send it"},
		"the live page":    {said(liveRefusal(t)), "add --channel sms or --channel push"},
		"wrong fields": {`{"title":"The request has wrong fields","status":422,"code":"invalid_request","detail":"mend the fields in errors",
			"errors":[{"field":"reason","detail":"is missing"},{"field":"channel","detail":"is unknown"}]}`, "The request has wrong fields\n  --reason is missing\n  --channel is unknown\n"},
		"a key used before": {`{"title":"No","status":422,"detail":"this Idempotency-Key came before with another body"}`, "this --idempotency-key came before"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 409, tt.answer) })
			v := invoke(t, restTo(s), "", "messages", "resend", "019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71", "--reason", "x")
			v.want(t, 1, tt.says)
			for _, word := range []string{"set force", "Idempotency-Key", "in errors", "name the channel"} {
				if strings.Contains(v.err, word) {
					t.Errorf("it says %q: %s", word, v.err)
				}
			}
		})
	}
}

// expiredRefusal and liveRefusal are what the core says to a resend of old news, and of what stands on the live page.
func expiredRefusal(t *testing.T) *notify.Refusal {
	return refused(t, notify.SMS, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
}

func liveRefusal(t *testing.T) *notify.Refusal {
	return refused(t, notify.WebSocket, time.Date(2026, 11, 20, 19, 1, 0, 0, time.UTC))
}

// refused asks the core at a time to send a message again on a channel.
func refused(t *testing.T, ch notify.Channel, at time.Time) *notify.Refusal {
	t.Helper()
	r := notify.Resender{Store: shelved{ch}, Rules: func() *notify.Rules { return &notify.Rules{} }}
	_, err := r.Resend(t.Context(), notify.ResendRequest{Act: notify.Act{At: at}})
	var refusal *notify.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("error %v, want a refusal", err)
	}
	return refusal
}

// shelved has one message, about a driver who came on 20 November.
type shelved struct{ channel notify.Channel }

func (s shelved) Entry(context.Context, notify.ID) (notify.Entry, error) {
	var e notify.Entry
	e.Channel, e.State, e.Line, e.Milestone = s.channel, notify.Delivered, notify.CarHaul, "driver_en_route_to_pickup"
	e.OccurredAt = time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
	return e, nil
}

func (shelved) Lookup(context.Context, []string, []notify.Profile, []notify.OrderLine, []notify.Head) error {
	return nil
}

func (shelved) Repeated(context.Context, notify.Idempotent) (id notify.ID, made bool, err error) {
	return id, false, nil
}

func (shelved) AddResend(context.Context, notify.Act, *notify.Resend) (id notify.ID, again bool, err error) {
	return id, false, nil
}

// TestMessagesSpeakOfFlags: so do lists, and the advice that stands with a message.
func TestMessagesSpeakOfFlags(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("order_id") {
			answer(w, 422, `{"title":"The request has wrong fields","status":422,"errors":[{"field":"order_id","detail":"is too long"}]}`)
			return
		}
		answer(w, 200, `{"items":[{"id":"m-1","why":"Nobody knows. Resend with force if it matters."},{"id":"m-2","reason":"eta_unmoved"}]}`)
	})
	invoke(t, restTo(s), "", "messages", "list", "--order", "x").want(t, 1, "--order is too long")
	invoke(t, restTo(s), "", "messages", "list").want(t, 0, "Resend with --force if", "the arrival time is nearly the one told last")
}

// TestResentAtNight: what waits for the end of quiet hours is not said to be on its way.
func TestResentAtNight(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 202, `{"id":"m-1","state":"pending","reason":"quiet_hours","why":"Held until 08:00 in Reno: Dana wants no messages before."}`)
	})
	v := invoke(t, restTo(s), "", "messages", "resend", "019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71", "--reason", "x", "--force")
	if v.want(t, 0, "Message m-1 is made, and waits", "Held until 08:00"); strings.Contains(v.out, "on its way") {
		t.Errorf("it says that it is on its way:\n%s", v.out)
	}
}
