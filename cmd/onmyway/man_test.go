package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestManPages: a page for every command, which groff formats without a complaint where it is there.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	invoke(t, nil, "", "man", dir).want(t, 0)
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, name := range []string{"onmyway", "onmyway-serve", "onmyway-config-print", "onmyway-migrate-up"} {
		if _, err := os.Stat(filepath.Join(dir, name+".1")); err != nil {
			t.Error(err)
		}
	}
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, head := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXIT STATUS"} {
			if !strings.Contains(string(page), head) {
				t.Errorf("%s has no %s", filepath.Base(path), head)
			}
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not there: the pages were not formatted")
	}
	for _, path := range pages {
		out, err := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-z", "-ww", path).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(path), err, out)
		}
	}
}

func TestManOnStandardOutput(t *testing.T) {
	invoke(t, nil, "", "man").want(t, 0, `.TH "ONMYWAY" 1`, "ONMYWAY_HTTP__ADDR", `onmyway\-serve`)
	invoke(t, nil, "", "man", "a", "b").want(t, 2, "one folder")
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		".TH x":      `\&.TH x`,
		"'quoted'":   `\&'quoted'`,
		`C:\n`:       `C:\en`,
		"a-b\n.c":    "a\\-b\n\\&.c",
		"plain text": "plain text",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
