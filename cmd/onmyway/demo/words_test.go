package demo_test

import (
	"strings"
	"testing"
	"time"

	"onmyway/cmd/onmyway/demo"
	"onmyway/notify"
)

// TestDecided: what is not sent, or waits, is told in words and in one line each, on the page and in the terminal.
func TestDecided(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 2, 0, 0, time.UTC)
	live := func(why ...notify.NotSent) demo.Message {
		return demo.Message{Channel: notify.WebSocket, State: notify.Sent, NotSent: why}
	}
	text := func(s notify.State, why notify.Reason, due time.Duration) demo.Message {
		return demo.Message{Channel: notify.SMS, State: s, Reason: why, DueAt: now.Add(due)}
	}
	tests := []struct {
		name      string
		ms        []demo.Message
		row, line string
	}{
		{"the arrival hardly moves", []demo.Message{live(notify.NotSent{Channel: notify.SMS, Reason: notify.ETAUnmoved})},
			"Not sent | Text: the arrival time is nearly the one told last", "not sent: Text: the arrival time is nearly the one told last"},
		{"quiet hours", []demo.Message{text(notify.Pending, notify.Quiet, 9*time.Hour), live()},
			"Waiting | Text at 8:02\u00a0PM\u00a0PST: quiet hours in ", "held: Text at 8:02\u00a0PM\u00a0PST: quiet hours in "},
		{"the order changes", []demo.Message{text(notify.Pending, notify.Settling, 2*time.Second), live()},
			"Waiting | Text waits 2 s: the order has just changed and may change again", "held: Text waits 2 s: the order has just changed"},
		{"a screen first", []demo.Message{text(notify.Pending, notify.ScreenFirst, 20*time.Second), live()},
			"Waiting | Text waits 20 s: the customer may see it on a device first", "held: Text waits 20 s: "},
		{"enough for now", []demo.Message{text(notify.Pending, notify.Capped, time.Hour), live()},
			"Waiting | Text waits until 12:02\u00a0PM\u00a0PST: the recipient had enough texts for now", "held: Text waits until 12:02\u00a0PM\u00a0PST: "},
		{"killed while sending", []demo.Message{text(notify.Verify, notify.OwnerDied, 0), live()},
			"Unclear | Text: killed while sending: the provider is asked before it is sent again", "held: Text: killed while sending"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, lines := demo.Decided(now, tt.ms...)
			if !strings.Contains(rows, tt.row) {
				t.Errorf("the page says\n%swant %q", rows, tt.row)
			}
			if !strings.Contains(lines, tt.line) || strings.Count(lines, "\n") != 1 {
				t.Errorf("the terminal says\n%swant one line with %q", lines, tt.line)
			}
		})
	}
}

// TestDecidedInWords: no reason is shown as its code.
func TestDecidedInWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 2, 0, 0, time.UTC)
	for _, r := range notify.Reasons {
		for _, s := range []notify.State{notify.Suppressed, notify.Failed, notify.Verify, notify.Pending} {
			rows, lines := demo.Decided(now, demo.Message{Channel: notify.SMS, State: s, Reason: r.Code, DueAt: now.Add(time.Hour)},
				demo.Message{Channel: notify.WebSocket, State: notify.Sent, NotSent: []notify.NotSent{{Channel: notify.Push, Reason: r.Code}}})
			code := strings.ReplaceAll(string(r.Code), "_", " ")
			if said := rows + lines; strings.Contains(said, string(r.Code)) && strings.Contains(string(r.Code), "_") ||
				strings.Contains(said, ": "+code+"\n") || !strings.Contains(said, ": ") {
				t.Errorf("%s, %s:\n%s", s, r.Code, said)
			}
		}
	}
}

func TestReportOfUnclearTexts(t *testing.T) {
	for n, says := range map[int]string{0: "", 1: "1 text was being sent when the service was killed", 2: "2 texts were being sent"} {
		var out strings.Builder
		if err := (&demo.Report{Verify: n}).Table(&out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), says) || strings.Contains(out.String(), "sms.verify_grace") != (n > 0) || !strings.Contains(out.String(), "lost 0, doubled 0\n") {
			t.Errorf("%d unclear texts:\n%s", n, out.String())
		}
	}
}
