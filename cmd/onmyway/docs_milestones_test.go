package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"onmyway/notify"
)

// headings are how people call the lines of business.
var headings = map[notify.Line]string{
	notify.CarHaul: "Car Haul", notify.DriveAway: "Drive Away", notify.TitleRegistration: "Title & Registration",
}

// TestMilestonesAreDocumented keeps docs/milestones.md the list of all milestones: run it with -update after a change.
func TestMilestonesAreDocumented(t *testing.T) {
	fs := pflag.NewFlagSet("documents", pflag.ContinueOnError)
	configFlags(fs)
	cfg, err := loadConfig(fs)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := newRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	doc := milestonesHead
	for _, line := range notify.Lines {
		told, all := 0, notify.Milestones(line)
		var rows strings.Builder
		for _, m := range all {
			if m.Visible {
				told++
			}
			rows.WriteString(milestoneRow(rules, m))
		}
		doc += fmt.Sprintf("\n## %s\n\n`%s`: %d milestones, %d of them for the customer.\n\n", headings[line], line, len(all), told) +
			"| milestone | phase | category | urgency | true for | channels | route | words |\n|---|---|---|---|---|---|---|---|\n" + rows.String()
	}
	const path = root + "/docs/milestones.md"
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != doc {
		t.Errorf("%s is not up to date (%v): go test ./cmd/onmyway -run Documented -update", path, err)
	}
}

const milestonesHead = `# Milestones and routes

Every step of an order that an event can name (` + "`line` and `milestone`, see [events.md](events.md)" + `), and what becomes of it by the
default routes. [configuration.md](configuration.md#routes) shows the routes and how to write your own; [templates.md](templates.md)
tells how to change the words.

* **Category** is what a customer turns on and off.
* **Urgency** is what push services are told, and what routes can ask for.
* **True for** is how long the news is worth telling, from the moment it happened. What has not left by then ends as ` + "`expired`" + `.
* **Stands** means that the customer is asked to act: later news replaces it only when it asks too, or ends the order.
* **Channels** are those of the route; a channel reaches only customers who have an address there and want it. ` + "`quiet too`" + ` goes out in
  the customer's quiet hours as well.
* **Internal** milestones move the order and are told to nobody.
`

func milestoneRow(rules *notify.Rules, m *notify.Milestone) string {
	if !m.Visible {
		return fmt.Sprintf("| `%s` | %s | | | | internal | | |\n", m.Name, m.Phase)
	}
	route := rules.Routes[m]
	channels := make([]string, len(route.Channels))
	for i, ch := range route.Channels {
		channels[i] = string(ch)
	}
	name := route.Name
	if route.PierceQuiet {
		name += " (quiet too)"
	}
	lasts := span(m.Validity)
	if m.Standing {
		lasts += ", stands"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", m.Name, m.Phase, strings.ReplaceAll(string(m.Category), "_", " "),
		m.Urgency, lasts, strings.Join(channels, ", "), name, languagesOf(rules, m))
}

// languagesOf names the languages that have words for a milestone.
func languagesOf(rules *notify.Rules, m *notify.Milestone) string {
	var have []string
	for _, locale := range []string{"en", "es"} {
		if t := rules.Words.Lookup(string(m.Line), m.Name, locale); t != nil && t.Locale == locale {
			have = append(have, locale)
		}
	}
	if len(have) == 0 {
		return "none: told nowhere"
	}
	return strings.Join(have, ", ")
}

func span(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0 && d > 72*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}
