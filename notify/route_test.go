package notify_test

import (
	"strings"
	"testing"

	"onmyway/notify"
)

func TestTheFirstRouteThatMatchesWins(t *testing.T) {
	routes, err := notify.CompileRoutes([]notify.Route{
		{Name: "near", Milestones: []string{"driver_arriving_pickup"}, Channels: []notify.Channel{notify.SMS}, PierceQuiet: true},
		{Name: "papers", Lines: []notify.Line{notify.TitleRegistration}, Channels: []notify.Channel{notify.Push}},
		{Name: "urgent", Urgencies: []notify.Urgency{notify.High}, Channels: []notify.Channel{notify.WebSocket, notify.SMS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		line      notify.Line
		milestone string
		want      string
	}{
		{notify.CarHaul, "driver_arriving_pickup", "near"},
		{notify.CarHaul, "picked_up", "urgent"},
		{notify.TitleRegistration, "payment_due", "papers"},
		{notify.CarHaul, "order_booked", "live page only"},
	} {
		if got := routes[notify.MilestoneOf(tt.line, tt.milestone)].Name; got != tt.want {
			t.Errorf("%s/%s takes the route %q, want %q", tt.line, tt.milestone, got, tt.want)
		}
	}
}

func TestRoutesSayAllThatIsWrong(t *testing.T) {
	_, err := notify.CompileRoutes([]notify.Route{
		{Name: "a", Channels: []notify.Channel{"fax"}, Lines: []notify.Line{"boats"}, Categories: []notify.Category{"ads"}},
		{Channels: []notify.Channel{notify.SMS}},
		{Name: "c", Urgencies: []notify.Urgency{"now"}, Milestones: []string{"picked_upp"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`routes[0].channels: "fax"`, `routes[0].lines: "boats"`, `routes[0].categories: "ads"`,
		"routes[1].name is missing", `routes[2].urgencies: "now"`, `routes[2].milestones: "picked_upp"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// The table is what operators and producers read: no name twice, a validity and a phase for every milestone.
func TestMilestones(t *testing.T) {
	total := 0
	for _, line := range notify.Lines {
		list := notify.Milestones(line)
		total += len(list)
		for i, m := range list {
			if notify.MilestoneOf(line, m.Name) != m {
				t.Errorf("%s/%s stands twice in the table", line, m.Name)
			}
			if m.Validity <= 0 || m.Phase == "" || m.Category == "" || m.Urgency == "" || m.Rank != i || m.Line != line {
				t.Errorf("%s/%s is not whole: %+v", line, m.Name, m)
			}
		}
	}
	if total != 104 {
		t.Errorf("%d milestones, want 104: a milestone that goes breaks its producers", total)
	}
}
