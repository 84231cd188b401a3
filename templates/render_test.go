package templates_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
	"unicode/utf8"

	"onmyway/templates"
)

// parsed is a template whose three texts are all the same.
func parsed(t testing.TB, text, locale string) *templates.Template {
	t.Helper()
	file := "--- sms\n" + text + "\n--- title\n" + text + "\n--- body\n" + text + "\n"
	set, err := templates.Load(fstest.MapFS{"test/" + locale + ".txt": {Data: []byte(file)}})
	if err != nil {
		t.Fatal(err)
	}
	return set.Lookup("", "test", locale)
}

func TestLanguage(t *testing.T) {
	facts := templates.Facts{{"driver_name", "Sam Rivera"}, {"minutes_away", "10"}, {"line", "no"}}
	tests := []struct{ name, text, want string }{
		{"words", "  On\n the   way ", "On the way"},
		{"a fact", "{{ driver_name }} is near", "Sam Rivera is near"},
		{"no blanks around it", "{{driver_name}}", "Sam Rivera"},
		{"a filter", "{{ driver_name | first }}", "Sam"},
		{"two filters", "{{ driver_name | first | upcase }}", "SAM"},
		{"a default that is not needed", `{{ driver_name | default: "Nobody" }}`, "Sam Rivera"},
		{"a default", `{{ carrier_name | default: "A carrier" }}`, "A carrier"},
		{"a default in other quotes", `{{ carrier_name | default: 'A "good" carrier' }}`, `A "good" carrier`},
		{"filters after a default change it", `{{ carrier_name | default: "a carrier" | upcase }}`, "A CARRIER"},
		{"filters before a default do not", `{{ carrier_name | upcase | default: "a carrier" }}`, "a carrier"},
		{"if", "{% if driver_name %}yes{% endif %}", "yes"},
		{"if not", "a{% if carrier_name %}yes{% endif %}", "a"},
		{"else", "{% if carrier_name %}a{% else %}b{% endif %}", "b"},
		{"elsif", "{% if carrier_name %}a{% elsif driver_name %}b{% else %}c{% endif %}", "b"},
		{"unless", "{% unless carrier_name %}a{% endunless %}", "a"},
		{"unless, else", "{% unless driver_name %}a{% else %}b{% endunless %}", "b"},
		{"unless, elsif", "{% unless driver_name %}a{% elsif driver_name %}b{% endunless %}", "b"},
		{"nested", "{% if driver_name %}a{% if carrier_name %}b{% else %}c{% endif %}d{% endif %}", "acd"},
		{"equal", `{% if line == "car_haul" %}a{% endif %}`, "a"},
		{"not equal", `{% if line != "car_haul" %}a{% else %}b{% endif %}`, "b"},
		{"and", "{% if driver_name and carrier_name %}a{% else %}b{% endif %}", "b"},
		{"or", "{% if carrier_name or driver_name %}a{% else %}b{% endif %}", "a"},
		{"several lines", "{% if\n driver_name\n %}a{%\nendif %}", "a"},
		{"blanks of what is left out", "a {% if carrier_name %}b{% endif %} c", "a c"},
		{"a dot after a dot", `{{ carrier_name | default: "A Co." }}. Yes`, "A Co. Yes"},
		{"the order", "{{ order_id }}", "CH-1001"},
		{"the customer", "{{ customer_name | first }}", "Dana"},
		{"a fact can't pose as the line", "{{ line }}", "car_haul"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := someone(t, "car_haul")
			v.Facts = facts
			if got, err := parsed(t, tt.text, "en").SMS(v); err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestValues(t *testing.T) {
	tests := []struct{ name, text, fact, value, en, es string }{
		{"a name", "{{ driver_name | first }}", "driver_name", "Rivera, Sam", "Sam", "Sam"},
		{"capitals", "{{ driver_name | first }}", "driver_name", "ÁNGEL DÍAZ", "Ángel", "Ángel"},
		{"initials", "{{ driver_name | first }}", "driver_name", "JT Smith", "JT", "JT"},
		{"a courtesy", "{{ driver_name | first }}", "driver_name", "Mrs. Ada Byron", "Ada", "Ada"},
		{"only a courtesy", "{{ driver_name | first }}", "driver_name", "Dr.", "Dr.", "Dr."},
		{"a car", "{{ vehicle | car }}", "vehicle", "2021 Honda Civic", "Honda Civic", "Honda Civic"},
		{"a car named by a number", "{{ vehicle | car }}", "vehicle", "500 Abarth", "500 Abarth", "500 Abarth"},
		{"a car that is a year", "{{ vehicle | car }}", "vehicle", "2021", "2021", "2021"},
		{"a time", "{{ delivered_at }}", "delivered_at", "2026-11-21T22:30:00Z", "2:30 PM PST", "2:30 p.m. PST"},
		{"a time with an offset", "{{ delivered_at | time }}", "delivered_at", "2026-11-21T22:30:00+05:30", "9:00 AM PST", "9:00 a.m. PST"},
		{"midnight", "{{ delivered_at | time }}", "delivered_at", "2026-07-01T07:00:00Z", "12:00 AM PDT", "12:00 a.m. PDT"},
		{"noon ends a sentence", "{{ delivered_at | time }}.", "delivered_at", "2026-11-21T20:00:00Z", "12:00 PM PST.", "12:00 p.m. PST."},
		{"the day of a time", "{{ delivered_at | date }}", "delivered_at", "2026-11-25T02:00:00Z", "Tue, Nov 24", "martes 24 de nov."},
		{"a day", "{{ due_date }}", "due_date", "2026-11-24", "Tue, Nov 24", "martes 24 de nov."},
		{"a day ends a sentence", "{{ due_date }}.", "due_date", "2026-11-24", "Tue, Nov 24.", "martes 24 de nov."},
		{"a day next year", "{{ due_date }}", "due_date", "2027-11-30", "Tue, Nov 30, 2027", "martes 30 de nov. de 2027"},
		{"a window that is one time", "{{ eta }}", "eta", "2026-11-21T21:30:00Z", "around 1:30 PM PST", "a eso de la 1:30 p.m. PST"},
		{"a time as a window", "{{ picked_up_at | window }}", "picked_up_at", "2026-11-22T21:30:00Z",
			"Sun, Nov 22, around 1:30 PM PST", "el domingo 22 de nov. a eso de la 1:30 p.m. PST"},
		{"a list", "{{ documents }}", "documents", `["A","B","C"]`, "A, B and C", "A, B y C"},
		{"two", "{{ documents }}", "documents", `["A", "identificación"]`, "A and identificación", "A e identificación"},
		{"one", "{{ documents }}", "documents", `["A"]`, "A", "A"},
		{"no array", "{{ documents }}", "documents", `A; B`, "A; B", "A; B"},
		{"odd items", "{{ documents }}", "documents", `["", "A", null, {"b":"]"}, 7, ["x"], "\u200b"]`, "A and 7", "A y 7"},
		{"many", "{{ documents | list }}", "documents", `["1","2","3","4","5","6","7","8"]`, "1, 2, 3, 4, 5, 6 and 2 more", "1, 2, 3, 4, 5, 6 y 2 más"},
		{"money", "{{ amount_due }}", "amount_due", "1184.5", "$1,184.50", "$1,184.50"},
		{"money in words", "{{ amount_due }}", "amount_due.amount", "$20", "$20.00", "$20.00"},
		{"a count", "{{ odometer }}", "odometer", "28114", "28,114", "28,114"},
		{"a link", "{{ tracking_url }}", "tracking_url", "https://a.example/t?x=1", "https://a.example/t?x=1", "https://a.example/t?x=1"},
	}
	for _, tt := range tests {
		for locale, want := range map[string]string{"en": tt.en, "es": tt.es} {
			t.Run(tt.name+"/"+locale, func(t *testing.T) {
				v := someone(t, "car_haul")
				v.Facts = templates.Facts{{tt.fact, tt.value}}
				if got, err := parsed(t, tt.text, locale).SMS(v); err != nil || got != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
		}
	}
}

func TestWindow(t *testing.T) {
	tests := []struct{ name, start, end, zone, en, es, fr string }{
		{"over noon", "2026-11-21T19:30:00Z", "2026-11-21T20:15:00Z", "America/Los_Angeles",
			"11:30 AM to 12:15 PM PST", "entre las 11:30 a.m. y las 12:15 p.m. PST", "11:30-12:15 PST"},
		{"the same half of the day", "2026-11-21T21:00:00Z", "2026-11-21T23:30:00Z", "America/Los_Angeles",
			"1:00 to 3:30 PM PST", "entre la 1:00 y las 3:30 p.m. PST", "13:00-15:30 PST"},
		{"another day", "2026-11-24T22:00:00Z", "2026-11-24T23:30:00Z", "America/Los_Angeles",
			"Tue, Nov 24, 2:00 to 3:30 PM PST", "el martes 24 de nov. entre las 2:00 y las 3:30 p.m. PST", "2026-11-24 14:00-15:30 PST"},
		{"over midnight", "2026-11-22T07:00:00Z", "2026-11-22T09:00:00Z", "America/Los_Angeles",
			"Sat, Nov 21, 11:00 PM to Sun, Nov 22, 1:00 AM PST",
			"entre el sábado 21 de nov., 11:00 p.m. y el domingo 22 de nov., 1:00 a.m. PST", "2026-11-21, 23:00 - 2026-11-22, 01:00 PST"},
		{"a zone without a name", "2026-11-21T21:00:00Z", "2026-11-21T23:30:00Z", "America/Sao_Paulo",
			"6:00 to 8:30 PM UTC-3", "entre las 6:00 y las 8:30 p.m. UTC-3", "18:00-20:30 UTC-3"},
		{"a zone of half hours", "2026-11-21T21:00:00Z", "2026-11-21T23:30:00Z", "Asia/Kathmandu",
			"2:45 to 5:15 AM UTC+5:45", "entre las 2:45 y las 5:15 a.m. UTC+5:45", "02:45-05:15 UTC+5:45"},
		{"without length", "2026-11-21T21:00:00Z", "2026-11-21T21:00:00Z", "America/Los_Angeles",
			"around 1:00 PM PST", "a eso de la 1:00 p.m. PST", "13:00 PST"},
		{"end before start", "2026-11-21T21:00:00Z", "2026-11-21T20:00:00Z", "America/Los_Angeles", "none", "none", "none"},
		{"no end", "2026-11-21T21:00:00Z", "", "America/Los_Angeles", "none", "none", "none"},
		{"no times", "soon", "later", "America/Los_Angeles", "none", "none", "none"},
	}
	for _, tt := range tests {
		for locale, want := range map[string]string{"en": tt.en, "es": tt.es, "fr": tt.fr} {
			t.Run(tt.name+"/"+locale, func(t *testing.T) {
				v := someone(t, "car_haul")
				v.Facts = templates.Facts{{"eta.start", tt.start}, {"eta.end", tt.end}}
				v.Zone = zone(t, tt.zone)
				tp := parsed(t, "{% if eta %}{{ eta | window }}{% else %}none{% endif %}", locale)
				if got, err := tp.SMS(v); err != nil || got != want {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
		}
	}
}

// TestSpace holds that only pushes keep times on one line: GSM-7 has no such space.
func TestSpace(t *testing.T) {
	v := someone(t, "car_haul")
	tp := parsed(t, "{{ delivered_at }} {{ driver_name }}", "en")
	v.Facts = templates.Facts{{"delivered_at", "2026-11-21T22:30:00Z"}, {"driver_name", "Sam “S” O’Neil – J`r…"}}
	got := write(t, tp, v)
	want := "2:30\u00A0PM\u00A0PST Sam “S” O’Neil – J`r…"
	if got.title != want || got.body != want {
		t.Errorf("got %q and %q, want %q", got.title, got.body, want)
	}
	if want := `2:30 PM PST Sam "S" O'Neil - J'r.`; got.sms != want {
		t.Errorf("got %q, want %q", got.sms, want)
	}
}

func TestHostileText(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"line ends", "a\r\nb\tc\u2028d", "a b c d"},
		{"control characters", "a\x00\x1b[31mb\x7f\u0085c", "a[31mb c"},
		{"bidi controls", "a\u202Eb\u2066c\u200F", "abc"},
		{"without width", "a\u200Bb\uFEFFc\u00ADd\u3164e\u2060", "abcde"},
		{"tags", "a\U000E0061b", "ab"},
		{"braces", "{{ order_id }} {% if x %}", "order_id % if x %"},
		{"no text", "a\xff\xfeb", "ab"},
		{"blanks", "  a \u00A0\u3000 b  ", "a b"},
		{"nothing to read", "\u200B \u202E\n", "nobody"},
		{"too long", strings.Repeat("word ", 20), strings.TrimSpace(strings.Repeat("word ", 11)) + "..."},
		{"one long word", strings.Repeat("é", 61), strings.Repeat("é", 57) + "..."},
		{"just fits", strings.Repeat("é", 60), strings.Repeat("é", 60)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := someone(t, "car_haul")
			v.Facts = templates.Facts{{"driver_name", tt.value}}
			got, err := parsed(t, `{{ driver_name | default: "nobody" }}`, "en").Body(v)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestRenderErrors(t *testing.T) {
	long := strings.Repeat("sixteen letters ", 8)
	tests := []struct {
		name, text string
		facts      templates.Facts
		want       string
	}{
		{"missing", "a\nb {{ driver_name }}", nil, `test/en.txt:6: fact "driver_name" is missing or can't be read`},
		{"empty", "{{ driver_name }}", templates.Facts{{"driver_name", " "}}, `test/en.txt:4: fact "driver_name" is missing or can't be read`},
		{"a filter needs it too", "{{ driver_name | first }}", nil, `test/en.txt:4: fact "driver_name" is missing or can't be read`},
		{"no link", "{{ tracking_url }}", templates.Facts{{"tracking_url", "javascript:x"}}, `test/en.txt:4: fact "tracking_url" is missing or can't be read`},
		{"no time", "{{ delivered_at }}", templates.Facts{{"delivered_at", "noon"}}, `test/en.txt:4: fact "delivered_at" is missing or can't be read`},
		{"half a window", "{{ eta }}", templates.Facts{{"eta.start", "2026-11-21T21:00:00Z"}}, `test/en.txt:4: fact "eta" is missing or can't be read`},
		{"no number", "{{ odometer }}", templates.Facts{{"odometer", "-1"}}, `test/en.txt:4: fact "odometer" is missing or can't be read`},
		{"no amount", "{{ amount_due }}", templates.Facts{{"amount_due", "12.345"}}, `test/en.txt:4: fact "amount_due" is missing or can't be read`},
		{"no currency", "{{ amount_due }}", templates.Facts{{"amount_due.amount", "1"}, {"amount_due.currency", "Taler"}},
			`test/en.txt:4: fact "amount_due" is missing or can't be read`},
		{"no text at all", "{% if driver_name %}a{% endif %}", nil, "test/en.txt:4: the text is empty"},
		{"too long", long, nil, "test/en.txt:4: the text is longer than 120 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := someone(t, "car_haul")
			v.Facts = tt.facts
			got, err := parsed(t, tt.text, "en").Title(v)
			var wrong *templates.Error
			if got != "" || !errors.As(err, &wrong) {
				t.Fatalf("got %q, %v", got, err)
			}
			if err.Error() != tt.want {
				t.Errorf("got %q, want %q", err, tt.want)
			}
		})
	}
}

func TestNoZone(t *testing.T) {
	v := someone(t, "car_haul")
	v.Zone = nil
	if got, err := parsed(t, "{{ delivered_at }}", "en").SMS(v); err != nil || got != "6:42 PM UTC" {
		t.Errorf("got %q, %v", got, err)
	}
}

// FuzzRender writes every built-in text with facts that somebody made up.
func FuzzRender(f *testing.F) {
	set := builtIn(f)
	f.Add(templates.ExampleData(), "Dana", int64(1_795_000_000), "America/Los_Angeles")
	f.Add([]byte(`{"driver_name":"{{ x }}\u202e","eta":"2026-11-21T21:00:00Z","documents":["[\"","{","]"],"tracking_url":"https://x"}`), "\x00", int64(0), "Asia/Kathmandu")
	f.Add([]byte(`{"documents":"[\"a\\","amount_due":{"amount":"99999999999999","currency":"{{"},"vehicle":"1999 {"}`), "", int64(-1), "UTC")
	f.Fuzz(func(t *testing.T, data []byte, name string, now int64, zone string) {
		facts, err := templates.ParseFacts(data)
		if err != nil {
			return
		}
		place, err := time.LoadLocation(zone)
		if err != nil {
			place = nil
		}
		v := &templates.Vars{OrderID: name, Customer: name, Facts: facts, Zone: place, Now: time.Unix(now, 0)}
		for _, tp := range set.Templates() {
			v.Line = tp.Line
			w := write(t, tp, v)
			checkReadable(t, w.sms, 1600)
			checkReadable(t, w.title, 120)
			checkReadable(t, w.body, 600)
		}
	})
}

// checkReadable holds a text to what no event may break.
func checkReadable(t *testing.T, text string, limit int) {
	t.Helper()
	if n := utf8.RuneCountInString(text); n == 0 || n > limit {
		t.Errorf("%d characters: %q", n, text)
	}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "{}") || strings.TrimSpace(text) != text || strings.Contains(text, "  ") {
		t.Errorf("not whole: %q", text)
	}
	for _, r := range text {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) {
			t.Errorf("%U in %q", r, text)
		}
	}
}
