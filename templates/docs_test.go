package templates_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"onmyway/templates"
)

const document = "../docs/templates.md"

// shown are the examples of the document: each is written in both languages, from the example of all facts.
var shown = []struct{ text, says string }{
	{`{{ driver_name }}`, "a fact; an error when the event does not say it"},
	{`{{ carrier_phone | default: "us" }}`, "a fact, or other words when it is missing"},
	{`{{ driver_name | first }}`, "what people are called by"},
	{`{{ vehicle | car }}`, "make and model without the year"},
	{`{{ plate_number | upcase }}`, "capitals"},
	{`{{ delivered_at | time }}`, "the time of day, in the customer's zone"},
	{`{{ due_date | date }}`, "the day; with the year when it is more than half a year away"},
	{`{{ eta | window }}`, "from when to when, with the day unless it is today; it follows a verb"},
	{`{{ eta.start | time }}`, "a window has a start and an end"},
	{`{{ documents | list }}`, "the items; Spanish says the papers of a glossary in Spanish"},
	{`{{ photos | plural: "photo", "photos" }}`, "a number and its word, by the rules of the language; also the number of items of a list"},
	{`{{ delay_minutes | duration }}`, "minutes as people say them"},
	{`{{ amount_due }}`, "an amount"},
	{`{% if eta %}Soon.{% else %}Later.{% endif %}`, "a choice: said when the event says it in a form that can be read"},
	{`{% if reason_code == "weather" %}Snow.{% elsif reason %}{{ reason }}.{% endif %}`, "more ways; texts are compared with == and !="},
	{`{% if eta and driver_name %}Both.{% endif %}`, "and, or"},
	{`{% unless eta %}No time yet.{% else %}There is a time.{% endunless %}`, "the other way round"},
	{`Short.{% if room %} And what matters less.{% endif %}`, "left out of a text that would get too long"},
}

// TestDocument keeps the tables of the document what the code does.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want := put(t, string(text), "language", languageTable(t))
	want = put(t, want, "facts", factsTable())
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is not up to date: go test ./templates -run Document -update", document)
	}
}

// put replaces what stands between the marks of a table.
func put(t *testing.T, text, name, table string) string {
	t.Helper()
	begin, end := "<!-- "+name+": written by a test -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no table %s", document, name)
	}
	return before + begin + "\n" + table + "\n" + end + after
}

func languageTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| written | English | Spanish | |\n|---|---|---|---|\n")
	for _, s := range shown {
		row := "| `" + s.text + "` |"
		for _, locale := range locales {
			v := someone(t, "car_haul")
			if strings.Contains(s.text, "default") {
				v.Facts = nil
			}
			text, err := parsed(t, s.text, locale).SMS(v)
			if err != nil {
				t.Fatal(err)
			}
			row += " " + text + " |"
		}
		b.WriteString(escaped(row) + " " + s.says + " |\n")
	}
	return b.String()
}

// escaped keeps the bars inside of code from ending the cell.
func escaped(row string) string {
	code, rest, _ := strings.Cut(row[len("| `"):], "` |")
	return "| `" + strings.ReplaceAll(code, "|", `\|`) + "` |" + rest
}

func factsTable() string {
	var b strings.Builder
	b.WriteString("| fact | kind | stays | example | |\n|---|---|---|---|---|\n")
	for _, d := range templates.Declared() {
		stays, example := "", ""
		if d.Standing {
			stays = "yes"
		}
		if d.About != "" {
			stays = "with `" + d.About + "`"
		}
		if d.Example != "" {
			example = "`" + d.Example + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", d.Name, d.Kind, stays, example, d.Doc)
	}
	return b.String()
}
