package templates_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

// locales are those that every milestone has words of its own in.
var locales = []string{"en", "es"}

// told lists what customers are told: the visible milestones of each line.
func told() (all []templates.Subject) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			if m.Visible {
				all = append(all, templates.Subject{Line: string(line), Milestone: m.Name})
			}
		}
	}
	return all
}

func builtIn(t testing.TB) *templates.Set {
	t.Helper()
	set, err := templates.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// zone loads a zone of the tests.
func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// someone is a customer in Los Angeles, on a Saturday at 11 in the morning, with all facts that there are.
func someone(t testing.TB, line string) *templates.Vars {
	t.Helper()
	return &templates.Vars{
		OrderID: "CH-1001", Line: line, Customer: "Dana Reyes", Facts: facts(t, templates.ExampleData()),
		Zone: zone(t, "America/Los_Angeles"), Now: templates.ExampleTime,
	}
}

func facts(t testing.TB, data []byte) templates.Facts {
	t.Helper()
	all, err := templates.ParseFacts(data)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// written is the three texts of a template.
type written struct{ sms, title, body string }

func write(t testing.TB, tp *templates.Template, v *templates.Vars) written {
	t.Helper()
	var w written
	var err error
	if w.sms, err = tp.SMS(v); err != nil {
		t.Fatal(err)
	}
	if w.title, err = tp.Title(v); err != nil {
		t.Fatal(err)
	}
	if w.body, err = tp.Body(v); err != nil {
		t.Fatal(err)
	}
	return w
}

// page is a golden file's view of a text, with what it costs. The no-break space is shown as "~".
func (w written) page() string {
	segments, unicode := templates.Segments(w.sms)
	alphabet := "GSM-7"
	if unicode {
		alphabet = "UCS-2"
	}
	page := fmt.Sprintf("sms    %s\n       %d characters, %s, segments: %d\ntitle  %s\nbody   %s\n",
		w.sms, utf8.RuneCountInString(w.sms), alphabet, segments, w.title, w.body)
	return strings.ReplaceAll(page, "\u00A0", "~")
}

func TestGolden(t *testing.T) {
	set := builtIn(t)
	pages := map[string]string{}
	for _, subject := range told() {
		for _, locale := range locales {
			name := filepath.Join(subject.Line, subject.Milestone, locale+".txt")
			t.Run(name, func(t *testing.T) { pages[name] = golden(t, set, subject, locale) })
		}
	}
	if *update {
		takeOver(t, pages)
		return
	}
	for name, got := range pages {
		want, err := os.ReadFile(filepath.Join(goldens, name))
		if err != nil {
			t.Errorf("%v: -update writes it", err)
			continue
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s changed (-want +got), -update takes it over:\n%s", name, diff)
		}
	}
	eachGolden(t, func(name string) {
		if _, ok := pages[name]; !ok {
			t.Errorf("nobody reads %s: -update removes it", name)
		}
	})
}

const goldens = "testdata/golden"

// golden is the page of one milestone in one language.
func golden(t *testing.T, set *templates.Set, subject templates.Subject, locale string) string {
	tp := set.Lookup(subject.Line, subject.Milestone, locale)
	if tp == nil || tp.Locale != locale {
		t.Fatalf("no words for it")
	}
	v := someone(t, subject.Line)
	v.Facts = facts(t, templates.Example(subject.Milestone))
	everything := write(t, tp, v)
	v.Facts = nil
	nothing := write(t, tp, v)
	for _, w := range []written{everything, nothing} {
		checkSize(t, w)
	}
	return "# all facts\n" + everything.page() + "\n# no facts\n" + nothing.page()
}

// takeOver makes the golden files what is written now.
func takeOver(t *testing.T, pages map[string]string) {
	t.Helper()
	if err := os.RemoveAll(goldens); err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		file := filepath.Join(goldens, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func eachGolden(t *testing.T, do func(name string)) {
	t.Helper()
	err := filepath.WalkDir(goldens, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(goldens, path)
		do(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkSize holds the texts to what phones show and customers' companies pay.
func checkSize(t *testing.T, w written) {
	t.Helper()
	if n, _ := templates.Segments(w.sms); n > 2 {
		t.Errorf("SMS needs %d segments: %s", n, w.sms)
	}
	if n := utf8.RuneCountInString(w.title); n > 50 {
		t.Errorf("title has %d characters: %s", n, w.title)
	}
	if n := utf8.RuneCountInString(w.body); n > 150 {
		t.Errorf("body has %d characters: %s", n, w.body)
	}
}

// TestEveryTextIsTold finds files that are for nobody: of a milestone that is not told, or of a line that has no such one.
func TestEveryTextIsTold(t *testing.T) {
	wanted := told()
	for _, tp := range builtIn(t).Templates() {
		if !slices.ContainsFunc(wanted, func(s templates.Subject) bool {
			return s.Milestone == tp.Milestone && (tp.Line == "" || tp.Line == s.Line)
		}) {
			t.Errorf("%s is for nobody", tp.File)
		}
	}
}

// TestEveryTextIsItsOwn finds milestones that sound all the same to the customer of one line.
func TestEveryTextIsItsOwn(t *testing.T) {
	set := builtIn(t)
	for _, locale := range locales {
		said := map[string]templates.Subject{}
		for _, subject := range told() {
			w := write(t, set.Lookup(subject.Line, subject.Milestone, locale), someone(t, subject.Line))
			for _, text := range []string{w.sms, w.body} {
				text = subject.Line + text
				if other, ok := said[text]; ok && other != subject {
					t.Errorf("%s: %v and %v say the same: %s", locale, other, subject, text)
				}
				said[text] = subject
			}
		}
	}
}
