package templates_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/templates"
)

func TestParseFacts(t *testing.T) {
	tests := []struct {
		name string
		data string
		want templates.Facts
	}{
		{"no data", ``, nil},
		{"null", ` null `, nil},
		{"nothing said", `{ }`, templates.Facts{}},
		{"a string", `{"driver_name":"Sam"}`, templates.Facts{{"driver_name", "Sam"}}},
		{"escapes", `{"a":"\u00e9\n\"x\""}`, templates.Facts{{"a", "é\n\"x\""}}},
		{"half a surrogate pair", `{"a":"\ud800"}`, templates.Facts{{"a", "\uFFFD"}}},
		{"bytes that are no text", "{\"a\":\"x\xff\"}", templates.Facts{{"a", "x\uFFFD"}}},
		{"numbers as written", `{"a":1.50,"b":-0,"c":1e3}`, templates.Facts{{"a", "1.50"}, {"b", "-0"}, {"c", "1e3"}}},
		{"booleans", `{"a":true,"b":false}`, templates.Facts{{"a", "true"}, {"b", "false"}}},
		{"null says nothing", `{"a":null,"b":""}`, templates.Facts{{"b", ""}}},
		{"dotted", `{"eta":{"start":"x" , "end":"y"},"z":1}`, templates.Facts{{"eta.start", "x"}, {"eta.end", "y"}, {"z", "1"}}},
		{"arrays stay raw", `{"documents":["a", {"b":1}]}`, templates.Facts{{"documents", `["a", {"b":1}]`}}},
		{"four objects deep", `{"a":{"b":{"c":{"d":"e"}}}}`, templates.Facts{{"a.b.c.d", "e"}}},
		{"five stay raw", `{"a":{"b":{"c":{"d":{"e":1}}}}}`, templates.Facts{{"a.b.c.d", `{"e":1}`}}},
		{"empty objects", `{"a":{},"b":{"c":{}}}`, templates.Facts{}},
		{"the last one counts", `{"a":"x","b":"y","a":"z"}`, templates.Facts{{"a", "z"}, {"b", "y"}}},
		{"braces in strings", `{"a":"}{\\","b":["]"]}`, templates.Facts{{"a", `}{\`}, {"b", `["]"]`}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := templates.ParseFacts([]byte(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFactsRefuses(t *testing.T) {
	var many strings.Builder
	for i := range 1100 {
		fmt.Fprintf(&many, `,"f%d":1`, i)
	}
	tests := []struct {
		name string
		data string
		want error
	}{
		{"no JSON", `{"a":`, templates.ErrNotObject},
		{"blanks", `  `, templates.ErrNotObject},
		{"an array", `[1]`, templates.ErrNotObject},
		{"a string", `"a"`, templates.ErrNotObject},
		{"two objects", `{}{}`, templates.ErrNotObject},
		{"too many", "{" + many.String()[1:] + "}", templates.ErrTooManyFacts},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := templates.ParseFacts([]byte(tt.data)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestParseFactsKeepsNoBytes overwrites the record, as a source does with its next one.
func TestParseFactsKeepsNoBytes(t *testing.T) {
	data := []byte(`{"driver_name":"Sam"}`)
	facts, err := templates.ParseFacts(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	if name, ok := facts.Get("driver_name"); !ok || name != "Sam" {
		t.Errorf("got %q, %v", name, ok)
	}
}

func TestInherit(t *testing.T) {
	older := templates.Facts{
		{"driver_name", "Sam"}, {"driver_phone", "100"}, {"vehicle", "Civic"}, {"vin", "V1"}, {"tracking_url", "https://a.example"},
		{"eta.start", "x"}, {"reason", "snow"}, {"amount_due", "1"}, {"due_date", "2026-11-24"}, {"unknown", "1"},
		{"pickup_window.start", "8"}, {"pickup_window.end", "11"}, {"delivery_window", "20"},
	}
	tests := []struct {
		name string
		now  templates.Facts
		want templates.Facts
	}{
		{"what stays true", nil, templates.Facts{
			{"driver_name", "Sam"}, {"driver_phone", "100"}, {"vehicle", "Civic"}, {"vin", "V1"}, {"tracking_url", "https://a.example"},
		}},
		{"the event is newer", templates.Facts{{"tracking_url", "https://b.example"}, {"vehicle", "Civic"}}, templates.Facts{
			{"tracking_url", "https://b.example"}, {"vehicle", "Civic"}, {"driver_name", "Sam"}, {"driver_phone", "100"}, {"vin", "V1"},
		}},
		{"another driver has another phone", templates.Facts{{"driver_name", "Pat"}}, templates.Facts{
			{"driver_name", "Pat"}, {"vehicle", "Civic"}, {"vin", "V1"}, {"tracking_url", "https://a.example"},
			{"driver_name_before", "Sam"},
		}},
		{"another window", templates.Facts{{"pickup_window.start", "10"}, {"pickup_window.end", "12"}, {"vehicle", "Civic"}, {"driver_name", "Sam"}},
			templates.Facts{
				{"pickup_window.start", "10"}, {"pickup_window.end", "12"}, {"vehicle", "Civic"}, {"driver_name", "Sam"},
				{"driver_phone", "100"}, {"vin", "V1"}, {"tracking_url", "https://a.example"},
				{"pickup_window_before.start", "8"}, {"pickup_window_before.end", "11"},
			}},
		{"another car", templates.Facts{{"vehicle", "Accord"}}, templates.Facts{
			{"vehicle", "Accord"}, {"driver_name", "Sam"}, {"driver_phone", "100"}, {"tracking_url", "https://a.example"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.now.Inherit(nil, older)); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppendJSON(t *testing.T) {
	facts := templates.Facts{
		{"reason", "snow"}, {"tracking_url", "https://a.example"}, {"driver_name", "Sam \"S\" \\ \x01\n"}, {"eta.start", "x"},
		{"vin", strings.Repeat("v", 513)},
	}
	want := `x{"driver_name":"Sam \"S\" \\ \u0001\u000a","tracking_url":"https://a.example"}`
	if got := string(facts.AppendJSON([]byte("x"), nil)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	older := templates.Facts{{"pickup_window.start", "8"}, {"pickup_window.end", "11"}, {"delivery_window", "20"}, {"driver_name", "Pat"}}
	newer := templates.Facts{{"pickup_window", "9"}}
	if got, want := string(newer.AppendJSON(nil, older)), `{"pickup_window":"9","delivery_window":"20"}`; got != want {
		t.Errorf("windows that later events may change: got %s\nwant %s", got, want)
	}
	if got := string(templates.Facts(nil).AppendJSON(nil, nil)); got != "{}" {
		t.Errorf("no facts: got %s", got)
	}
}

func TestURL(t *testing.T) {
	tests := []struct {
		value string
		want  bool
	}{
		{"https://onmyway.example/t/8fQ2?a=b#c", true},
		{"HTTP://localhost:8080/t", true},
		{"https://" + strings.Repeat("a", 192), true},
		{"https://" + strings.Repeat("a", 193), false},
		{"", false},
		{"https://", false},
		{"https:///path", false},
		{"https://:80/", false},
		{"https://https://a.example", false},
		{"https://a.example:/x", false},
		{"ftp://a.example", false},
		{"javascript:alert(1)", false},
		{"javascript://x", false},
		{"//a.example", false},
		{"https://a.example/b c", false},
		{"https://a.example/\n", false},
		{"https://bank.example@evil.example/", false},
		{"https://xn--e1awd7f.example/@home", true},
		{"https://еvil.example/", false},
		{"https://a.example/{{x}}", false},
		{"https://a.example/\"><script>", false},
		{" https://a.example", false},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			facts := templates.Facts{{"tracking_url", tt.value}}
			if _, ok := facts.URL("tracking_url"); ok != tt.want {
				t.Errorf("got %v", ok)
			}
		})
	}
	if _, ok := (templates.Facts{}).URL("tracking_url"); ok {
		t.Error("a link out of nothing")
	}
}

func TestDeclared(t *testing.T) {
	facts, err := templates.ParseFacts(templates.ExampleData())
	if err != nil {
		t.Fatal(err)
	}
	said := func(name string) bool { _, ok := facts.Get(name); return ok }
	seen := map[string]bool{}
	for _, d := range templates.Declared() {
		if seen[d.Name] || d.Doc == "" || d.Max == 0 {
			t.Errorf("%s: declared twice, without doc or without bound", d.Name)
		}
		seen[d.Name] = true
		if d.Example != "" && !said(d.Name) && !said(d.Name+".start") && !said(d.Name+".amount") {
			t.Errorf("%s: the example is not read back", d.Name)
		}
		if d.About != "" && !seen[d.About] {
			t.Errorf("%s belongs to %s, which is not declared before it", d.Name, d.About)
		}
	}
}

func FuzzParseFacts(f *testing.F) {
	f.Add(templates.ExampleData())
	f.Add([]byte(`{"a":{"b":{"c":{"d":{"e":[1,"x]"]}}}},"a":null,"\u0061":"\ud83d\ude00"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = templates.AppendFacts(nil, string(data)) // what a cache holds may be anything: it ends, and panics never
		facts, err := templates.ParseFacts(data)
		if err != nil {
			if facts != nil {
				t.Error("facts beside an error")
			}
			return
		}
		if diff := cmp.Diff(slowFacts(t, data), asMap(facts)); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
		kept := facts.AppendJSON(nil, nil)
		again, err := templates.ParseFacts(kept)
		if err != nil {
			t.Fatalf("%s: %v", kept, err)
		}
		if !bytes.Equal(kept, again.AppendJSON(nil, nil)) {
			t.Errorf("%s is not read back", kept)
		}
	})
}

func asMap(facts templates.Facts) map[string]string {
	m := map[string]string{}
	for _, f := range facts {
		m[f.Name] = f.Value
	}
	return m
}

// slowFacts reads data with encoding/json, token by token.
func slowFacts(t *testing.T, data []byte) map[string]string {
	facts := map[string]string{}
	data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	if d := bytes.TrimSpace(data); len(d) == 0 || d[0] == 'n' {
		return facts
	}
	slowObject(t, facts, data, "", 1)
	return facts
}

func slowObject(t *testing.T, facts map[string]string, data []byte, prefix string, depth int) {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		full := prefix + name.(string)
		switch {
		case raw[0] == '{' && depth < 4:
			slowObject(t, facts, raw, full+".", depth+1)
		case raw[0] == 'n':
		case raw[0] == '"':
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			facts[full] = s
		default:
			facts[full] = string(raw)
		}
	}
}
