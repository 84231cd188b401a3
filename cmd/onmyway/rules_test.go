package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// TestReload changes an operator's own text while the service runs.
func TestReload(t *testing.T) {
	cfg := defaultConfig()
	cfg.Templates.Dir = t.TempDir()
	file := filepath.Join(cfg.Templates.Dir, "delivered", "en.txt")
	write := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("--- sms\nOne.\n--- title\nOne\n--- body\nOne.\n")
	var said bytes.Buffer
	book, err := newRulebook(cfg, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	version := func() string {
		return book.inForce().Words.Lookup(string(notify.CarHaul), "delivered", "en").Version
	}
	one := version()
	before := book.inForce()

	write("--- sms\nTwo.\n--- title\nTwo\n--- body\nTwo.\n")
	book.reload()
	two := version()
	if two == one {
		t.Error("the new text is not in force")
	}
	if before.Words.Lookup(string(notify.CarHaul), "delivered", "en").Version != one {
		t.Error("a batch in hand sees the rules change under it")
	}

	said.Reset()
	write("--- sms\n{{ driver_nam }}\n--- title\nThree\n--- body\nThree.\n")
	book.reload()
	if version() != two {
		t.Error("a broken text is in force")
	}
	if !strings.Contains(said.String(), "delivered/en.txt") || !strings.Contains(said.String(), "driver_name") {
		t.Errorf("the log names neither file nor fix: %s", said.String())
	}
}

func TestDefaultsOff(t *testing.T) {
	got, err := (&DefaultsConfig{Off: []string{"progress.sms", "papers.push"}}).off()
	want := notify.Defaults{notify.Progress: {notify.SMS: true}, notify.Papers: {notify.Push: true}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, bad := range []string{"progress", "progress.fax", "weather.sms", ""} {
		if _, err := (&DefaultsConfig{Off: []string{bad}}).off(); err == nil || !strings.Contains(err.Error(), "defaults.off") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
