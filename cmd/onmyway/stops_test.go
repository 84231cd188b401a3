package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const oneStop = `{"phone":"+1415•••0123","source":"staff","since":"2026-11-21T19:00:00Z","by":"support-desk","reason":"wrong number"}`

func TestStopsList(t *testing.T) {
	inZone(t, time.UTC)
	var asked []string
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
		lifted := strings.Replace(oneStop, "}", `,"lifted":{"at":"2026-11-22T19:00:00Z","by":"ann","reason":"owner asked"}}`, 1)
		answer(w, 200, `{"items":[`+lifted+`,{"phone":"+1415•••0999","source":"reply","since":"2026-11-20T19:00:00Z"}]}`)
	})
	v := invoke(t, restTo(s), "", "stops", "list", "--phone", "(415) 555-0123")
	v.want(t, 0)
	const want = `SINCE                NUMBER        STOPPED          REASON        LIFTED
2026-11-21 19:00:00  +1415•••0123  by support-desk  wrong number  2026-11-22 19:00:00 by ann: owner asked
2026-11-20 19:00:00  +1415•••0999  by the recipient
`
	if diff := cmp.Diff(want, v.out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/v1/stopped-numbers?limit=50&phone=%28415%29+555-0123"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if v := invoke(t, restTo(s), "", "stops", "list", "-o", "json"); !strings.Contains(v.out, `"source":"reply"`) {
		t.Errorf("-o json: %s", v.out)
	}
	invoke(t, restTo(s), "", "stops", "list", "--all", "--limit", "3").want(t, 2, "--limit and --all")
}

func TestStopsChange(t *testing.T) {
	inZone(t, time.UTC)
	var asked []string
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, fmt.Sprintf("%s %s?%s %s", r.Method, r.URL.Path, r.URL.RawQuery, body))
		switch {
		case r.Method == http.MethodPut:
			answer(w, 200, oneStop)
		case strings.HasSuffix(r.URL.Path, "9"):
			answer(w, 409, `{"title":"Only the recipient can lift it","status":409,"code":"recipient_only","detail":"by answering START"}`)
		case strings.HasSuffix(r.URL.Path, "8"):
			answer(w, 200, `{"phone":"+1415•••0128","stopped":{"source":"reply","since":"2026-11-21T19:00:00Z"}}`)
		default:
			answer(w, 200, `{"phone":"+1415•••0123"}`)
		}
	})
	for _, tt := range []struct{ args, out string }{
		{"add|(415) 555-0123|--reason|wrong number", "+1415•••0123 gets no texts: stopped by support-desk, since 2026-11-21 19:00:00 (wrong number)\n"},
		{"lift|+14155550123|--reason|owner asked", "+1415•••0123 gets texts again\n"},
		{"lift|+14155550128|--reason|owner asked", "+1415•••0128 stays stopped by the recipient, since 2026-11-21 19:00:00: only they can lift it, by answering START\n"},
	} {
		v := invoke(t, restTo(s), "", append([]string{"stops"}, strings.Split(tt.args, "|")...)...)
		v.want(t, 0)
		if v.out != tt.out {
			t.Errorf("%s says %q, want %q", tt.args, v.out, tt.out)
		}
	}
	want := []string{
		`PUT /v1/stopped-numbers/(415) 555-0123? {"reason":"wrong number"}`,
		`DELETE /v1/stopped-numbers/+14155550123?reason=owner+asked `, `DELETE /v1/stopped-numbers/+14155550128?reason=owner+asked `,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	invoke(t, restTo(s), "", "stops", "lift", "+14155550129", "--reason", "please").want(t, 1, "Only the recipient can lift it")
	invoke(t, restTo(s), "", "stops", "lift", "+14155550123").want(t, 2, "--reason is missing")
	invoke(t, restTo(s), "", "stops", "add", "+1415•••0123", "--reason", "x").want(t, 2, "masked")
	invoke(t, restTo(s), "", "stops", "add", "--reason", "x").want(t, 2, "needs a phone number")
}
