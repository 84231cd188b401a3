package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name string
		file string
		want map[notify.Kept]time.Duration
		says string // of the error
	}{
		{"nothing said", "", map[notify.Kept]time.Duration{"messages": 400 * day, "events": 400 * day, "dead_letters": 90 * day, "idempotency": 7 * day}, ""},
		{"for ever", "{messages: 0, dead_letters: 0, idempotency: 0}",
			map[notify.Kept]time.Duration{"messages": 0, "events": 0, "dead_letters": 0, "idempotency": 0}, ""},
		{"the least", "{messages: 720h, dead_letters: 24h, idempotency: 24h}",
			map[notify.Kept]time.Duration{"messages": 30 * day, "events": 30 * day, "dead_letters": day, "idempotency": day}, ""},
		{"messages too short", "{messages: 719h}", nil, "retention.messages must be 0, for ever, or at least 720h"},
		{"negative", "{messages: -1h}", nil, "retention.messages must be 0"},
		{"dead letters too short", "{dead_letters: 1h}", nil, "retention.dead_letters must be 0, for ever, or at least 24h"},
		{"keys too short", "{idempotency: 1m}", nil, "retention.idempotency must be 0, for ever, or at least 24h"},
		{"days", "{messages: 400d}", nil, "retention.messages"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := ""
			if test.file != "" {
				file = "retention: " + test.file
			}
			cfg, err := configure(t, file, nil)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("the error is %v, want %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, cfg.Retention.keep()); diff != "" {
				t.Error("kept for (-want +got):\n" + diff)
			}
		})
	}
}
