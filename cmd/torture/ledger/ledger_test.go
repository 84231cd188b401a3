package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"onmyway/cmd/torture/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

func fact(order string, step int) ledger.Fact { return ledger.Fact{Order: order, Step: step} }

func inputs(facts ...ledger.Fact) (list []ledger.Input) {
	for _, f := range facts {
		list = append(list, ledger.Input{At: start, Customer: "c-" + f.Order, Phone: "+1" + f.Order, Fact: f})
	}
	return list
}

func texts(facts ...ledger.Fact) (list []ledger.Text) {
	for i, f := range facts {
		list = append(list, ledger.Text{At: at(float64(i)), To: "+1" + f.Order, Body: "Track: " + f.Link() + "."})
	}
	return list
}

func TestOnce(t *testing.T) {
	a, b, c := fact("a", 1), fact("b", 1), fact("c", 1)
	tests := map[string]struct {
		texts   []ledger.Text
		unclear map[ledger.Fact]bool
		want    ledger.Verdict
	}{
		"each once":                  {texts: texts(a, b, c)},
		"one missing":                {texts: texts(a, c), want: ledger.Verdict{Lost: []ledger.Fact{b}}},
		"one twice":                  {texts: texts(a, b, c, b), want: ledger.Verdict{Doubled: []ledger.Fact{b}}},
		"one unclear":                {texts: texts(a, c), unclear: map[ledger.Fact]bool{b: true}, want: ledger.Verdict{Unclear: []ledger.Fact{b}}},
		"unclear and there":          {texts: texts(a, b, c), unclear: map[ledger.Fact]bool{b: true}},
		"unclear does not excuse 2":  {texts: texts(a, b, b, c), unclear: map[ledger.Fact]bool{b: true}, want: ledger.Verdict{Doubled: []ledger.Fact{b}}},
		"nobody asked for it":        {texts: texts(a, b, c, fact("d", 1)), want: ledger.Verdict{Strange: 1}},
		"no link":                    {texts: append(texts(a, b, c), ledger.Text{Body: "hello"}), want: ledger.Verdict{Strange: 1}},
		"nothing at all is all lost": {want: ledger.Verdict{Lost: []ledger.Fact{a, b, c}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ledger.Once(inputs(a, b, c, a), tt.texts, tt.unclear)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLatest(t *testing.T) {
	a1, a2, a3, b1 := fact("a", 1), fact("a", 2), fact("a", 3), fact("b", 1)
	tests := map[string]struct {
		texts []ledger.Text
		want  ledger.Verdict
	}{
		"all":                 {texts: texts(a1, a2, b1, a3)},
		"only the last":       {texts: texts(a3, b1)},
		"the last is missing": {texts: texts(a1, a2, b1), want: ledger.Verdict{Lost: []ledger.Fact{a3}}},
		"backwards":           {texts: texts(a1, a3, a2, b1), want: ledger.Verdict{Fallen: []ledger.Fact{a2}}},
		"twice":               {texts: texts(a1, a1, a3, b1), want: ledger.Verdict{Doubled: []ledger.Fact{a1}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ledger.Latest(inputs(a1, a2, a3, b1), tt.texts, nil)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAfterStop(t *testing.T) {
	stop := func(s float64) ledger.Stop { return ledger.Stop{At: at(s), Phone: "+1a", On: true} }
	lift := func(s float64) ledger.Stop { return ledger.Stop{At: at(s), Phone: "+1a"} }
	tests := map[string]struct {
		stops   []ledger.Stop
		request float64
		want    int
	}{
		"before":                         {[]ledger.Stop{stop(10)}, 9, 0},
		"within the grace":               {[]ledger.Stop{stop(10)}, 10.9, 0},
		"after it":                       {[]ledger.Stop{stop(10)}, 11.1, 1},
		"lifted":                         {[]ledger.Stop{stop(10), lift(20)}, 21, 0},
		"before it was lifted":           {[]ledger.Stop{stop(10), lift(20)}, 15, 1},
		"just before it was lifted":      {[]ledger.Stop{stop(10), lift(20)}, 19.5, 0},
		"stopped again":                  {[]ledger.Stop{stop(10), lift(20), stop(30)}, 32, 1},
		"order in the file is no matter": {[]ledger.Stop{lift(20), stop(10)}, 21, 0},
		"nobody stopped":                 {nil, 5, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			requests := []ledger.Text{{At: at(tt.request), To: "+1a"}, {At: at(tt.request), To: "+1b"}}
			if got := ledger.AfterStop(tt.stops, requests, time.Second); len(got) != tt.want {
				t.Errorf("%d violations, want %d", len(got), tt.want)
			}
		})
	}
}

func push(browser string, f ledger.Fact, tag string) ledger.Push {
	return ledger.Push{Subscription: browser, Payload: fmt.Appendf(nil, `{"order_id":%q,"sequence":%d,"notification":{"tag":%q}}`, f.Order, f.Step, tag)}
}

func TestNotified(t *testing.T) {
	a, b := fact("a", 1), fact("b", 1)
	browsers := map[string]string{"x": "c-a"}
	tests := map[string]struct {
		pushes []ledger.Push
		want   ledger.Verdict
	}{
		"once":              {pushes: []ledger.Push{push("x", a, "t")}},
		"twice, shown once": {pushes: []ledger.Push{push("x", a, "t"), push("x", a, "t")}},
		"shown twice":       {pushes: []ledger.Push{push("x", a, "t"), push("x", a, "u")}, want: ledger.Verdict{Doubled: []ledger.Fact{a}}},
		"another browser's": {pushes: []ledger.Push{push("y", a, "t")}, want: ledger.Verdict{Lost: []ledger.Fact{a}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ledger.Notified(inputs(a, b), tt.pushes, browsers, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := ledger.Notified(nil, []ledger.Push{{Payload: []byte(`"no object"`)}}, browsers, false); err == nil {
		t.Error("a payload that is no notification passes")
	}
}

func TestSeen(t *testing.T) {
	one, two := fact("a", 1), fact("a", 2)
	live := func(session int, reloaded bool, f ledger.Fact) ledger.Live {
		return ledger.Live{Customer: "c-a", Session: session, Reloaded: reloaded, Fact: f}
	}
	tests := map[string]struct {
		shown  []ledger.Live
		latest bool
		want   ledger.Verdict
	}{
		"both":                        {shown: []ledger.Live{live(1, false, one), live(1, false, two)}},
		"one over REST":               {shown: []ledger.Live{live(1, false, two), live(2, true, one)}},
		"backwards on one socket":     {shown: []ledger.Live{live(1, false, two), live(1, false, one)}, want: ledger.Verdict{Fallen: []ledger.Fact{one}}},
		"backwards on two":            {shown: []ledger.Live{live(1, false, two), live(2, false, one)}},
		"missing":                     {shown: []ledger.Live{live(1, false, two)}, want: ledger.Verdict{Lost: []ledger.Fact{one}}},
		"missing, but not the latest": {shown: []ledger.Live{live(1, false, two)}, latest: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ledger.Seen(inputs(one, two), tt.shown, []string{"c-a"}, tt.latest)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.jsonl")
	if got, err := ledger.Read[ledger.Text](path); err != nil || got != nil {
		t.Fatalf("a ledger that is not there: %v, %v", got, err)
	}
	want := texts(fact("a", 1), fact("b", 2))
	for _, part := range [][]ledger.Text{want[:1], want[1:]} {
		f, err := ledger.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range part {
			if err := f.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.Write(nil); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ledger.Read[ledger.Text](path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	f, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(`{"at":`)); err != nil { // its writer died
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Read[ledger.Text](path); err == nil {
		t.Error("a ledger with half an entry passes")
	}
}

func TestStalls(t *testing.T) {
	list := []ledger.Text{{At: at(9)}, {At: at(0)}, {At: at(2)}}
	if got := ledger.Stalls(list); got != 7*time.Second {
		t.Errorf("the longest stall is %s, want 7s", got)
	}
}

func TestSlowest(t *testing.T) {
	a, b := fact("a", 1), fact("b", 1)
	list := texts(a, b, b) // at 0 s, 1 s and 2 s
	if got := ledger.Slowest(inputs(a, b), list); got != time.Second {
		t.Errorf("the slowest text took %s, want 1s", got)
	}
	if got := ledger.Until(list, at(1)); len(got) != 1 {
		t.Errorf("%d texts before the second second, want 1", len(got))
	}
}
