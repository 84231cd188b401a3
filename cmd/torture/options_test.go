package main

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown flag":     {"-nonsense"},
		"argument":         {"R1"},
		"scenario":         {"-run", "R99"},
		"scale":            {"-scale", "0"},
		"broker":           {"-kafka", "rabbit"},
		"database":         {"-db", "oracle"},
		"format":           {"-o", "xml"},
		"control":          {"-controls", "-run", "bad_luck"},
		"number of seeds":  {"-seeds", "0"},
		"no broker for it": {"-kafka", "real"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("ONMYWAY_TEST_KAFKA", "")
			if code := run(args); code == 0 {
				t.Errorf("torture %s: exit code 0", strings.Join(args, " "))
			}
		})
	}
	if code := run([]string{"-list"}); code != 0 {
		t.Errorf("torture -list: exit code %d", code)
	}
}

// TestScheduleFollowsFromTheSeed: what failed can be run again.
func TestScheduleFollowsFromTheSeed(t *testing.T) {
	draw := func(seed uint64) []strike {
		w := &world{random: rand.New(rand.NewPCG(seed, 7))}
		return w.standstills(40, 3)
	}
	if diff := cmp.Diff(draw(5), draw(5), cmp.AllowUnexported(strike{})); diff != "" {
		t.Errorf("one seed, two schedules:\n%s", diff)
	}
	if cmp.Equal(draw(5), draw(6), cmp.AllowUnexported(strike{})) {
		t.Error("two seeds, one schedule")
	}
	pauses := 0
	for _, s := range draw(5) {
		if s.pause > 0 {
			pauses++
		}
	}
	if pauses != 20 {
		t.Errorf("%d pauses of 40 faults, want half", pauses)
	}
}

func TestFigures(t *testing.T) {
	const page = "# HELP x\nonmyway_events_total{outcome=\"repeated\",topic=\"a\"} 3\nonmyway_events_total{outcome=\"repeated\",topic=\"b\"} 4\n" +
		"onmyway_events_total{outcome=\"stored\",topic=\"a\"} 5\nonmyway_events_totally 9\ngo_goroutines 12\n"
	for _, tt := range []struct {
		figure figure
		want   float64
	}{{repeats, 7}, {figure{"onmyway_events_total", nil}, 12}, {goroutines, 12}, {stale, 0}} {
		if got := tt.figure.sum(page); got != tt.want {
			t.Errorf("%v is %g, want %g", tt.figure, got, tt.want)
		}
	}
}

func TestResultIsTold(t *testing.T) {
	r := result{ID: "R1", Seed: 7, Promise: "nothing is lost", Failures: []string{"3 × text lost"}, Evidence: "/tmp/x", Counters: map[string]float64{"faults": 2}}
	var out bytes.Buffer
	r.tell(&out)
	for _, want := range []string{"nothing is lost", "3 × text lost", "-run R1 -seed 7", "faults"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if r.verdict() != "FAIL" {
		t.Errorf("verdict %s", r.verdict())
	}
}
