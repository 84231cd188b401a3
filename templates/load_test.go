package templates_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"onmyway/templates"
)

// file is a whole template file with a text message.
func file(sms string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("--- sms\n" + sms + "\n--- title\nt\n--- body\nb\n")}
}

func TestLoadErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown fact", "a\n{{ drivr_name }}", `m/en.txt:3: unknown fact "drivr_name", did you mean "driver_name"?`},
		{"unlike any fact", "{{ xyz }}", `m/en.txt:2: unknown fact "xyz"`},
		{"a text is no fact", `{{ "Sam" }}`, `m/en.txt:2: unknown fact "Sam"`},
		{"unknown part", "{{ eta.begin }}", `m/en.txt:2: unknown fact "eta.begin": eta is a window`},
		{"a dot too many", "{{ eta. }}", `m/en.txt:2: unknown fact "eta.": eta is a window`},
		{"a part of a text", "{{ driver_name.start }}", `m/en.txt:2: unknown fact "driver_name.start": driver_name is a text`},
		{"unknown filter", "{{ driver_name | frist }}", `m/en.txt:2: unknown filter "frist", did you mean "first"?`},
		{"filter on another kind", "{{ driver_name | time }}", `m/en.txt:2: filter time can't read driver_name, which is a text`},
		{"filter with an argument", `{{ driver_name | first: "x" }}`, `m/en.txt:2: filter first takes no argument`},
		{"default without one", "{{ driver_name | default }}", `m/en.txt:2: default needs a text: {{ driver_name | default: "…" }}`},
		{"an empty default", `{{ driver_name | default: "" }}`, `m/en.txt:2: default needs a text: {{ driver_name | default: "…" }}`},
		{"plural without words", "{{ photos | plural }}", `m/en.txt:2: plural needs two words: {{ photos | plural: "day", "days" }}`},
		{"plural with one word", `{{ photos | plural: "photo" }}`, `m/en.txt:2: plural needs two words: {{ photos | plural: "day", "days" }}`},
		{"plural with four words", `{{ photos | plural: "a", "b", "c", "d" }}`, `m/en.txt:2: plural needs two words: {{ photos | plural: "day", "days" }}`},
		{"plural of a text", `{{ vehicle | plural: "a", "b" }}`, `m/en.txt:2: filter plural can't read vehicle, which is a text`},
		{"room as a fact", "{{ room }}", `m/en.txt:2: room is no fact: it only stands in a condition, {% if room %}`},
		{"no bar", "{{ driver_name first }}", `m/en.txt:2: "first" after the fact: filters are written {{ driver_name | filter }}`},
		{"a bar too many", "{{ driver_name | }}", `m/en.txt:2: "|" after the fact: filters are written {{ driver_name | filter }}`},
		{"nothing", "{{ }}", `m/en.txt:2: {{ }} names no fact`},
		{"open braces", "a\nb {{ driver_name", `m/en.txt:3: {{ is not closed with }}`},
		{"open braces before others", "{{ driver_name {{ vehicle }}", `m/en.txt:2: {{ is not closed with }}`},
		{"an open tag", "{% if eta", `m/en.txt:2: {% is not closed with %}`},
		{"a lone brace", "a }} b", `m/en.txt:2: a lone '}': write {{ name }} or {% if name %}`},
		{"an open quote", `{{ driver_name | default: "x }}`, `m/en.txt:2: the quote "\"" is not closed`},
		{"a strange sign", "{{ driver_name + vehicle }}", `m/en.txt:2: unexpected '+'`},
		{"a hidden sign", "a\u202Eb", `m/en.txt:2: the invisible character U+202E`},
		{"unknown tag", "{% for x in documents %}", `m/en.txt:2: unknown tag "for"`},
		{"misspelt tag", "{% fi eta %}", `m/en.txt:2: unknown tag "fi"`},
		{"misspelt end", "{% if eta %}a{% endfi %}", `m/en.txt:2: unknown tag "endfi", did you mean "endif"?`},
		{"empty tag", "{% %}", `m/en.txt:2: unknown tag ""`},
		{"never ended", "a\n{% if eta %}a\n\n", `m/en.txt:3: {% if eta %} is never ended`},
		{"never begun", "a\n\n{% endif %}", `m/en.txt:4: {% endif %} without an opening tag`},
		{"the wrong end", "{% if eta %}\n{% endunless %}", `m/en.txt:3: {% endunless %} does not belong to {% if eta %}`},
		{"else twice", "{% if eta %}{% else %}{% else %}{% endif %}", `m/en.txt:2: {% else %} does not belong to {% if eta %}`},
		{"elsif after else", "{% if eta %}{% else %}{% elsif line %}{% endif %}", `m/en.txt:2: {% elsif line %} does not belong to {% if eta %}`},
		{"no condition", "{% if %}{% endif %}", `m/en.txt:2: the condition ends too early`},
		{"half a condition", "{% if eta and %}{% endif %}", `m/en.txt:2: the condition ends too early`},
		{"and with or", "{% if eta and line or vin %}{% endif %}", `m/en.txt:2: and and or in one condition: nest two of them`},
		{"one equals sign", `{% if line = "car_haul" %}{% endif %}`, `m/en.txt:2: unexpected '='`},
		{"words in a condition", `{% if eta contains vin %}{% endif %}`, `m/en.txt:2: "contains" in a condition: want and, or, == or !=`},
		{"compared with a fact", "{% if vin == plate_number %}{% endif %}", `m/en.txt:2: vin is compared with a text: vin == "…"`},
		{"a line that is none", `{% if line == "drive-away" %}{% endif %}`, `m/en.txt:2: line is never "drive-away", did you mean "drive_away"?`},
		{"too deep", strings.Repeat("{% if eta %}", 9), `m/en.txt:2: more than 8 choices in one another`},
		{"an empty section", "", `m/en.txt:2: the section is empty`},
		{"a section twice", "a\n--- sms\nb", `m/en.txt:3: section sms comes twice`},
		{"an unknown section", "a\n--- email\nb", `m/en.txt:3: unknown section "email": want sms, title or body`},
		{"no text", "a\xff", `m/en.txt: not UTF-8`},
		{"too large", strings.Repeat("a", 17000), `m/en.txt: larger than 16384 bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := templates.Load(fstest.MapFS{"m/en.txt": file(tt.text)})
			if set != nil || err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %v", err, tt.want)
			}
		})
	}
}

func TestLoadNames(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"another suffix", "m/en.liquid", "m/en.liquid: not a template: want <milestone>/<locale>.txt"},
		{"at the top", "en.txt", "en.txt: not a template: want <milestone>/<locale>.txt"},
		{"a folder too deep", "m/x/en.txt", "m/x: not a template: want <milestone>/<locale>.txt"},
		{"no milestone", "Driver Assigned/en.txt", `Driver Assigned/en.txt: "Driver Assigned" is no name of a milestone`},
		{"no locale", "m/english.txt", `m/english.txt: "english" is no locale: want one like en or es-MX`},
		{"a locale in other letters", "m/es-mx.txt", `m/es-mx.txt: the locale "es-mx" is written "es-MX"`},
		{"an underscore", "m/es_MX.txt", `m/es_MX.txt: the locale "es_MX" is written "es-MX"`},
		{"no line", "m/en.drive-away.txt", `m/en.drive-away.txt: unknown line of business "drive-away", did you mean "drive_away"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := templates.Load(fstest.MapFS{tt.path: file("a")}); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %v", err, tt.want)
			}
		})
	}
}

func TestLoadTellsEverything(t *testing.T) {
	_, err := templates.Load(fstest.MapFS{
		"m/en.txt":  {Data: []byte("hello\n--- sms\n{{ a }}\n--- title\n{{ b }}\n")},
		"m/es.txt":  file("{% if %}"),
		"README.md": {Data: []byte("x")},
	})
	want := []string{
		"README.md: not a template: want <milestone>/<locale>.txt",
		"m/en.txt: section --- body is missing",
		"m/en.txt:1: text before the first section: start with --- sms",
		`m/en.txt:3: unknown fact "a"`,
		`m/en.txt:5: unknown fact "b"`,
		"m/es.txt:2: the condition ends too early",
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
	var wrong *templates.Error
	if !errors.As(err, &wrong) {
		t.Error("the error has no *Error in it")
	}
}

func TestLookup(t *testing.T) {
	set, err := templates.Load(fstest.MapFS{
		"m/en.txt":                     file("en"),
		"m/en.drive_away.txt":          file("en drive"),
		"m/es.txt":                     file("es"),
		"m/es-MX.drive_away.txt":       file("es-MX drive"),
		"m/zh-Hant.txt":                file("zh-Hant"),
		"only_spanish/es.txt":          file("es"),
		"only_drive/en.drive_away.txt": file("drive"),
		".git/en.txt":                  file("{{"),
		"m/..data.txt":                 file("{{"),
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ line, milestone, locale, want string }{
		{"car_haul", "m", "en", "m/en.txt"},
		{"car_haul", "m", "en-US", "m/en.txt"},
		{"car_haul", "m", "", "m/en.txt"},
		{"car_haul", "m", "fr-CA", "m/en.txt"},
		{"car_haul", "m", "not a locale", "m/en.txt"},
		{"car_haul", "m", strings.Repeat("es-", 100), "m/en.txt"},
		{"", "m", "es", "m/es.txt"},
		{"drive_away", "m", "en-US", "m/en.drive_away.txt"},
		{"drive_away", "m", "es", "m/es.txt"},
		{"drive_away", "m", "es-MX", "m/es-MX.drive_away.txt"},
		{"car_haul", "m", "es-MX", "m/es.txt"},
		{"car_haul", "m", "es_mx", "m/es.txt"},
		{"drive_away", "m", "ES_mx", "m/es-MX.drive_away.txt"},
		{"car_haul", "m", "es-419", "m/es.txt"},
		{"drive_away", "m", "es-AR", "m/es.txt"},
		{"car_haul", "m", "zh-TW", "m/zh-Hant.txt"},
		{"car_haul", "m", "zh-Hant-TW", "m/zh-Hant.txt"},
		{"car_haul", "only_spanish", "es-US", "only_spanish/es.txt"},
		{"car_haul", "only_spanish", "en", ""},
		{"drive_away", "only_drive", "es", "only_drive/en.drive_away.txt"},
		{"car_haul", "only_drive", "en", ""},
		{"car_haul", "unknown", "en", ""},
		{"title_registration", "delivered", "es-MX", "delivered/es.txt"},
	}
	for _, tt := range tests {
		t.Run(tt.line+"/"+tt.milestone+"/"+tt.locale, func(t *testing.T) {
			for range 2 { // the second time from memory
				got := ""
				if tp := set.Lookup(tt.line, tt.milestone, tt.locale); tp != nil {
					got = tp.File
				}
				if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

func TestLookupIsFree(t *testing.T) {
	set := builtIn(t)
	locale := string([]byte("es-MX"))
	if n := testing.AllocsPerRun(100, func() { set.Lookup("car_haul", "delivered", locale) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLookupByMany(t *testing.T) {
	set := builtIn(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 500 {
				if set.Lookup("car_haul", "delivered", fmt.Sprintf("es-x-%d-%d", i, n)).Locale != "es" {
					t.Error("not the Spanish words")
				}
			}
		})
	}
	all.Wait()
}

func TestOverlay(t *testing.T) {
	before := builtIn(t)
	set, err := templates.Load(fstest.MapFS{"delivered/en.txt": file("Done.")})
	if err != nil {
		t.Fatal(err)
	}
	v := someone(t, "car_haul")
	if got, err := set.Lookup("car_haul", "delivered", "en").SMS(v); err != nil || got != "Done." {
		t.Errorf("got %q, %v", got, err)
	}
	mine, theirs := set.Lookup("car_haul", "delivered", "en").Version, before.Lookup("car_haul", "delivered", "en").Version
	if len(mine) != 8 || mine == theirs {
		t.Errorf("version %q, was %q", mine, theirs)
	}
	if set.Lookup("car_haul", "delivered", "es").Version != before.Lookup("car_haul", "delivered", "es").Version {
		t.Error("the Spanish words have changed too")
	}
}

// TestOverlayOfLinks lays files out as Kubernetes mounts a ConfigMap.
func TestOverlayOfLinks(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "..2026_11_21", "delivered")
	if err := os.MkdirAll(real, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(real, "en.txt"), file("Linked.").Data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, filepath.Join(dir, "delivered")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	set, err := templates.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := set.Lookup("car_haul", "delivered", "en").SMS(someone(t, "car_haul")); err != nil || got != "Linked." {
		t.Errorf("got %q, %v", got, err)
	}
}

// FuzzLoad reads a file that somebody made up; what it accepts must write or refuse, and never panic.
func FuzzLoad(f *testing.F) {
	f.Add(string(file(`{% if eta and vin == "x" %}{{ driver_name | first | default: "you" }}{% elsif due_date %}a{% else %}b{% endif %}.`).Data))
	f.Add("--- sms\n{% unless line == 'car_haul' %}{{ documents | list }}{% endunless %}\n--- title\n{{ eta.start | date }}\n--- body\n}")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := templates.Load(fstest.MapFS{"m/es.txt": {Data: []byte(text)}})
		if err != nil {
			return
		}
		tp := set.Lookup("car_haul", "m", "es")
		v := someone(t, "car_haul")
		for _, v.Facts = range []templates.Facts{v.Facts, nil} {
			for _, write := range []func(*templates.Vars) (string, error){tp.SMS, tp.Title, tp.Body} {
				if got, err := write(v); err == nil && got == "" {
					t.Error("an empty text")
				}
			}
		}
	})
}
