package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/templates"
)

// TestETA follows the promises of one order: which new arrival time is told, and what the customer was told last.
func TestETA(t *testing.T) {
	base := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return base.Add(time.Duration(minutes) * time.Minute) }
	window := func(start, end int) notify.Window { return notify.Window{Start: at(start), End: at(end)} }
	for _, test := range []struct {
		name  string
		kind  string
		told  notify.Window
		eta   string
		texts int
		after notify.Window
	}{
		{"first promise", "eta_updated", notify.Window{}, eta(at(60), at(120)), 1, window(60, 120)},
		{"nearly the same", "eta_updated", window(60, 120), eta(at(80), at(140)), 0, window(60, 120)},
		{"just at the threshold", "eta_updated", window(60, 120), eta(at(90), at(150)), 0, window(60, 120)},
		{"more than the threshold", "eta_updated", window(60, 120), eta(at(91), at(151)), 1, window(91, 151)},
		{"earlier", "eta_updated", window(60, 120), eta(at(20), at(80)), 1, window(20, 80)},
		{"the end moves", "eta_updated", window(60, 120), eta(at(60), at(200)), 1, window(60, 200)},
		{"a moment inside of what was told", "eta_updated", window(60, 120), moment(at(90)), 0, window(60, 120)},
		{"a moment that leaves what was told", "eta_updated", window(60, 70), moment(at(75)), 1, window(75, 75)},
		{"a moment that moves a little", "eta_updated", window(60, 60), moment(at(65)), 0, window(60, 60)},
		{"a moment that comes a little earlier", "eta_updated", window(60, 60), moment(at(55)), 0, window(60, 60)},
		{"a moment that moves a lot", "eta_updated", window(60, 60), moment(at(95)), 1, window(95, 95)},
		{"another milestone is always told", "delayed", window(60, 120), eta(at(61), at(121)), 1, window(61, 121)},
		{"another milestone without a promise", "delayed", window(60, 120), `{}`, 1, window(60, 120)},
		{"no promise at all", "eta_updated", window(60, 120), `{}`, 1, window(60, 120)},
		{"nonsense", "eta_updated", window(60, 120), `{"eta":"soon"}`, 1, window(60, 120)},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules(t)
			r.ETAThreshold = 30 * time.Minute
			all := notify.Route{Name: "all", Channels: []notify.Channel{notify.WebSocket, notify.SMS}}
			r.Routes = notify.Routes{}
			ms := notify.MilestoneOf(notify.CarHaul, test.kind)
			r.Routes[ms] = &all
			facts, err := templates.ParseFacts([]byte(test.eta))
			if err != nil {
				t.Fatal(err)
			}
			e := &notify.Event{OrderID: "CH-1", CustomerID: "c-1", Line: notify.CarHaul, Milestone: ms, Sequence: 9, OccurredAt: base, Facts: facts,
				Customer: &notify.Contact{Phone: "+14155550123"}}
			h := &notify.Head{OrderID: "CH-1", Line: notify.CarHaul, Milestone: "picked_up", Sequence: 8, OccurredAt: base, Told: test.told}
			var d notify.Decision
			notify.Decide(e, h, &notify.Profile{}, r, base, &d)
			if len(d.Messages) != test.texts {
				t.Errorf("%d texts, want %d; not sent: %v", len(d.Messages), test.texts, d.Stored.NotSent)
			}
			if d.Stored.State != notify.Sent {
				t.Errorf("the live page does not show it: %s", d.Stored.Reason)
			}
			if !d.Head.Told.Start.Equal(test.after.Start) || !d.Head.Told.End.Equal(test.after.End) {
				t.Errorf("told is %v, want %v", d.Head.Told, test.after)
			}
		})
	}
}

// What only the live page shows has been told to those who get no texts and alerts, and to nobody else.
func TestToldIsHeard(t *testing.T) {
	base := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	shown := notify.Window{Start: base.Add(time.Hour), End: base.Add(2 * time.Hour)}
	all := &notify.Route{Name: "all", Channels: []notify.Channel{notify.WebSocket, notify.Push, notify.SMS}}
	page := &notify.Route{Name: "page", Channels: []notify.Channel{notify.WebSocket}}
	night := &notify.QuietHours{Start: 18 * 60, End: 17 * 60} // outlasts the news
	off := func(ch notify.Channel) func(p *notify.Profile) {
		return func(p *notify.Profile) { p.Preferences.Channels = map[notify.Channel]bool{ch: false} }
	}
	for _, test := range []struct {
		name   string
		kind   string
		way    *notify.Route // of the event; that of arrivals takes all channels
		change func(p *notify.Profile)
		told   bool
	}{
		{"by text", "eta_updated", all, func(*notify.Profile) {}, true},
		{"by alert", "eta_updated", all, func(p *notify.Profile) { p.Phone, p.Subscriptions = "", []notify.Subscription{{ID: "a"}} }, true},
		{"no number, no device", "eta_updated", all, func(p *notify.Profile) { p.Phone = "" }, true},
		{"texts are off", "eta_updated", all, off(notify.SMS), true},
		{"asleep", "eta_updated", all, func(p *notify.Profile) { p.Preferences.Quiet, p.TimeZone = night, "UTC" }, false},
		{"on the page alone, awake", "delayed", page, func(*notify.Profile) {}, false},
		{"on the page alone, with a device", "delayed", page, func(p *notify.Profile) { p.Phone, p.Subscriptions = "", []notify.Subscription{{ID: "a"}} }, false},
		{"on the page alone, no number", "delayed", page, func(p *notify.Profile) { p.Phone = "" }, true},
		{"on no page", "delayed", page, off(notify.WebSocket), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules(t)
			moved := notify.MilestoneOf(notify.CarHaul, "eta_updated")
			ms := notify.MilestoneOf(notify.CarHaul, test.kind)
			r.Routes = notify.Routes{moved: all, ms: test.way}
			facts, err := templates.ParseFacts([]byte(eta(shown.Start, shown.End)))
			if err != nil {
				t.Fatal(err)
			}
			e := &notify.Event{OrderID: "CH-1", CustomerID: "c-1", Line: notify.CarHaul, Milestone: ms, OccurredAt: base, Facts: facts}
			p := &notify.Profile{Customer: notify.Customer{ID: "c-1", Contact: notify.Contact{Phone: "+14155550123"}}}
			test.change(p)
			var d notify.Decision
			notify.Decide(e, &notify.Head{OrderID: "CH-1", Line: notify.CarHaul}, p, r, base, &d)
			want := notify.Window{}
			if test.told {
				want = shown
			}
			if d.Head.Told != want {
				t.Errorf("told is %v, want %v; %d messages, not sent: %v", d.Head.Told, want, len(d.Messages), d.Stored.NotSent)
			}
		})
	}
}

// A correction says what it corrects, and only what was told.
func TestCorrections(t *testing.T) {
	base := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return base.Add(time.Duration(minutes) * time.Minute) }
	const before = `{"pickup_window":"2026-11-23T17:00:00Z","driver_name":"Alex Moreno"}`
	tests := []struct {
		name, milestone, data string
		told                  notify.Window
		says                  string
		not                   string
	}{
		{"another arrival", "eta_updated", eta(at(120), at(180)), notify.Window{Start: at(60), End: at(90)}, "instead of", ""},
		{"the first arrival", "eta_updated", eta(at(120), at(180)), notify.Window{}, "New time", "instead of"},
		{"nearly the same arrival", "delayed", eta(at(61), at(91)), notify.Window{Start: at(60), End: at(90)}, "New time", "instead of"},
		{"another pickup", "pickup_window_changed", `{"pickup_window":"2026-11-24T17:00:00Z"}`, notify.Window{}, "instead of Mon, Nov 23", ""},
		{"the same pickup", "pickup_window_changed", `{"pickup_window":"2026-11-23T17:00:00Z"}`, notify.Window{}, "Nov 23", "instead of"},
		{"another driver", "driver_assigned", `{"driver_name":"Sam Rivera"}`, notify.Window{}, "Sam drives instead of Alex", ""},
		{"the same driver", "driver_assigned", `{"driver_name":"Alex Moreno"}`, notify.Window{}, "Alex", "instead of"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			facts, err := templates.ParseFacts([]byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			ms := notify.MilestoneOf(notify.CarHaul, test.milestone)
			r := rules(t)
			r.ETAThreshold = 30 * time.Minute
			r.Routes = notify.Routes{ms: {Name: "all", Channels: []notify.Channel{notify.WebSocket, notify.SMS}}}
			e := &notify.Event{OrderID: "CH-1", CustomerID: "c-1", Line: notify.CarHaul, Milestone: ms, Sequence: 9, OccurredAt: base, Facts: facts,
				Customer: &notify.Contact{Phone: "+14155550123"}}
			h := &notify.Head{OrderID: "CH-1", Line: notify.CarHaul, Milestone: "order_booked", Sequence: 8, OccurredAt: base, Facts: []byte(before), Told: test.told}
			var d notify.Decision
			notify.Decide(e, h, &notify.Profile{}, r, base, &d)
			if d.Stored.State != notify.Sent {
				t.Fatalf("not shown: %+v", d.Stored)
			}
			said := d.Stored.Title + " / " + d.Stored.Body
			for _, m := range d.Messages {
				said += " / " + m.Body
			}
			if !strings.Contains(said, test.says) || test.not != "" && strings.Contains(said, test.not) {
				t.Errorf("it says %q, want %q and not %q", said, test.says, test.not)
			}
		})
	}
}

func eta(start, end time.Time) string {
	return fmt.Sprintf(`{"eta":{"start":%q,"end":%q}}`, start.Format(time.RFC3339), end.Format(time.RFC3339))
}

func moment(at time.Time) string { return fmt.Sprintf(`{"eta":%q}`, at.Format(time.RFC3339)) }
