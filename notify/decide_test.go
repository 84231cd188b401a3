package notify_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/notify"
	"onmyway/templates"
)

func TestDecide(t *testing.T) {
	type want struct {
		live    notify.State
		reason  notify.Reason
		to      []notify.Channel
		notSent []notify.NotSent
	}
	quietNight := &notify.QuietHours{Start: 22 * 60, End: 8 * 60}
	phone := func(p *notify.Profile) { p.Phone = "+14155550123" }
	tests := []struct {
		name      string
		milestone string
		change    func(e *notify.Event, h *notify.Head, p *notify.Profile, r *notify.Rules)
		want      want
	}{
		{"phone and no device", "driver_en_route_to_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) { phone(p) },
			want{notify.Sent, "", []notify.Channel{notify.SMS}, []notify.NotSent{{notify.Push, notify.NoAddress}}}},
		{"two devices and no phone", "driver_en_route_to_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) {
				p.Subscriptions = []notify.Subscription{{ID: "a"}, {ID: "b"}}
			},
			want{notify.Sent, "", []notify.Channel{notify.Push, notify.Push}, []notify.NotSent{{notify.SMS, notify.NoAddress}}}},
		{"texts turned off", "driver_en_route_to_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) {
				phone(p)
				p.Preferences.Channels = map[notify.Channel]bool{notify.SMS: false}
			},
			want{notify.Sent, "", nil, []notify.NotSent{{notify.Push, notify.NoAddress}, {notify.SMS, notify.OptedOut}}}},
		{"driver alerts turned off for texts", "driver_en_route_to_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) {
				phone(p)
				p.Preferences.Categories = map[notify.Category]map[notify.Channel]bool{notify.DriverAlerts: {notify.SMS: false}}
			},
			want{notify.Sent, "", nil, []notify.NotSent{{notify.Push, notify.NoAddress}, {notify.SMS, notify.OptedOut}}}},
		{"channel not set up", "driver_en_route_to_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, r *notify.Rules) {
				phone(p)
				r.Channels = map[notify.Channel]bool{}
			},
			want{notify.Sent, "", nil, []notify.NotSent{{notify.Push, notify.ChannelOff}, {notify.SMS, notify.ChannelOff}}}},
		{"quiet hours outlast the text", "driver_en_route_to_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) {
				phone(p)
				p.TimeZone, p.Preferences.Quiet = "Asia/Tokyo", quietNight
			},
			want{notify.Sent, "", nil, []notify.NotSent{{notify.Push, notify.Quiet}, {notify.SMS, notify.Quiet}}}},
		{"an arriving driver pierces quiet hours", "driver_arriving_pickup",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) {
				phone(p)
				p.TimeZone, p.Preferences.Quiet = "Asia/Tokyo", quietNight
			},
			want{notify.Sent, "", []notify.Channel{notify.SMS}, []notify.NotSent{{notify.Push, notify.NoAddress}}}},
		{"nobody is told internal steps", "posted_to_carriers",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) { phone(p) },
			want{notify.Suppressed, notify.NotVisible, nil, nil}},
		{"older than what is known", "driver_en_route_to_pickup",
			func(e *notify.Event, h *notify.Head, p *notify.Profile, _ *notify.Rules) {
				phone(p)
				e.Sequence = 3
				h.Milestone, h.Sequence, h.OccurredAt, h.Version = "picked_up", 4, noon.Add(-time.Hour), 1
			},
			want{notify.Suppressed, notify.Stale, nil, nil}},
		{"no longer true", "driver_arriving_pickup",
			func(e *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) {
				phone(p)
				e.OccurredAt = noon.Add(-15 * time.Minute)
			},
			want{notify.Suppressed, notify.Expired, nil, nil}},
		{"live page only", "order_booked",
			func(_ *notify.Event, _ *notify.Head, p *notify.Profile, _ *notify.Rules) { phone(p) },
			want{notify.Sent, "", nil, nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event(1, noon)
			e.Customer, e.Milestone = nil, notify.MilestoneOf(notify.CarHaul, tt.milestone)
			h := notify.Head{OrderID: e.OrderID, Line: e.Line}
			p := notify.Profile{Customer: notify.Customer{ID: e.CustomerID}}
			r := rules(t)
			tt.change(&e, &h, &p, r)
			var d notify.Decision
			notify.Decide(&e, &h, &p, r, noon, &d)
			got := want{live: d.Stored.State, reason: d.Stored.Reason, notSent: d.Stored.NotSent}
			for _, m := range d.Messages {
				got.to = append(got.to, m.Channel)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("decision differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQuietHoursHoldATextThatStaysTrue(t *testing.T) {
	e := event(1, noon)
	e.Milestone = notify.MilestoneOf(notify.CarHaul, "picked_up") // true for 12 hours
	p := notify.Profile{Customer: notify.Customer{ID: e.CustomerID, Preferences: notify.Preferences{Quiet: &notify.QuietHours{Start: 22 * 60, End: 8 * 60}}}}
	p.TimeZone = "Asia/Tokyo"
	e.Customer.TimeZone = ""
	var d notify.Decision
	notify.Decide(&e, &notify.Head{}, &p, rules(t), noon, &d)
	if len(d.Messages) != 1 {
		t.Fatalf("%d messages, want the text", len(d.Messages))
	}
	m, want := d.Messages[0], time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC) // 08:00 in Tokyo
	if !m.DueAt.Equal(want) || m.Reason != notify.Quiet || m.State != notify.Pending {
		t.Errorf("due %s, state %s, reason %s; want held until %s", m.DueAt, m.State, m.Reason, want)
	}
}

// A page that can't be written takes no text with it, whichever the route names first.
func TestTextDoesNotDependOnThePage(t *testing.T) {
	words, err := templates.Load(fstest.MapFS{"driver_en_route_to_pickup/en.txt": {Data: []byte(
		"--- sms\nYour driver is on the way.\n--- title\nOn the way\n--- body\nComing {{ eta | window }}.\n")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, channels := range [][]notify.Channel{{notify.WebSocket, notify.SMS}, {notify.SMS, notify.WebSocket}} {
		r := rules(t)
		r.Words = words
		e := event(1, noon)
		e.Data, e.Facts = nil, nil
		r.Routes[e.Milestone] = &notify.Route{Name: "both", Channels: channels}
		var d notify.Decision
		notify.Decide(&e, &notify.Head{}, &notify.Profile{Customer: notify.Customer{Contact: notify.Contact{Phone: "+14155550123"}}}, r, noon, &d)
		if len(d.Messages) != 1 || d.Stored.Reason != notify.InvalidTemplate {
			t.Errorf("%v: %d texts, live page %s %s, not sent %v; want the text alone", channels, len(d.Messages), d.Stored.State, d.Stored.Reason, d.Stored.NotSent)
		}
	}
}

func TestLearn(t *testing.T) {
	tests := []struct {
		name  string
		known notify.Customer
		older bool
		want  string
	}{
		{"from nothing", notify.Customer{}, false, "+14155550001"},
		{"what an event said before", notify.Customer{Contact: notify.Contact{Phone: "+12125550100"}}, false, "+14155550001"},
		{"not what was written by REST", notify.Customer{ByAPI: true, Contact: notify.Contact{Phone: "+12125550100"}}, false, "+12125550100"},
		{"a blank that REST left", notify.Customer{ByAPI: true}, false, "+14155550001"},
		{"nothing from a late event", notify.Customer{Contact: notify.Contact{Phone: "+12125550100"}}, true, "+12125550100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, h := event(1, noon), notify.Head{}
			if tt.older {
				h = notify.Head{Milestone: "picked_up", Sequence: 9}
			}
			var d notify.Decision
			notify.Decide(&e, &h, &notify.Profile{Customer: tt.known}, rules(t), noon, &d)
			if d.Customer.Phone != tt.want || d.Learned != (d.Customer.Contact != tt.known.Contact) {
				t.Errorf("phone %q, learned %v; want %q", d.Customer.Phone, d.Learned, tt.want)
			}
		})
	}
}

// Whatever the order in which the events of an order come, nothing older is ever told after something newer, and the head
// ends at the newest.
func TestDecideNeverGoesBack(t *testing.T) {
	r := rules(t)
	all := notify.Milestones(notify.CarHaul)
	rapid.Check(t, func(rt *rapid.T) {
		sequences := rapid.SliceOfN(rapid.Int64Range(1, 30), 1, 40).Draw(rt, "sequences")
		head, told := notify.Head{OrderID: "CH-1", Line: notify.CarHaul}, int64(0)
		for i, seq := range sequences {
			e := event(1, noon)
			e.Sequence, e.Milestone = seq, all[rapid.IntRange(0, len(all)-1).Draw(rt, "milestone")]
			e.OccurredAt = noon.Add(time.Duration(rapid.IntRange(-5, 5).Draw(rt, "skew")) * time.Minute) // clocks lie
			var d notify.Decision
			notify.Decide(&e, &head, &notify.Profile{}, r, noon.Add(time.Minute), &d)
			head = d.Head
			if d.Stored.State == notify.Sent || len(d.Messages) > 0 {
				if seq < told {
					rt.Fatalf("step %d told sequence %d after %d", i, seq, told)
				}
				told = seq
			}
		}
		if newest := slices.Max(sequences); head.Sequence != newest {
			rt.Fatalf("head at %d, want %d", head.Sequence, newest)
		}
	})
}

func TestFactsStayWithTheOrder(t *testing.T) {
	first := event(1, noon)
	first.Milestone = notify.MilestoneOf(notify.CarHaul, "driver_assigned")
	first.Data = []byte(`{"driver_name":"Sam","vehicle":"2021 Honda Civic","eta":{"start":"2026-11-21T20:00:00Z","end":"2026-11-21T21:00:00Z"}}`)
	first.Facts = facts(t, first.Data)
	var d notify.Decision
	notify.Decide(&first, &notify.Head{OrderID: first.OrderID, Line: first.Line}, &notify.Profile{}, rules(t), noon, &d)
	head := d.Head
	second := event(1, noon.Add(time.Minute))
	second.Sequence = 2
	notify.Decide(&second, &head, &notify.Profile{}, rules(t), noon.Add(time.Minute), &d)
	if len(d.Messages) != 1 || !strings.Contains(d.Messages[0].Body, "Sam") || !strings.Contains(d.Messages[0].Body, "Civic") {
		t.Fatalf("messages %+v do not name the driver and the car that an earlier event told", d.Messages)
	}
	if strings.Contains(d.Messages[0].Body, "12:") {
		t.Errorf("%q promises the time of an earlier event", d.Messages[0].Body)
	}
}
