package demo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/cmd/onmyway/demo"
	"onmyway/notify"
)

func TestJudge(t *testing.T) {
	text := demo.Key{Channel: notify.SMS, Address: "+14155550123", Order: "CH-1", Sequence: 2}
	push := demo.Key{Channel: notify.Push, Address: "browser", Order: "CH-1", Sequence: 2}
	live := demo.Key{Channel: notify.WebSocket, Address: "c-1", Order: "CH-1", Sequence: 2}
	due := []demo.Key{text, push, live}
	got := func(k demo.Key, id string) demo.Arrival {
		return demo.Arrival{Channel: k.Channel, Address: k.Address, Order: k.Order, Sequence: k.Sequence, ID: id}
	}
	all := []demo.Arrival{got(text, "t"), got(push, "p"), got(live, "l")}
	stranger := demo.Key{Channel: notify.SMS, Address: "+12125550100", Order: "CH-1", Sequence: 2}
	tests := []struct {
		name                  string
		got                   []demo.Arrival
		held                  map[demo.Key]bool
		lost, doubled, strays []demo.Key
	}{
		{name: "everything once", got: all},
		{name: "nothing", lost: due},
		{name: "a text is missing", got: all[1:], lost: []demo.Key{text}},
		{name: "a text is missing and held", got: all[1:], held: map[demo.Key]bool{text: true}},
		{name: "a text is held and came all the same", got: all, held: map[demo.Key]bool{text: true}},
		{name: "a text came twice under its own id", got: append(slices.Clone(all), got(text, "t")), doubled: []demo.Key{text}},
		{name: "a text that is held came twice", got: append(slices.Clone(all), got(text, "t")), held: map[demo.Key]bool{text: true}, doubled: []demo.Key{text}},
		{name: "a push came again under its own id: seen once", got: append(slices.Clone(all), got(push, "p"))},
		{name: "a push came again under another id", got: append(slices.Clone(all), got(push, "q")), doubled: []demo.Key{push}},
		{name: "a live message came again: seen once", got: append(slices.Clone(all), got(live, "l"))},
		{name: "a live message came again under another id", got: append(slices.Clone(all), got(live, "m")), doubled: []demo.Key{live}},
		{name: "a text to somebody else, twice: named once", got: append(slices.Clone(all), got(stranger, "x"), got(stranger, "y")), strays: []demo.Key{stranger}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lost, doubled, strays := demo.Judge(due, tt.got, tt.held)
			for _, c := range []struct {
				name      string
				want, got []demo.Key
			}{{"lost", tt.lost, lost}, {"doubled", tt.doubled, doubled}, {"strays", tt.strays, strays}} {
				if diff := cmp.Diff(c.want, c.got); diff != "" {
					t.Errorf("%s differ (-want +got):\n%s", c.name, diff)
				}
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	ms := func(n ...int) (d []time.Duration) {
		for _, i := range n {
			d = append(d, time.Duration(i)*time.Millisecond)
		}
		return d
	}
	tests := []struct {
		name   string
		sorted []time.Duration
		p      float64
		want   int
	}{
		{"of nothing", nil, 0.5, 0},
		{"of one", ms(7), 0.99, 7},
		{"median of an odd number", ms(1, 2, 9), 0.5, 2},
		{"median of an even number is the lower one", ms(1, 2, 3, 4), 0.5, 2},
		{"p99 of a few is the largest", ms(1, 2, 3, 4), 0.99, 4},
		{"p99 of a hundred leaves one out", func() []time.Duration {
			var d []time.Duration
			for i := range 100 {
				d = append(d, ms(i+1)...)
			}
			return d
		}(), 0.99, 99},
		{"all of them", ms(1, 2), 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := demo.Percentile(tt.sorted, tt.p); got != time.Duration(tt.want)*time.Millisecond {
				t.Errorf("%s, want %d ms", got, tt.want)
			}
		})
	}
}

func TestLatencyIsToTheFirstArrival(t *testing.T) {
	at := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	a := demo.Arrival{At: at.Add(9 * time.Millisecond), Channel: notify.Push, Address: "b", Order: "CH-1", Sequence: 1}
	again := a
	again.At = at.Add(5 * time.Millisecond)
	unknown := demo.Arrival{At: at, Channel: notify.SMS, Order: "CH-2", Sequence: 1}
	got := demo.Latencies([]demo.Arrival{a, again, unknown}, map[demo.EventKey]time.Time{{Order: "CH-1", Sequence: 1}: at})
	want := map[notify.Channel][]time.Duration{notify.Push: {5 * time.Millisecond}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("latencies differ (-want +got):\n%s", diff)
	}
	if n := demo.Counts([]demo.Arrival{a, again, unknown}); n[notify.Push] != 1 || n[notify.SMS] != 1 {
		t.Errorf("counts %v, want each thing once", n)
	}
}
