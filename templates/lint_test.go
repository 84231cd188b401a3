package templates_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"onmyway/templates"
)

func TestLintBuiltIn(t *testing.T) {
	report, err := templates.Lint(nil, told())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d templates, %v, %d milestones, %d texts", report.Templates, report.Locales, report.Milestones, report.Texts)
	for _, f := range report.Findings {
		t.Error(f)
	}
	if report.Texts < 20_000 || report.Milestones != len(told()) || len(report.Locales) != 2 {
		t.Errorf("too little was checked: %+v", report)
	}
}

func TestLintFinds(t *testing.T) {
	page := func(sms, title, body string) fs.FS {
		text := "--- sms\n" + sms + "\n--- title\n" + title + "\n--- body\n" + body + "\n"
		return fstest.MapFS{"delivered/en.txt": {Data: []byte(text)}}
	}
	long := strings.Repeat("word ", 40)
	tests := []struct {
		name string
		dir  fs.FS
		want string // the beginning of the only finding
		fix  string // in it
	}{
		{"a fact that may be missing", page("a\nb {{ driver_name }}", "t", "b"), `delivered/en.txt:3: no SMS with no facts: fact "driver_name" is missing`, "{% if driver_name %}"},
		{"a text of nothing", page("{% if eta %}a{% endif %}", "t", "b"), "delivered/en.txt:2: no SMS with no facts: the text is empty", "in every case"},
		{"a text of one sort of data", page(`{% if minutes_away == "0" %}{{ reason }}{% else %}a{% endif %}`, "t", "b"), `delivered/en.txt:2: no SMS with odd minutes_away alone: fact "reason"`, "{% if reason %}"},
		{"an unknown fact", page("{{ drivr_name }}", "t", "b"), `delivered/en.txt:2: unknown fact "drivr_name"`, `did you mean "driver_name"?`},
		{"an unknown filter", page("{{ driver_name | frist }}", "t", "b"), `delivered/en.txt:2: unknown filter "frist"`, `did you mean "first"?`},
		{"an unknown tag", page("{% for x in y %}", "t", "b"), `delivered/en.txt:2: unknown tag "for"`, "templates --help"},
		{"many segments", page(long+long, "t", "b"), "delivered/en.txt:2: the SMS needs 3 segments of GSM-7 with any facts (399 characters), want at most 2", "{% if room %}"},
		{"a long title", page("a", long[:52], "b"), "delivered/en.txt:4: the title has 52 characters", "{% if room %}"},
		{"a long body", page("a", "t", long[:160]), "delivered/en.txt:6: the body has 159 characters", "{% if room %}"},
		{"a letter that is not in GSM-7", page("a\nb “c", "t", "b"), "delivered/en.txt:3: '“' (U+201C) is not in GSM-7", `write "\""`},
		{"a letter without a twin", page("a 😀", "t", "b"), "delivered/en.txt:2: '😀' (U+1F600) is not in GSM-7", "another character"},
		{"two links", page("a {% if tracking_url %}{{ tracking_url }}{% endif %}{% if photos_url %} {{ photos_url }}{% endif %}", "t", "b"),
			"delivered/en.txt:2: 2 links in one SMS with all facts", "elsif"},
		{"a missing section", fstest.MapFS{"delivered/en.txt": {Data: []byte("--- sms\na\n--- title\nt\n")}}, "delivered/en.txt: section --- body is missing", ""},
		{"a file that is none", fstest.MapFS{"README.md": {Data: []byte("x")}}, "README.md: not a template", "want <milestone>/<locale>.txt"},
		{"a milestone that is none", fstest.MapFS{"deliverd/en.txt": file("a")}, "deliverd/en.txt: customers are told nothing of that name", `did you mean "delivered"?`},
		{"a line without the milestone", fstest.MapFS{"plates_issued/en.car_haul.txt": file("a")}, "plates_issued/en.car_haul.txt: customers are told nothing", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, err := templates.Lint(tt.dir, []templates.Subject{{Line: "car_haul", Milestone: "delivered"}})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Findings) == 0 {
				t.Fatal("nothing found")
			}
			first := report.Findings[0].String()
			for _, f := range report.Findings { // the other milestones are not asked for
				if s := f.String(); strings.HasPrefix(s, tt.want) {
					first = s
				}
			}
			if !strings.HasPrefix(first, tt.want) || !strings.Contains(first, tt.fix) {
				t.Errorf("got  %s\nwant %s … %s", first, tt.want, tt.fix)
			}
		})
	}
}

// TestLintMissing asks for words that nobody wrote.
func TestLintMissing(t *testing.T) {
	wanted := append(told(), templates.Subject{Line: "car_haul", Milestone: "polished"})
	report, err := templates.Lint(fstest.MapFS{"delivered/es-MX.txt": file("a")}, wanted)
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, f := range report.Findings {
		missing = append(missing, f.String())
	}
	want := "polished/en.txt: no words in en for polished of car_haul: write this file\n" +
		"polished/es.txt: no words in es for polished of car_haul: write this file"
	if got := strings.Join(missing, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRoom holds that what matters least goes first, and then what is long.
func TestRoom(t *testing.T) {
	const text = `Your {{ vehicle | default: "car" }} is here.{% if room %} ` + "It was a long way, and now it is over, and this is good." + `{% endif %}`
	tests := []struct{ name, vehicle, want string }{
		{"room for all", "Civic", "Your Civic is here. It was a long way, and now it is over, and this is good."},
		{"no room", "Volkswagen Atlas", "Your Volkswagen Atlas is here."},
		{"a value that is too long", "Longfellow Featherstone Cholmondeley Wolverhampton", "Your car is here."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := someone(t, "car_haul")
			v.Facts = templates.Facts{{Name: "vehicle", Value: tt.vehicle}}
			write := parsed(t, text, "en").Title
			if tt.name == "room for all" {
				write = parsed(t, text, "en").Body
			}
			got, err := write(v)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
