package demo_test

import (
	"testing"

	"onmyway/cmd/onmyway/demo"
)

func TestLinked(t *testing.T) {
	tests := []struct {
		name, text, order string
		sequence          int64
	}{
		{"at the end", "Sam is on the way. Track: https://onmyway.example/t/CH-ab-17.2", "CH-ab-17", 2},
		{"before more words", "https://onmyway.example/t/DA-1.10 and so on", "DA-1", 10},
		{"before a new line", "https://onmyway.example/t/DA-1.3\nBye", "DA-1", 3},
		{"none", "Alex is 10 minutes away.", "", 0},
		{"cut off", "https://onmyway.example/t/CH-1.", "", 0},
		{"no number", "https://onmyway.example/t/CH-1.x", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if order, sequence := demo.Linked(tt.text); order != tt.order || sequence != tt.sequence {
				t.Errorf("%q %d, want %q %d", order, sequence, tt.order, tt.sequence)
			}
		})
	}
}

func TestParseText(t *testing.T) {
	a, err := demo.ParseText([]byte(`{"at":"2026-11-21T19:00:00Z","sid":"SM1","to":"+14155550123","body":"Track: https://onmyway.example/t/CH-1.4",` +
		`"status_callback":"http://127.0.0.1:1/hooks/twilio/status/01a1ff42-a4da-7f10-b1c4-2e6f0a94d7e1-3"}`))
	if err != nil {
		t.Fatal(err)
	}
	if a.ID != "01a1ff42-a4da-7f10-b1c4-2e6f0a94d7e1" || a.Address != "+14155550123" || a.Order != "CH-1" || a.Sequence != 4 {
		t.Errorf("%+v", a)
	}
}

func TestParsePush(t *testing.T) {
	a, err := demo.ParsePush([]byte(`{"at":"2026-11-21T19:00:00Z","subscription":"s1","payload":{"id":"m1","order_id":"TR-1","sequence":2,` +
		`"notification":{"title":"Your plates are in the mail","body":"…"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if a.ID != "m1" || a.Address != "s1" || a.Order != "TR-1" || a.Sequence != 2 || a.Title == "" {
		t.Errorf("%+v", a)
	}
}

func FuzzLedgers(f *testing.F) {
	f.Add([]byte(`{"to":"+1","body":"https://onmyway.example/t/CH-1.4","status_callback":"-"}`))
	f.Add([]byte(`{"subscription":"s","payload":{"id":"m","notification":{}}}`))
	f.Add([]byte(`{"payload":"text"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if a, err := demo.ParseText(line); err == nil && a.Sequence != 0 && a.Body == "" {
			t.Error("a sequence without a text")
		}
		_, _ = demo.ParsePush(line) // must not panic
	})
}
