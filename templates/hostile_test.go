package templates_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"onmyway/templates"
)

// TestLinksInText holds that a text of an event never becomes a link on a phone.
func TestLinksInText(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"an address", "https://evil.example/x", "nobody"},
		{"an address behind words", "Sam see HTTP://evil.example", "nobody"},
		{"a domain", "evil.example", "evil. example"},
		{"a domain with a path", "www.evil.example/pay?x=1", "www. evil. example/pay?x=1"},
		{"a short domain", "t.co/x", "t. co/x"},
		{"a hidden character in it", "ev\u200Bil.ex\u00ADample", "evil. example"},
		{"the dots of other scripts", "evil。example．com｡x", "evil. example. com.x"},
		{"a mail address", "sam@evil.example", "sam@evil. example"},
		{"a scheme", "javascript:alert(1)", "javascript: alert(1)"},
		{"a call", "tel:+19005550100", "tel: +19005550100"},
		{"a scheme at the end", "javascript:", "javascript"},
		{"one behind words", "Sam · tel :", "Sam · tel"},
		{"nothing but marks", " : ", "nobody"},
		{"an address of numbers", "192.168.1.1/x", "192.168. 1.1/x"},
		{"letters of other scripts", "еvil.рф", "еvil. рф"},
		{"initials", "J.R. Smith", "J.R. Smith"},
		{"a half of the day", "9:30 a.m. to 2 p.m.", "9:30 a.m. to 2 p.m."},
		{"a state", "Reno, N.V.", "Reno, N.V."},
		{"a number", "2021 Mazda 2.5 S", "2021 Mazda 2.5 S"},
		{"a courtesy", "Dr. Ada Byron", "Dr. Ada Byron"},
		{"a model", "Volkswagen ID.4", "Volkswagen ID.4"},
		{"dots at the end", "wait...", "wait..."},
		{"a pile of accents", "a" + strings.Repeat("\u0301", 50) + "b", "a\u0301\u0301b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := someone(t, "car_haul")
			v.Facts = templates.Facts{{Name: "driver_name", Value: tt.value}}
			got, err := parsed(t, `{{ driver_name | default: "nobody" }}`, "en").Body(v)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// linkLike is what phones make links of.
var linkLike = regexp.MustCompile(`://|(?i:javascript|tel|mailto):[^\s.,]|\pL\.\pL{2}|\d\.\d+\.\d`)

// TestNoValueForgesAMessage writes every text from values made of what could break one.
func TestNoValueForgesAMessage(t *testing.T) {
	set := builtIn(t)
	all := set.Templates()
	pieces := []string{
		"{{ order_id }}", "{%", "%}", "\r\n", "\x00", "\u202e", "\u2066", "\u200b", "\ufeff", "https://", "evil.example", "javascript:", "tel:1",
		"1.2.3.4", ".", ":", "@", "co", " ", "Sam", "\xff", "\u0301", "😀", "`", strings.Repeat("x", 10_000), "\u2028", "。", "<b>", "\\", "\"",
	}
	rapid.Check(t, func(t *rapid.T) {
		value := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "value"), "")
		tp := rapid.SampledFrom(all).Draw(t, "template")
		v := &templates.Vars{OrderID: value, Line: tp.Line, Customer: value, Now: templates.ExampleTime}
		for _, d := range templates.Declared() {
			fact := templates.Fact{Name: d.Name, Value: value}
			if _, isLink := (templates.Facts{fact}).URL(d.Name); isLink && d.Kind == templates.KindURL {
				continue // where a link of the right form leads is for those who send the events
			}
			v.Facts = append(v.Facts, fact, templates.Fact{Name: d.Name + ".start", Value: value})
		}
		for name, write := range map[string]func(*templates.Vars) (string, error){"sms": tp.SMS, "title": tp.Title, "body": tp.Body} {
			text, err := write(v)
			if err != nil {
				t.Fatalf("%s of %s: %v", name, tp.File, err)
			}
			own := strings.NewReplacer("a.m.", "", "p.m.", "").Replace(text)
			if found := linkLike.FindString(own); found != "" {
				t.Errorf("%s of %s has %q: %q", name, tp.File, found, text)
			}
			if n := utf8.RuneCountInString(text); n > 500 || strings.ContainsAny(text, "{}\r\n\x00\u202e\u200b") {
				t.Errorf("%s of %s is broken: %d characters, %q", name, tp.File, n, text)
			}
		}
	})
}

// FuzzValue gives every fact of a text the same value.
func FuzzValue(f *testing.F) {
	all := builtIn(f).Templates()
	f.Add("Sam\u202e https://evil.example {{ x }}", uint16(0))
	f.Add(`["a","b.co"]`, uint16(1))
	f.Add(strings.Repeat("9", 300), uint16(2))
	f.Fuzz(func(t *testing.T, value string, pick uint16) {
		said := map[string]string{}
		for _, d := range templates.Declared() {
			said[d.Name] = value
		}
		data, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		v := &templates.Vars{OrderID: value, Customer: value, Now: templates.ExampleTime, Facts: facts(t, data)}
		tp := all[int(pick)%len(all)]
		v.Line = tp.Line
		w := write(t, tp, v)
		checkReadable(t, w.sms, 1600)
		checkReadable(t, w.title, 120)
		checkReadable(t, w.body, 600)
	})
}
