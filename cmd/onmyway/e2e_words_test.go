package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

// own is an operator's folder of texts.
type own struct {
	t   *testing.T
	dir string
}

const ownFile = "driver_en_route_to_pickup/en.txt"

func (o own) write(sms string) {
	o.t.Helper()
	path := filepath.Join(o.dir, filepath.FromSlash(ownFile))
	text := "--- sms\n" + sms + "\n--- title\nOn the way\n--- body\nYour driver is on the way.\n"
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		o.t.Fatal(err)
	}
}

// errorLines are the lines of the log at level ERROR.
func (n *node) errorLines() (lines []map[string]any) {
	n.t.Helper()
	for _, line := range n.lines() {
		var said map[string]any
		if json.Unmarshal([]byte(line), &said) == nil && said["level"] == "ERROR" {
			lines = append(lines, said)
		}
	}
	return lines
}

// TestTextsAreReadAgain: after SIGHUP the next text has the operator's new words. Broken ones change nothing but the log, and
// a start with them is refused.
func TestTextsAreReadAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: only TestEveryLine runs whole processes")
	}
	w := newWorld(t, servers{}, twiliotest.Options{})
	words := own{t, t.TempDir()}
	w.set("TEMPLATES__DIR", words.dir)
	w.set("LOG__FORMAT", "json")
	n := w.node().start()
	made := 0
	texted := func() string {
		made++
		w.told(n, onTheWay(made, 10))
		return w.sms.Accepted()[made-1].Body
	}
	if got := texted(); !strings.Contains(got, "is on the way to pick up") {
		t.Errorf("the built-in text: %q", got)
	}
	hangUp := func(wantLine string) {
		t.Helper()
		from := len(n.lines())
		if err := n.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		within(t, 10*time.Second, "the texts are read", func() error {
			if all := strings.Join(n.lines()[from:], ""); !strings.Contains(all, wantLine) {
				return errors.New("the log: " + all)
			}
			return nil
		})
	}

	words.write("Good news: {{ driver_name }} is coming.")
	hangUp("templates are reloaded")
	if got := texted(); !strings.HasPrefix(got, "Good news: ") {
		t.Errorf("the new text: %q", got)
	}

	words.write("Hello,\n{{ driver_nam }} is coming.")
	hangUp("templates are not reloaded")
	if got := texted(); !strings.HasPrefix(got, "Good news: ") {
		t.Errorf("the text after a broken file: %q", got)
	}
	const where, fix = ownFile + ":3: ", `did you mean "driver_name"?`
	errs := n.errorLines()
	if len(errs) != 1 {
		t.Fatalf("%d errors in the log: %v", len(errs), errs)
	}
	if said, _ := errs[0]["error"].(string); !strings.Contains(said, where) || !strings.Contains(said, fix) {
		t.Errorf("the log says %q, without %q and %q", said, where, fix)
	}
	t.Logf("the log: %v: %v", errs[0]["msg"], errs[0]["error"])
	n.stop()

	code, out := program(t, w.env, "serve")
	t.Logf("exit code %d: %s", code, out)
	if code != 1 || !strings.Contains(out, "onmyway: templates: ") || !strings.Contains(out, where) || !strings.Contains(out, fix) {
		t.Errorf("a start with a broken file: exit code %d:\n%s", code, out)
	}
}
