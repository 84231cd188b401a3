package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"onmyway/notify"
	"onmyway/templates"
)

// numbers are who wants no texts, in memory.
type numbers struct {
	stopped map[string]bool
	locales []string
	err     error
}

func (n *numbers) Stop(_ context.Context, _ time.Time, in notify.Inbound) (bool, []string, error) {
	changed := !n.stopped[in.From]
	n.stopped[in.From] = true
	return changed, n.locales, n.err
}

func (n *numbers) Start(_ context.Context, _ time.Time, in notify.Inbound) (bool, []string, error) {
	changed := n.stopped[in.From]
	delete(n.stopped, in.From)
	return changed, n.locales, n.err
}

func TestInbox(t *testing.T) {
	const from = "+14155550123"
	for _, test := range []struct {
		name    string
		text    string
		stopped bool
		handled bool
		locales []string
		want    string // how the reply begins; "-" for none
		after   bool
	}{
		{"stop", "Stop", false, false, []string{"en-US"}, "You will get no more", true},
		{"stop in Spanish", "ALTO", false, false, []string{"es-MX", "es"}, "No recibirá", true},
		{"stop from a shared number with two languages", "STOP", false, false, []string{"es", "en"}, "You will get no more", true},
		{"stop from nobody we know", "STOP", false, false, nil, "You will get no more", true},
		{"stop again", "STOP", true, false, nil, "-", true},
		{"stop that the provider answered", "STOP", false, true, nil, "-", true},
		{"start", "start", true, false, nil, "You will get texts", false},
		{"start without a stop", "START", false, false, nil, "-", false},
		{"help", "HELP", true, false, nil, "We text you", true},
		{"something else", "Is my car blue?", false, false, nil, "-", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := &numbers{stopped: map[string]bool{}, locales: test.locales}
			if test.stopped {
				n.stopped[from] = true
			}
			b := &notify.Inbox{OptOuts: n, Rules: inForce(rules(t))}
			reply, err := b.Inbound(t.Context(), time.Now(), notify.Inbound{From: from, Text: test.text, Handled: test.handled})
			if err != nil {
				t.Fatal(err)
			}
			if test.want == "-" && reply != "" || test.want != "-" && !strings.HasPrefix(reply, test.want) {
				t.Errorf("the reply is %q, want %q…", reply, test.want)
			}
			if n.stopped[from] != test.after {
				t.Errorf("stopped is %v, want %v", n.stopped[from], test.after)
			}
			if segments, _ := templates.Segments(reply); segments > 1 {
				t.Errorf("the reply has %d segments, %d characters", segments, utf8.RuneCountInString(reply))
			}
		})
	}
}

// TestInboxSaysNothingUncommitted: a STOP that could not be stored is not confirmed.
func TestInboxSaysNothingUncommitted(t *testing.T) {
	broken := errors.New("no database")
	b := &notify.Inbox{OptOuts: &numbers{stopped: map[string]bool{}, err: broken}, Rules: inForce(rules(t))}
	reply, err := b.Inbound(t.Context(), time.Now(), notify.Inbound{From: "+14155550123", Text: "STOP"})
	if reply != "" || !errors.Is(err, broken) {
		t.Errorf("got %q, %v", reply, err)
	}
}
