package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
)

// exports is what the service tells Prometheus: the labels of each metric by the names that queries have for it.
func exports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	families, err := used().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		labels := []string{"instance", "job"} // Prometheus adds them
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		if f.GetMetric()[0].GetHistogram() == nil {
			all[f.GetName()] = labels
			continue
		}
		all[f.GetName()+"_sum"], all[f.GetName()+"_count"] = labels, labels
		all[f.GetName()+"_bucket"] = append(labels, "le")
	}
	return all
}

// said are the values that labels can have.
func said() map[string]values {
	l := newLabels(nil)
	all := map[string]values{
		"channel": l.channel, "milestone": l.milestone, "state": l.state, "verdict": l.verdict, "keyword": l.keyword,
		"reason": maps.Clone(l.reason), "outcome": valuesOf([]string{"stored", "repeated", "rejected"}), "alphabet": valuesOf([]string{"gsm7", "ucs2"}),
		"engine": valuesOf([]string{"Kafka", "Redis", "SQL", "the dead-letter topic", "the provider of sms", "the provider of push"}),
		"http":   valuesOf([]string{"none"}), "class": {}, "le": {}, "route": valuesOf([]string{"/readyz"}),
	}
	maps.Copy(all["reason"], l.reject)
	for status := 100; status < 600; status += 100 {
		all["http"][httpClass(status)], all["class"][httpClass(status)] = true, true
	}
	for _, s := range seconds {
		all["le"][fmt.Sprint(s)] = true
	}
	return all
}

// checkQuery tells what a query asks for that the service does not export.
func checkQuery(text string, exported map[string][]string, said map[string]values) error {
	q, err := readQuery(text)
	if err != nil {
		return err
	}
	var errs []error
	var labels []string
	for _, s := range q.selections {
		has, there := exported[s.metric]
		if !there {
			errs = append(errs, fmt.Errorf("there is no metric %s", s.metric))
		}
		labels = append(labels, has...)
		for _, m := range s.matchers {
			if there && !slices.Contains(has, m.label) {
				errs = append(errs, fmt.Errorf("%s has no label %s", s.metric, m.label))
			}
			for v := range strings.SplitSeq(m.value, "|") {
				if can := said[m.label]; can != nil && !can[v] {
					errs = append(errs, fmt.Errorf("%s is never %q", m.label, v))
				}
			}
		}
	}
	for _, g := range q.grouped {
		if !slices.Contains(labels, g) {
			errs = append(errs, fmt.Errorf("nothing in it has the label %s", g))
		}
	}
	return errors.Join(errs...)
}

func TestCheckQuery(t *testing.T) {
	exported, said := exports(t), said()
	for _, wrong := range []string{
		`onmyway_event_total`, `onmyway_batch_seconds`, `onmyway_events_total{outcom="stored"}`, `onmyway_events_total{outcome="store"}`,
		`sum by (chanel) (onmyway_messages_total)`, `onmyway_messages_total{state=~"sent|acepted"}`, `onmyway_batch_seconds_bucket{le="0.3"}`,
	} {
		if checkQuery(wrong, exported, said) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

// rule is one alert.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	b, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := yaml.Parser().Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var groups struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	conf := &mapstructure.DecoderConfig{Result: &groups, ErrorUnused: true}
	decoder, err := mapstructure.NewDecoder(conf)
	if err == nil {
		err = decoder.Decode(file)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// TestAlertsAreTrue: every alert asks for what is exported, says what is wrong, and has a section that says what to do.
func TestAlertsAreTrue(t *testing.T) {
	exported, said := exports(t), said()
	guide, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, alarms, _ := strings.Cut(string(guide), "\n## Alarms\n")
	alarms, _, _ = strings.Cut(alarms, "\n## ")
	told := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)\n\n\*(Critical|Warning)\.\*`).FindAllStringSubmatch(alarms, -1) {
		told[strings.ToLower(m[1]+" "+m[2])] = true
	}
	if n := len(regexp.MustCompile(`(?m)^### `).FindAllString(alarms, -1)); n != len(told) {
		t.Errorf("%d of %d sections of docs/operating.md say how grave their alarm is", len(told), n)
	}
	for _, r := range rules(t) {
		if err := checkQuery(r.Expr, exported, said); err != nil {
			t.Errorf("%s: %v", r.Alert, err)
		}
		if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
			t.Errorf("%s: %v", r.Alert, err)
		}
		anchor := strings.ToLower(r.Alert)
		if r.Annotations["summary"] == "" || r.Annotations["runbook"] != "docs/operating.md#"+anchor {
			t.Errorf("%s: %v", r.Alert, r.Annotations)
		}
		if section := anchor + " " + r.Labels["severity"]; !told[section] {
			t.Errorf("docs/operating.md has no section %s with the gravity %s", r.Alert, r.Labels["severity"])
		} else {
			delete(told, section)
		}
	}
	for section := range told {
		t.Errorf("docs/operating.md explains %s, which is no alert", section)
	}
}

// TestDashboardIsTrue: every panel asks for what is exported, says what it shows, and has a place of its own.
func TestDashboardIsTrue(t *testing.T) {
	b, err := os.ReadFile("../../deploy/grafana/onmyway.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			ID                       int
			Type, Title, Description string
			GridPos                  struct{ X, Y, W, H int }
			FieldConfig              struct{ Defaults struct{ Unit string } }
			Targets                  []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(b, &board); err != nil {
		t.Fatal(err)
	}
	exported, said := exports(t), said()
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("%s: a second panel has the id %d", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if cells[[2]int{x, y}] != "" || x >= 24 {
					t.Fatalf("%s lies over %q or outside", p.Title, cells[[2]int{x, y}])
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q has no title, description, unit or query", p.ID, p.Title)
		}
		for _, target := range p.Targets {
			if err := checkQuery(target.Expr, exported, said); err != nil {
				t.Errorf("%s: %v", p.Title, err)
			}
			q, _ := readQuery(target.Expr)
			for _, m := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(q.grouped, m[1]) && m[1] != "instance" {
					t.Errorf("%s: the legend names %s, which the query drops", p.Title, m[1])
				}
			}
		}
	}
	for _, v := range board.Templating.List {
		if m := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(v.Definition); v.Definition != "" &&
			(m == nil || !slices.Contains(exported[m[1]], m[2])) {
			t.Errorf("the variable %s asks for %s", v.Name, v.Definition)
		}
	}
	if len(board.Panels) < 30 {
		t.Errorf("only %d panels", len(board.Panels))
	}
}
