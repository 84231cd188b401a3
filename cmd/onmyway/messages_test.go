package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

const oneMessage = `{"id":"019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71","order_id":"CH-1001","customer_id":"c-42","line":"car_haul",
 "milestone":"picked_up","sequence":7,"channel":"sms","state":"failed","reason":"bad_address",
 "why":"Failed: the number or device can't be reached, for good.","address":"+1415•••0123","title":"",
 "body":"Dana\u001b[2J, your Civic is on the truck.\nTrack: https://t.example/x","created_at":"2026-11-21T19:00:00.5Z",
 "due_at":"2026-11-21T19:00:00.5Z","expires_at":"2026-11-22T19:00:00Z","updated_at":"2026-11-21T19:00:02Z",
 "resend_of":"019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71","resend_no":1,"resend_by":"support-desk","resend_reason":"customer called",
 "resends":["019aa8b0-ffff-7c4e-9a1b-2f6d0c5e8a71"],
 "attempts":[{"no":1,"started_at":"2026-11-21T19:00:01Z","finished_at":"2026-11-21T19:00:01.25Z","verdict":"permanent",
   "reason":"bad_address","status":400,"code":21211,"detail":"not a mobile number"}],
 "history":[{"at":"2026-11-21T19:00:01.5Z","state":"verify","reason":"unclear_end"},
   {"at":"2026-11-21T19:00:20Z","state":"undelivered","reason":"not_reached","code":30003,"detail":"the phone\u001b is off"}],
 "lineage":{"topic":"order-events","partition":3,"offset":4711,"event_id":"evt-1","template":"car_haul/picked_up@1a2b",
   "template_locale":"es","locale_asked":"es-MX"},
 "not_sent":[{"channel":"push","reason":"no_address","why":"No alert sent: no device is known."}]}`

func TestMessagesShow(t *testing.T) {
	inZone(t, time.FixedZone("", -8*3600))
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/messages/019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71" {
			answer(w, 404, `{"title":"Not found","status":404,"detail":"there is no message with this id"}`)
			return
		}
		answer(w, 200, oneMessage)
	})
	v := invoke(t, restTo(s), "", "messages", "show", "019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71")
	v.want(t, 0)
	const want = `Message 019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71
  state          failed  bad_address
  why            Failed: the number or device can't be reached, for good.
  channel        sms  +1415•••0123
  order          CH-1001  car_haul
  milestone      picked_up  sequence 7
  customer       c-42
  text           Dana [2J, your Civic is on the truck.
                 Track: https://t.example/x
  made           2026-11-21 11:00:00
  not before     2026-11-21 11:00:00
  not after      2026-11-22 11:00:00
  changed        2026-11-21 11:00:02
Attempts
  1              2026-11-21 11:00:01  permanent  bad_address  status 400  code 21211  took 250 ms  not a mobile number
What became of it
  verify         2026-11-21 11:00:01  unclear_end
  undelivered    2026-11-21 11:00:20  not_reached  code 30003  the phone  is off
Not sent
  push           No alert sent: no device is known.
Sent again
  made from      019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71
  asked by       support-desk
  because        customer called
Sent again as
                 019aa8b0-ffff-7c4e-9a1b-2f6d0c5e8a71
Where it comes from
  event          evt-1
  record         order-events  partition 3  offset 4711
  template       car_haul/picked_up@1a2b  es  asked for es-MX
`
	if diff := cmp.Diff(want, v.out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	v = invoke(t, restTo(s), "", "messages", "show", "-o", "json", "019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71")
	var got, served any
	if json.Unmarshal([]byte(v.out), &got) != nil || json.Unmarshal([]byte(oneMessage), &served) != nil || !cmp.Equal(got, served) {
		t.Errorf("-o json is not what the service said:\n%s", v.out)
	}
	invoke(t, restTo(s), "", "messages", "show", "019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a72").want(t, 1, "Not found: there is no message")
	invoke(t, restTo(s), "", "messages", "show", "CH-1001").want(t, 2, "no message id")
	invoke(t, restTo(s), "", "messages", "show").want(t, 2, "needs a message id")
}

// shelf serves a list of so many messages in pages, and notes what was asked.
func shelf(n int, asked *[]url.Values) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*asked = append(*asked, q)
		from, _ := strconv.Atoi(q.Get("cursor"))
		limit, _ := strconv.Atoi(q.Get("limit"))
		var items []string
		for i := from; i < min(n, from+limit); i++ {
			items = append(items, fmt.Sprintf(`{"id":"m-%d","order_id":"CH-%d","state":"sent","channel":"websocket","milestone":"picked_up",
				"created_at":"2026-11-21T19:00:00Z","reason":"","more":{"x":1}}`, i, i))
		}
		next := ""
		if from+limit < n {
			next = fmt.Sprintf(`,"next":"%d"`, from+limit)
		}
		answer(w, 200, `{"items":[`+strings.Join(items, ",")+"]"+next+"}")
	}
}

func TestMessagesList(t *testing.T) {
	inZone(t, time.UTC)
	var asked []url.Values
	s := serveREST(t, shelf(2, &asked))
	v := invoke(t, restTo(s), "", "messages", "list", "--order", "CH-1", "--customer", "c 1", "--phone", "+1 415", "--channel", "sms",
		"--state", "failed", "--milestone", "picked_up", "--since", "2026-11-20T00:00:00Z", "--until", "2026-11-21T01:00:00+01:00")
	v.want(t, 0)
	const want = `TIME                 MESSAGE  STATE  CHANNEL    ORDER  MILESTONE  WHY
2026-11-21 19:00:00  m-0      sent   websocket  CH-0   picked_up
2026-11-21 19:00:00  m-1      sent   websocket  CH-1   picked_up
`
	if diff := cmp.Diff(want, v.out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]url.Values{{"order_id": {"CH-1"}, "customer_id": {"c 1"}, "phone": {"+1 415"}, "channel": {"sms"},
		"state": {"failed"}, "milestone": {"picked_up"}, "since": {"2026-11-20T00:00:00Z"}, "until": {"2026-11-21T00:00:00Z"},
		"limit": {"50"}}}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestMessagesPages(t *testing.T) {
	tests := []struct {
		args   string
		want   int
		limits []string
		more   bool
	}{
		{"", 50, []string{"50"}, true},
		{"--limit 230", 230, []string{"100", "100", "30"}, true},
		{"--limit 250", 250, []string{"100", "100", "50"}, false},
		{"--limit 9999", 250, []string{"100", "100", "100"}, false},
		{"--all", 250, []string{"100", "100", "100"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var asked []url.Values
			s := serveREST(t, shelf(250, &asked))
			v := invoke(t, restTo(s), "", append([]string{"messages", "list", "-o", "json"}, strings.Fields(tt.args)...)...)
			var got struct {
				Items []struct {
					ID   string
					More map[string]int
				}
				Next string
			}
			if err := json.Unmarshal([]byte(v.out), &got); err != nil {
				t.Fatalf("%v:\n%s", err, v.out)
			}
			if len(got.Items) != tt.want || (got.Next != "") != tt.more || got.Items[tt.want-1].ID != fmt.Sprintf("m-%d", tt.want-1) || got.Items[0].More["x"] != 1 {
				t.Errorf("%d items, next %q", len(got.Items), got.Next)
			}
			var limits []string
			for _, q := range asked {
				limits = append(limits, q.Get("limit"))
			}
			if diff := cmp.Diff(tt.limits, limits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
			table := invoke(t, restTo(s), "", append([]string{"messages", "list"}, strings.Fields(tt.args)...)...)
			if strings.Count(table.out, "m-") != tt.want || strings.Count(table.out, "WHY") != 1 || strings.Contains(table.out, "there are more") != tt.more {
				t.Errorf("table:\n%s", table.out)
			}
		})
	}
	v := invoke(t, restTo(serveREST(t, shelf(0, new([]url.Values)))), "", "messages", "list", "-o", "json")
	if v.want(t, 0); v.out != "{\"items\":[\n]}\n" {
		t.Errorf("%q", v.out)
	}
}

func TestMessagesUsage(t *testing.T) {
	tests := map[string]string{
		"list --state faild":   "did you mean failed?",
		"list --channel fax":   "use sms, push, websocket",
		"list --since soon":    "--since: write a time like",
		"list --limit 0":       "--limit must be 1 or more",
		"list --limit 5 --all": "don't go together",
		"list CH-1":            "takes no arguments",
		"resend 019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71":                            "--reason is missing",
		"resend 019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71 --reason x --channel pusch": "did you mean push?",
		"shwo x": "is not a command",
	}
	for args, says := range tests {
		invoke(t, map[string]string{keyVariable: "k"}, "", append([]string{"messages"}, strings.Fields(args)...)...).want(t, 2, says)
	}
}

// TestResendKeepsItsKey: a try whose answer is lost is repeated under the same key, so that one text goes out.
func TestResendKeepsItsKey(t *testing.T) {
	var keys, bodies []string
	made := map[string]bool{}
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := r.Header.Get("Idempotency-Key")
		keys, bodies, made[key] = append(keys, key), append(bodies, r.URL.Path+" "+string(body)), true
		if len(keys) == 1 {
			panic(http.ErrAbortHandler)
		}
		answer(w, 202, oneMessage)
	})
	v := invoke(t, restTo(s), "", "messages", "resend", "019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71", "--reason", "customer called", "--channel", "sms", "--force")
	v.want(t, 0, "Message 019aa8b0-5c00-7c4e-9a1b-2f6d0c5e8a71 is on its way", "onmyway messages show 019aa8b0-5c00")
	if len(keys) != 2 || len(made) != 1 || len(keys[0]) < 20 || bodies[0] != bodies[1] ||
		bodies[0] != `/v1/messages/019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71/resend {"reason":"customer called","channel":"sms","force":true}` {
		t.Errorf("keys %q, bodies %q", keys, bodies)
	}
	invoke(t, restTo(s), "", "messages", "resend", "019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71", "--reason", "again", "--idempotency-key", "call-1").want(t, 0)
	if !made["call-1"] {
		t.Errorf("keys %q", keys)
	}
}

func TestResendRefused(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 409, `{"title":"The message must not be sent again","code":"opted_out","status":409,"detail":"the customer has turned this off"}`)
	})
	invoke(t, restTo(s), "", "messages", "resend", "019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71", "--reason", "x").
		want(t, 1, "must not be sent again: the customer has turned this off")
}

// TestResendUnclear: where no answer comes, the command names the key with which it may be run again.
func TestResendUnclear(t *testing.T) {
	s := serveREST(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, `{"title":"Oops","status":500}`) })
	invoke(t, restTo(s), "", "messages", "resend", "019aa8b0-0000-7c4e-9a1b-2f6d0c5e8a71", "--reason", "x", "--idempotency-key", "call-9").
		want(t, 1, "--idempotency-key call-9", "nothing twice")
}
