package demo_test

import (
	"testing"
	"time"

	"onmyway/cmd/onmyway/demo"
	"onmyway/notify"
	"onmyway/notify/mapping"
)

func TestWrittenInput(t *testing.T) {
	for _, n := range []int{1, 2, 7, 300, 5000} {
		ids, repeats, due := demo.Written(n)
		seen := map[string]bool{}
		for _, id := range ids {
			seen[id] = true
		}
		if len(seen) != n || len(ids) != n+repeats || repeats == 0 {
			t.Errorf("%d events: %d published, %d different, %d repeats", n, len(ids), len(seen), repeats)
		}
		if n >= 1000 && (repeats < n*3/100 || repeats > n*7/100) {
			t.Errorf("%d events: %d repeats, want about one in twenty", n, repeats)
		}
		keys := map[demo.Key]bool{}
		loud := map[string]int64{}
		for _, k := range due {
			if keys[k] {
				t.Errorf("%d events: %v is due twice", n, k)
			}
			keys[k] = true
			if before, there := loud[k.Order]; k.Channel != notify.WebSocket && there && before != k.Sequence {
				t.Errorf("%d events: order %s has two milestones for the phone", n, k.Order)
			}
			if k.Channel != notify.WebSocket {
				loud[k.Order] = k.Sequence
			}
		}
	}
}

// What the narrator tells can be understood, has words on the way, and has a late and a repeated event now and then.
func TestStoriesAreEvents(t *testing.T) {
	records, again := demo.Told(400)
	newest, late, repeats := map[string]int64{}, 0, 0
	for i := range records {
		var e notify.Event
		if err := mapping.Decode(&records[i], time.Now(), &e); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
		if !e.Milestone.Visible {
			t.Errorf("%s is not for customers", e.Milestone.Name)
		}
		switch {
		case again[i]:
			repeats++
		case e.Sequence < newest[e.OrderID]:
			late++
		}
		newest[e.OrderID] = max(newest[e.OrderID], e.Sequence)
	}
	if late == 0 || repeats == 0 {
		t.Errorf("%d late and %d repeated of %d", late, repeats, len(records))
	}
}
