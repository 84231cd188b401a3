package notify_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func TestOutlook(t *testing.T) {
	noon := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC) // in Los Angeles
	night := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC) // 23:00
	morning := time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)
	quiet := &notify.QuietHours{Start: 22 * 60, End: 8 * 60}
	dana := func(change func(p *notify.Profile)) *notify.Profile {
		p := &notify.Profile{Customer: notify.Customer{ID: "c-42", Contact: notify.Contact{Phone: "+14155550123", TimeZone: "America/Los_Angeles"}}}
		change(p)
		return p
	}
	for _, test := range []struct {
		name  string
		p     *notify.Profile
		rules func(r *notify.Rules)
		now   time.Time
		cat   notify.Category
		ch    notify.Channel
		want  notify.Outlook
	}{
		{"nothing in the way", dana(func(*notify.Profile) {}), nil, noon, notify.DriverAlerts, notify.SMS, notify.Outlook{Prospect: notify.WouldSend}},
		{"turned off", dana(func(p *notify.Profile) { p.Preferences.Channels = map[notify.Channel]bool{notify.SMS: false} }), nil, noon,
			notify.DriverAlerts, notify.SMS, notify.Outlook{Prospect: notify.WouldNot, Reason: notify.OptedOut}},
		{"no number", dana(func(p *notify.Profile) { p.Phone = "" }), nil, noon,
			notify.DriverAlerts, notify.SMS, notify.Outlook{Prospect: notify.WouldNot, Reason: notify.NoAddress}},
		{"no device", dana(func(*notify.Profile) {}), nil, noon,
			notify.Delays, notify.Push, notify.Outlook{Prospect: notify.WouldNot, Reason: notify.NoAddress}},
		{"channel off", dana(func(*notify.Profile) {}), func(r *notify.Rules) { r.Channels = map[notify.Channel]bool{} }, noon,
			notify.Delays, notify.SMS, notify.Outlook{Prospect: notify.WouldNot, Reason: notify.ChannelOff}},
		{"held", dana(func(p *notify.Profile) { p.Preferences.Quiet = quiet }), func(r *notify.Rules) { noPierce(r) }, night,
			notify.Actions, notify.SMS, notify.Outlook{Prospect: notify.WouldHold, Reason: notify.Quiet, Until: morning}},
		{"the live page knows no quiet hours", dana(func(p *notify.Profile) { p.Preferences.Quiet = quiet }), func(r *notify.Rules) { noPierce(r) }, night,
			notify.Actions, notify.WebSocket, notify.Outlook{Prospect: notify.WouldSend}},
		{"off by default", dana(func(*notify.Profile) {}), func(r *notify.Rules) {
			r.Defaults = notify.Defaults{notify.Delays: {notify.SMS: true}}
		}, noon, notify.Delays, notify.SMS, notify.Outlook{Prospect: notify.WouldNot, Reason: notify.OffByDefault}},
		{"asked for", dana(func(p *notify.Profile) {
			p.Preferences.Categories = map[notify.Category]map[notify.Channel]bool{notify.Delays: {notify.SMS: true}}
		}), func(r *notify.Rules) {
			r.Defaults = notify.Defaults{notify.Delays: {notify.SMS: true}}
		}, noon, notify.Delays, notify.SMS, notify.Outlook{Prospect: notify.WouldSend}},
		{"no route", dana(func(*notify.Profile) {}), func(r *notify.Rules) { r.Routes = liveOnly(t) }, noon,
			notify.Delays, notify.SMS, notify.Outlook{Prospect: notify.WouldNot, Reason: notify.NotRouted}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules(t)
			if test.rules != nil {
				test.rules(r)
			}
			all := r.Outlook(test.p, test.now)
			if len(all) != len(notify.Categories)*len(notify.Channels) {
				t.Fatalf("%d outlooks", len(all))
			}
			test.want.Category, test.want.Channel = test.cat, test.ch
			for _, got := range all {
				if got.Category == test.cat && got.Channel == test.ch {
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Error(diff)
					}
				}
			}
		})
	}
}

// noPierce makes every route respect quiet hours.
func noPierce(r *notify.Rules) {
	for m, route := range r.Routes {
		calm := *route
		calm.PierceQuiet = false
		r.Routes[m] = &calm
	}
}

func liveOnly(t *testing.T) notify.Routes {
	t.Helper()
	routes, err := notify.CompileRoutes(nil)
	if err != nil {
		t.Fatal(err)
	}
	return routes
}
