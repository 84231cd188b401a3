package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMetricsAreDocumented keeps docs/metrics.md the list of all metrics: run it with -update after a change. It compares
// what is described with what is really exported.
func TestMetricsAreDocumented(t *testing.T) {
	m := used()
	exported := map[string]described{}
	for _, f := range families(t, m) {
		d := described{name: f.GetName(), kind: strings.ToLower(f.GetType().String()), help: f.GetHelp()}
		for _, l := range f.GetMetric()[0].GetLabel() {
			d.labels = append(d.labels, l.GetName())
		}
		exported[d.name] = d
	}
	for _, d := range m.described {
		got, want := exported[d.name], d
		want.unit, want.labels = "", slices.Sorted(slices.Values(d.labels))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(described{})); diff != "" {
			t.Errorf("%s is described (-) in another way than it is exported (+):\n%s", d.name, diff)
		}
		delete(exported, d.name)
	}
	for name := range exported {
		t.Errorf("%s is not described", name)
	}
	const path = "../../docs/metrics.md"
	page := metricsPage(t, m.described)
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != page {
		t.Errorf("%s is not up to date (%v): go test ./cmd/onmyway -run Documented -update", path, err)
	}
}

func metricsPage(t *testing.T, all []described) string {
	var page strings.Builder
	page.WriteString(`# Metrics

` + "`GET /metrics` on `ops.addr`" + `, in the format of Prometheus. Besides these there are the usual ones of a Go process (` + "`go_…`, `process_…`" + `).
A dashboard for Grafana is ` + "`deploy/grafana/onmyway.json`, alert rules are `deploy/prometheus/alerts.yaml`; [operating.md](operating.md#alarms)" + `
says what to do about each. No label holds an id, a number or a text of a person; what is not known counts as ` + "`other`" + `.

| metric | type | unit | labels | |
|---|---|---|---|---|
`)
	labelled := map[string]bool{}
	for _, d := range all {
		var labels []string
		for _, l := range d.labels {
			labels = append(labels, "`"+l+"`")
			labelled[l] = true
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", d.name, d.kind, d.unit, strings.Join(labels, ", "), d.help)
	}
	page.WriteString("\n## Labels\n\n| label | |\n|---|---|\n")
	for _, l := range labelHelp {
		fmt.Fprintf(&page, "| `%s` | %s |\n", l.label, l.says)
		if !labelled[l.label] {
			t.Errorf("no metric has the label %s", l.label)
		}
		delete(labelled, l.label)
	}
	for l := range labelled {
		t.Errorf("the label %s is not explained", l)
	}
	page.WriteString(`
## Messages by state

` + "`onmyway_messages_total`" + ` counts moves, so only samples of one state add up to a number of messages:

- ` + "`pending`: made; with the reason `quiet_hours`, `screen_first` or `capped` it is held. A retry counts again, with the reason of the failed attempt" + `
- ` + "`suppressed`: decided not to send, with the reason. `seen_on_screen` and `digested` count when they happen; what newer news, an opt-out or its age stops later, while it waits in SQL, does not" + `
- ` + "`sent`: shown to the live page. `accepted`: the provider took it. `verify`: that is unclear. `failed`: it never will" + `
- ` + "`delivered`, `undelivered`: what the provider reported later, each move once. How an unclear text was settled counts as a move too; `onmyway_settlements_total` has those alone" + `
`)
	return page.String()
}
