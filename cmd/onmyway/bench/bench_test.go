package bench_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/cmd/onmyway/bench"
)

func TestMedianAndSpread(t *testing.T) {
	tests := map[string]struct {
		xs             []float64
		median, spread float64
	}{
		"nothing":     {nil, 0, 0},
		"one":         {[]float64{7}, 7, 0},
		"odd":         {[]float64{9, 1, 5}, 5, 1.6},
		"even":        {[]float64{4, 1, 3, 2}, 2.5, 1.2},
		"one is wild": {[]float64{10, 10, 10, 10, 100}, 10, 9},
		"zeros":       {[]float64{0, 0}, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(tt.xs)
			if m, s := bench.Median(tt.xs), bench.Spread(tt.xs); m != tt.median || s != tt.spread {
				t.Errorf("median %g and spread %g, want %g and %g", m, s, tt.median, tt.spread)
			}
			if d := cmp.Diff(before, tt.xs); d != "" {
				t.Errorf("the rounds were put in another order:\n%s", d)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for p, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := bench.Percentile(hundred, p); got != want {
			t.Errorf("percentile %g is %g, want %g", p, got, want)
		}
	}
	if got := bench.Percentile(nil, 0.5); got != 0 {
		t.Errorf("of nothing %g", got)
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.38412: "0.3841", 31234.4: "31,234", 1234567: "1,234,567", 999.95: "1000", 12: "12"} {
		if got := bench.Number(x); got != want {
			t.Errorf("%g is written %q, want %q", x, got, want)
		}
	}
	if got := bench.Rounded(123456.7); got != 123457 {
		t.Errorf("rounded to %g", got)
	}
}

func TestVerdict(t *testing.T) {
	tests := map[string]struct {
		limit         float64
		most          bool
		values, bases []float64
		ratio         float64 // 0: none
		pass          bool
	}{
		"faster than it has to be":    {0.6, false, []float64{70, 80, 60}, []float64{100, 100, 100}, 0.7, true},
		"too slow":                    {0.6, false, []float64{50, 55, 45}, []float64{100, 100, 100}, 0.5, false},
		"quick enough":                {1.6, true, []float64{1.5, 1.6, 1.4}, []float64{1, 1, 1}, 1.5, true},
		"too late":                    {1.6, true, []float64{1.7, 1.7, 9}, []float64{1, 1, 1}, 1.7, false},
		"exactly":                     {1.6, true, []float64{1.6}, []float64{1}, 1.6, true},
		"without a baseline":          {30_000, false, []float64{31_000, 29_000, 32_000}, nil, 0, true},
		"without a baseline, missed":  {6, true, []float64{7}, nil, 0, false},
		"a baseline that has nothing": {0.6, false, []float64{50}, []float64{0}, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := bench.Conclude(tt.limit, tt.most, tt.values, tt.bases)
			if r.Pass == nil || *r.Pass != tt.pass {
				t.Errorf("pass %v, want %v", r.Pass, tt.pass)
			}
			if tt.bases != nil && (r.Ratio == nil || *r.Ratio != tt.ratio) || tt.bases == nil && r.Ratio != nil {
				t.Errorf("ratio %v, want %g", r.Ratio, tt.ratio)
			}
			if r.Rounds != len(tt.values) {
				t.Errorf("%d rounds", r.Rounds)
			}
		})
	}
	if r := bench.Conclude(0, false, []float64{1}, nil); r.Pass != nil || r.Goal != "" {
		t.Errorf("without a goal it is judged: %+v", r)
	}
}

// Every event of a deck is there once, and an order's come in their order, also as receivers read them.
func TestDeck(t *testing.T) {
	for _, size := range [][3]int{{1000, 100, 10}, {1003, 100, 500}, {50, 50, 50}, {7, 0, 0}} {
		facts, err := bench.Deck(size[0], size[1], size[2])
		if err != nil {
			t.Fatal(err)
		}
		newest := map[int]int{}
		for _, f := range facts {
			if f[0] < 0 || newest[f[0]] != f[1] {
				t.Fatalf("%v: event %d of order %d comes after %d others", size, f[1], f[0], newest[f[0]])
			}
			newest[f[0]]++
		}
		if len(facts) != size[0] {
			t.Errorf("%v: %d events", size, len(facts))
		}
	}
}

func TestNoon(t *testing.T) {
	for hour := range 24 {
		at := time.Date(2026, 11, 21, hour, 30, 0, 0, time.UTC)
		zone, err := time.LoadLocation(bench.Noon(at))
		if err != nil {
			t.Fatal(err)
		}
		if got := at.In(zone).Hour(); got != 12 {
			t.Errorf("at %d UTC it is %d there", hour, got)
		}
	}
}

func FuzzReadFact(f *testing.F) {
	f.Add([]byte(`{"order_id":"CH-b1-42","sequence":3}`))
	f.Add([]byte(`{"order_id":"`))
	f.Add([]byte(`"sequence":99999999999999999999,"order_id":"-"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if order, place, ok := bench.ReadFact(text); ok && (order < 0 || place < -1) {
			t.Errorf("order %d, place %d", order, place)
		}
	})
}

func TestWatched(t *testing.T) {
	s := time.Second
	full := []bench.Look{
		{1 * s, 50, 1}, {2 * s, 90, 2}, {4 * s, 100, 3}, {5 * s, 80, 4}, {7 * s, 110, 5}, {8 * s, 90, 6}, {9 * s, 500, 7}, {10 * s, 500, 8}, {11 * s, 500, 9}, {12 * s, 500, 10},
	}
	tests := map[string]struct {
		looks  []bench.Look
		flat   float64
		waited int
		gone   time.Duration
	}{
		"a flood":            {full, 1.1, 3, 3 * s},
		"it never ends":      {full[:8], 1.1, 3, 0},
		"nothing waits":      {[]bench.Look{{4 * s, 100, 9}, {7 * s, 50, 9}, {9 * s, 50, 10}}, 0.5, 0, 0},
		"nobody looked ever": {nil, 1, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			flat, waited, gone := bench.Watched(9*s, 10, tt.looks...)
			if flat != tt.flat || waited != tt.waited || gone != tt.gone {
				t.Errorf("memory %g, %d waited, gone after %s; want %g, %d, %s", flat, waited, gone, tt.flat, tt.waited, tt.gone)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	before, during := bench.Split(5, 10, map[time.Duration]float64{1: 3, 4: 1, 5: 9, 9: 7, 10: 100, 11: 100})
	if d := cmp.Diff([][]float64{{1, 3}, {7, 9}}, [][]float64{before, during}); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTurns(t *testing.T) {
	want := []string{"in_transit", "driver_en_route_to_pickup", "in_transit"}
	if d := cmp.Diff(want, bench.Turns(3)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestPlot(t *testing.T) {
	good := bench.Conclude(0.6, false, []float64{700}, []float64{1000})
	bad := bench.Conclude(1.6, true, []float64{90}, []float64{10})
	none := bench.Conclude(0, false, []float64{5}, nil)
	svg := bench.Plot(good, bad, none)
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("it is no SVG: %v\n%s", err, svg)
		}
	}
	if n := strings.Count(svg, "<rect"); n != 2 {
		t.Errorf("%d bars, want one for each figure with a goal", n)
	}
	if strings.Count(svg, `class="good"`) != 1 || strings.Count(svg, `class="bad"`) != 1 {
		t.Errorf("a goal that is missed does not look so:\n%s", svg)
	}
}

func TestWithinKeepsWhatPeopleWrote(t *testing.T) {
	first := bench.Within("", "one\n")
	edited := strings.Replace(first, "# Performance\n", "# Performance\n\nWhat it means.\n", 1) + "\nMore words.\n"
	second := bench.Within(edited, "two\n")
	if want := strings.Replace(edited, "one\n", "two\n", 1); second != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, second))
	}
}

// One figure from its rounds to the documents, with processes of its own.
func TestRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	rep, err := bench.Run(t.Context(), bench.Options{Names: []string{"allocs", "replay"}, Command: self, Rounds: 1, Quick: true, Err: &told})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Results) != 1 || rep.Results[0].Value <= 0 || rep.Results[0].Error != "" {
		t.Fatalf("results %+v", rep.Results)
	}
	if len(rep.Skipped) != 1 || !strings.Contains(told.String(), "SKIPPED replay") {
		t.Errorf("skipped %v, said:\n%s", rep.Skipped, told.String())
	}
	text, err := json.Marshal(rep.Results[0])
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	want := []string{"name", "value", "unit", "baseline", "baseline_value", "ratio", "goal", "pass", "rounds", "spread"}
	for _, k := range want {
		if _, there := keys[k]; !there || len(keys) != len(want) {
			t.Fatalf("the JSON is %s, want the keys %v", text, want)
		}
	}
	dir := t.TempDir()
	if err := rep.Write(dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	if err != nil || !strings.Contains(string(page), "**allocs**") {
		t.Errorf("the document: %v\n%s", err, page)
	}
}

// What a trial has prepared lives longer than a round.
func TestPrepared(t *testing.T) {
	if err := bench.Prepared(t.Context(), 2); err != nil {
		t.Error(err)
	}
}

func TestUnknownFigure(t *testing.T) {
	if _, err := bench.Run(t.Context(), bench.Options{Names: []string{"sped"}}); !errors.Is(err, bench.ErrNoFigure) {
		t.Errorf("error %v", err)
	}
}
