package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

// TestSupportByCommandLine: a key, customers, events, what became of them and a resend, all by commands beside a running
// service.
func TestSupportByCommandLine(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		run := func(want int, args ...string) string {
			t.Helper()
			code, out := program(t, w.env, args...)
			if code != want {
				t.Fatalf("onmyway %s: exit code %d, want %d:\n%s", strings.Join(args, " "), code, want, out)
			}
			return out
		}
		secret := regexp.MustCompile(`omw_[0-9a-f]{16}_[A-Z2-7]{52}`).
			FindString(run(0, "keys", "create", "--name", "desk", "--scopes", "events:write,messages:read,messages:resend"))
		if secret == "" {
			t.Fatal("keys create prints no key")
		}
		rest := []string{"--url", n.url, "--key-file", fileWith(t, "key", secret)}

		e := onTheWay(1, 10)
		run(0, "customers", "import", fileWith(t, "c.csv", fmt.Sprintf("id,name,phone\n%s,Dana,%s\n", e.CustomerID, e.Customer["phone"])))
		e.Customer = nil
		run(0, append([]string{"events", "publish", fileWith(t, "e.ndjson", string(e.json())+"\n")}, rest...)...)

		id := ""
		within(t, 20*time.Second, "the text is accepted", func() error {
			list := run(0, append([]string{"messages", "list", "--order", e.OrderID, "--channel", "sms", "--since", "2d"}, rest...)...)
			for row := range strings.Lines(list) {
				if cells := strings.Fields(row); len(cells) > 3 && cells[3] == "accepted" {
					id = cells[2]
					return nil
				}
			}
			return fmt.Errorf("the list:\n%s", list)
		})
		shown := run(0, append([]string{"messages", "show", id}, rest...)...)
		for _, says := range []string{"Message " + id, "why   ", "text  ", "Attempts\n", e.OrderID, w.topic} {
			if !strings.Contains(shown, says) {
				t.Errorf("messages show does not say %q:\n%s", says, shown)
			}
		}
		resend := append([]string{"messages", "resend", id, "--reason", "changed phones"}, rest...)
		if said := run(1, resend...); !strings.Contains(said, "seconds ago") {
			t.Errorf("what just left goes out again: %s", said)
		}
		resend = append(resend, "--force", "--idempotency-key", "call-1")
		run(0, resend...)
		run(0, resend...)
		within(t, 20*time.Second, "it is accepted again", func() error { return w.accepted(n, e.OrderID, 2) })
		if got := len(w.sms.Accepted()); got != 2 {
			t.Errorf("%d texts, want 2", got)
		}

		run(0, "keys", "revoke", "desk")
		if said := run(1, append([]string{"messages", "list"}, rest...)...); !strings.Contains(said, http.StatusText(http.StatusUnauthorized)) && !strings.Contains(said, "key") {
			t.Errorf("a revoked key: %s", said)
		}
	})
}
