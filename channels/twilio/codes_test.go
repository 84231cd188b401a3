package twilio_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/twilio"
	"onmyway/notify"
)

var update = flag.Bool("update", false, "write docs/sms-errors.md")

// errorsPage is docs/sms-errors.md.
func errorsPage() []byte {
	var b bytes.Buffer
	b.WriteString("# SMS: Twilio's error codes\n\n" +
		"What the codes of Twilio mean to us. A message shows the code with its attempts. Written by\n" +
		"`go test ./channels/twilio -run TestErrorsPage -update` from the table that the sender uses.\n\n" +
		"A reason of `misconfigured` or `rate_limited` means before Twilio took the text that it waits and is tried again; the\n" +
		"others end it. After Twilio took it every code ends it, and nothing is sent again by itself. A code that is not here\n" +
		"counts as `refused`, or as `not_reached` when Twilio calls the text undelivered.\n")
	section := func(title string, from, to int) {
		fmt.Fprintf(&b, "\n## %s\n\n| code | reason | what happened | what to do |\n|---|---|---|---|\n", title)
		for _, c := range twilio.Codes {
			if c.Number >= from && c.Number < to {
				fmt.Fprintf(&b, "| [%d](https://www.twilio.com/docs/api/errors/%[1]d) | `%s` | %s | %s |\n", c.Number, c.Reason, c.Happened, c.Todo)
			}
		}
	}
	section("Twilio did not take the text", 0, 30000)
	section("Twilio took it and it did not arrive", 30000, 100000)
	return b.Bytes()
}

func TestErrorsPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "sms-errors.md")
	if *update {
		if err := os.WriteFile(path, errorsPage(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(errorsPage()), string(got)); d != "" {
		t.Errorf("run the test with -update (-want +got):\n%s", d)
	}
}

func TestCodes(t *testing.T) {
	reasons := map[notify.Reason]bool{}
	for _, r := range notify.Reasons {
		reasons[r.Code] = true
	}
	last := 0
	for _, c := range twilio.Codes {
		if c.Number <= last {
			t.Errorf("code %d is there twice", c.Number)
		}
		last = c.Number
		if c.Happened == "" || strings.HasSuffix(c.Happened, ".") || strings.ToLower(c.Happened[:1]) != c.Happened[:1] &&
			!strings.HasPrefix(c.Happened, "Twilio") {
			t.Errorf("code %d: %q is no part of a sentence", c.Number, c.Happened)
		}
		if !strings.HasSuffix(c.Todo, ".") || !reasons[c.Reason] {
			t.Errorf("code %d: todo %q, reason %q", c.Number, c.Todo, c.Reason)
		}
	}
}
