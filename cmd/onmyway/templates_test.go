package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"onmyway/templates"
)

// runTemplates runs `onmyway templates` in this process.
func runTemplates(t *testing.T, stdin string, args ...string) (out string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "onmyway", SilenceErrors: true, SilenceUsage: true}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(templatesCommand())
	var b bytes.Buffer
	root.SetOut(&b)
	root.SetErr(&b)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(append([]string{"templates"}, args...))
	err = root.ExecuteContext(t.Context())
	return b.String(), err
}

// override makes a folder with one file.
func override(t *testing.T, name, sms string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("--- sms\n"+sms+"\n--- title\nt\n--- body\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTemplatesLint(t *testing.T) {
	out, err := runTemplates(t, "", "lint")
	if err != nil || !strings.Contains(out, "97 milestones") || !strings.HasSuffix(out, "no findings\n") {
		t.Errorf("%v:\n%s", err, out)
	}
	dir := override(t, "delivered/en.txt", "a\n{{ driver_name }}")
	out, err = runTemplates(t, "", "lint", "--dir", dir)
	if err == nil || err.Error() != "1 finding in the templates" {
		t.Errorf("got %v", err)
	}
	want := filepath.Join(dir, "delivered/en.txt") + `:3: no SMS with no facts: fact "driver_name" is missing or can't be read: guard it`
	if !strings.HasPrefix(out, want) {
		t.Errorf("got\n%swant %s", out, want)
	}
	out, err = runTemplates(t, "", "lint", "--dir", dir, "-o", "json")
	var report templates.Report
	if err == nil || json.Unmarshal([]byte(out), &report) != nil || len(report.Findings) != 1 || report.Findings[0].Line != 3 {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestTemplatesList(t *testing.T) {
	dir := override(t, "delivered/es-MX.txt", "a")
	out, err := runTemplates(t, "", "list", "--line", "car_haul", "--dir", dir, "-o", "json")
	var all []listedText
	if err != nil || json.Unmarshal([]byte(out), &all) != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	sources := map[string]int{}
	for _, l := range all {
		sources[l.Locale+" "+l.Source]++
		if l.Line != "car_haul" || l.Milestone == "" || len(l.Version) != 8 {
			t.Errorf("odd: %+v", l)
		}
	}
	want := 0
	for _, s := range told() {
		if s.Line == "car_haul" {
			want++
		}
	}
	if sources["en built in"] != want || sources["es built in"] != want || sources["es-MX override"] != 1 {
		t.Errorf("got %v, want %d of each language", sources, want)
	}
	if out, err = runTemplates(t, "", "list"); err != nil || !strings.Contains(out, "title_registration  plates_issued") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestTemplatesPreview(t *testing.T) {
	tests := []struct{ name, stdin, args, says, fails string }{
		{"the example", "", "driver_en_route_to_pickup --line car_haul", "sms    Sam is on the way to pick up your Honda Civic. Expect Sam 11:30 AM to 12:15 PM PST. Track: https://", ""},
		{"what it costs", "", "driver_en_route_to_pickup --line car_haul", "121 characters, GSM-7, 1 segment, 1 cost unit", ""},
		{"Spanish costs more", "", "carrier_transfer --locale es", "116 characters, UCS-2, 2 segments, 2 cost units", ""},
		{"without accents it does not", "", "carrier_transfer --locale es --transliterate", "camion", ""},
		{"the language that stands in", "", "delivered --line car_haul --locale es-MX", "es-MX falls back to es", ""},
		{"a milestone of one line needs no line", "", "driver_arriving", "driver_arriving of drive_away", ""},
		{"data", `{"driver_name":"Kim","minutes_away":4}`, "driver_arriving --data -", "Kim is about 4 minutes away", ""},
		{"a whole event", `{"milestone":"x","data":{"driver_name":"Kim"}}`, "driver_arriving --data -", "Kim is a few minutes away", ""},
		{"no data", `{}`, "driver_arriving --data -", "Your driver is a few minutes away from your car", ""},
		{"a misspelt fact", `{"driver_nmae":"Kim"}`, "driver_arriving --data -", `warning: no text speaks of "driver_nmae", did you mean "driver_name"?`, ""},
		{"a fact of nobody", `{"weather_on_mars":{"wind":3}}`, "driver_arriving --data -", "warning: no text speaks of \"weather_on_mars.wind\"\n", ""},
		{"a misspelt part of a fact", `{"eta":{"strat":"x"}}`, "driver_arriving --data -", `no text speaks of "eta.strat", did you mean "eta.start"?`, ""},
		{"facts that are known", `{"eta":{"start":"2026-11-21T19:30:00Z"},"price":{"amount":"1","currency":"USD"},"documents":["a"]}`, "driver_arriving --data -", "Your driver is", ""},
		{"another zone", "", "driver_en_route_to_pickup --line car_haul --time-zone America/New_York", "2:30 to 3:15 PM EST", ""},
		{"another day", "", "driver_en_route_to_pickup --line car_haul --at 2026-11-19T19:00:00Z", "Sat, Nov 21, 11:30 AM", ""},
		{"a misspelt milestone", "", "driver_asigned", "", `unknown milestone "driver_asigned", did you mean "driver_assigned"?`},
		{"a milestone of another line", "", "plates_issued --line car_haul", "", `unknown milestone "plates_issued" of car_haul`},
		{"a milestone of several lines", "", "delivered", "", "choose with --line"},
		{"a milestone for staff", "", "unloaded --line car_haul", "", "customers are not told"},
		{"a misspelt line", "", "delivered --line carhaul", "", `--line: "carhaul" is unknown: did you mean car_haul?`},
		{"no language", "", "driver_arriving --locale spanish!", "", `"spanish!" is no language`},
		{"no zone", "", "driver_arriving --time-zone Mars/Base", "", `"Mars/Base" is no IANA time zone`},
		{"no time", "", "driver_arriving --at noon", "", `"noon" is no time`},
		{"no JSON", "x", "driver_arriving --data -", "", "not a JSON object"},
		{"no file", "", "driver_arriving --data /nowhere.json", "", "/nowhere.json"},
		{"no folder", "", "driver_arriving --dir /nowhere", "", "--dir: "},
		{"no milestone", "", "", "", "name one milestone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := runTemplates(t, tt.stdin, append([]string{"preview"}, strings.Fields(tt.args)...)...)
			var usage usageError
			switch {
			case tt.fails == "" && (err != nil || !strings.Contains(out, tt.says)):
				t.Errorf("%v; want %q in\n%s", err, tt.says, out)
			case strings.Contains(out, "warning:") != strings.Contains(tt.says, "no text"):
				t.Errorf("warned or not:\n%s", out)
			case tt.fails != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("got %v, want a mistake of the caller that says %q", err, tt.fails)
			}
		})
	}
}

func TestTemplatesPreviewJSON(t *testing.T) {
	out, err := runTemplates(t, "", "preview", "docs_received", "--locale", "es", "-o", "json")
	var p preview
	if err != nil || json.Unmarshal([]byte(out), &p) != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if p.Line != "title_registration" || p.Locale != "es" || p.SMS.Segments < 1 || p.SMS.CostUnits != p.SMS.Segments ||
		p.SMS.Characters != utf8.RuneCountInString(p.SMS.Text) || p.Push.Title == "" || p.WebSocket != p.Push {
		t.Errorf("got %+v", p)
	}
}

// TestTemplatesPreviewOfABrokenText shows what can be shown and fails.
func TestTemplatesPreviewOfABrokenText(t *testing.T) {
	dir := override(t, "driver_arriving/en.txt", "{{ driver_name }}")
	out, err := runTemplates(t, "{}", "preview", "driver_arriving", "--dir", dir, "--data", "-")
	if err == nil || !strings.Contains(err.Error(), `driver_arriving/en.txt:2: fact "driver_name" is missing`) || !strings.Contains(out, "override") {
		t.Errorf("%v:\n%s", err, out)
	}
	if _, err = runTemplates(t, "", "preview", "driver_arriving", "--dir", override(t, "driver_arriving/en.txt", "{{ x")); err == nil {
		t.Error("a file that can't be read is shown")
	}
}

// TestPreviewIsDrawn holds the boxes together, whatever stands in them.
func TestPreviewIsDrawn(t *testing.T) {
	p := preview{Milestone: "m", SMS: smsPreview{Text: "A long text with " + strings.Repeat("x", 95) + " and an end"},
		Push: cardPreview{Title: "Title", Body: "Body\x1b[31m\u202e"}}
	var b strings.Builder
	if err := p.draw(&b); err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(b.String())
	if strings.ContainsAny(plain, "\x1b\u202e") {
		t.Error("the text steers the terminal")
	}
	boxed := 0
	for line := range strings.Lines(plain) {
		if line = strings.TrimSuffix(line, "\n"); strings.ContainsAny(line, "│╭╰") {
			boxed++
			if n := utf8.RuneCountInString(line); n != phoneWidth+6 {
				t.Errorf("%d wide: %s", n, line)
			}
		}
	}
	if boxed < 9 || !strings.Contains(b.String(), "\x1b[1mTitle\x1b[0m") {
		t.Errorf("%d lines in boxes:\n%s", boxed, b.String())
	}
}
