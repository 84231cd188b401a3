package notify

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Route says which channels milestones take. A field that is empty matches everything; the first route that matches wins.
type Route struct {
	Name        string     `yaml:"name"`
	Lines       []Line     `yaml:"lines"`
	Milestones  []string   `yaml:"milestones"`
	Categories  []Category `yaml:"categories"`
	Urgencies   []Urgency  `yaml:"urgencies"`
	Channels    []Channel  `yaml:"channels"`
	PierceQuiet bool       `yaml:"pierce_quiet"` // goes out in quiet hours too
	// ResendUnclear sends a text again when the provider can't tell whether it took it: rather twice than not at all.
	ResendUnclear bool `yaml:"resend_unclear"`
	// SMS lets the text wait for a screen to show the news first.
	SMS Escalation `yaml:"sms"`
}

// Escalation is how long a text waits for the customer to see its news on a screen: a browser with alerts, or the live page
// while it is open. Without either it does not wait. The zero value never waits.
type Escalation struct {
	After  time.Duration `yaml:"after"`
	Unless string        `yaml:"unless"` // UnlessShown, the only thing that spares a text
}

// UnlessShown is what Escalation.Unless may say.
const UnlessShown = "shown"

// longestEscalation is the most that a text waits: who looks at no screen for so long is not about to.
const longestEscalation = 10 * time.Minute

// Routes are the routes, looked up once for every milestone of the table.
type Routes map[*Milestone]*Route

// liveOnly is the route of what no route names: the live page shows every visible milestone that has words.
var liveOnly = &Route{Name: "live page only", Channels: []Channel{WebSocket}}

// CompileRoutes checks routes and resolves them for every milestone. The error names all that is wrong at once.
func CompileRoutes(list []Route) (Routes, error) {
	var errs []error
	for i := range list {
		errs = append(errs, list[i].check(i))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	routes := Routes{}
	for _, line := range Lines {
		for _, m := range Milestones(line) {
			routes[m] = liveOnly
			if i := slices.IndexFunc(list, func(r Route) bool { return r.matches(m) }); i >= 0 {
				routes[m] = &list[i]
			}
		}
	}
	return routes, nil
}

// waits tells whether the text of a milestone may wait for a screen.
func (rs Routes) waits(m *Milestone) bool {
	r := rs[m]
	return r != nil && r.SMS.After > 0
}

func (r *Route) matches(m *Milestone) bool {
	return (len(r.Lines) == 0 || slices.Contains(r.Lines, m.Line)) &&
		(len(r.Milestones) == 0 || slices.Contains(r.Milestones, m.Name)) &&
		(len(r.Categories) == 0 || slices.Contains(r.Categories, m.Category)) &&
		(len(r.Urgencies) == 0 || slices.Contains(r.Urgencies, m.Urgency))
}

func (r *Route) check(i int) error {
	where := fmt.Sprintf("routes[%d]", i)
	if r.Name == "" {
		return fmt.Errorf("%s.name is missing: give the route a name that support staff will read", where)
	}
	var errs []error
	bad := func(field, value, want string) {
		errs = append(errs, fmt.Errorf("%s.%s: %q is unknown: use %s", where, field, value, want))
	}
	for _, c := range r.Channels {
		if !slices.Contains(Channels, c) {
			bad("channels", string(c), "sms, push or websocket")
		}
	}
	for _, l := range r.Lines {
		if !slices.Contains(Lines, l) {
			bad("lines", string(l), "car_haul, drive_away or title_registration")
		}
	}
	for _, c := range r.Categories {
		if !slices.Contains(Categories, c) {
			bad("categories", string(c), "driver_alerts, progress, delays, actions or papers")
		}
	}
	for _, u := range r.Urgencies {
		if u != Low && u != Normal && u != High {
			bad("urgencies", string(u), "low, normal or high")
		}
	}
	for _, name := range r.Milestones {
		if !slices.ContainsFunc(Lines, func(l Line) bool { return MilestoneOf(l, name) != nil }) {
			bad("milestones", name, "a milestone of one of the three lines")
		}
	}
	return errors.Join(append(errs, r.checkEscalation(where))...)
}

func (r *Route) checkEscalation(where string) error {
	has := func(ch Channel) bool { return slices.Contains(r.Channels, ch) }
	switch s := r.SMS; {
	case s == Escalation{}:
		return nil
	case s.Unless != "" && s.Unless != UnlessShown:
		return fmt.Errorf("%s.sms.unless: %q is unknown: use %s", where, s.Unless, UnlessShown)
	case s.After < time.Second || s.After > longestEscalation:
		return fmt.Errorf("%s.sms.after is %s: write how long the text waits for a screen, from 1s to %s", where, s.After, longestEscalation)
	case s.Unless == "":
		return fmt.Errorf("%s.sms.unless is missing: write shown beside after", where)
	case !has(SMS):
		return fmt.Errorf("%s.sms.after: the route sends no text: add sms to its channels", where)
	case !has(Push) && !has(WebSocket):
		return fmt.Errorf("%s.sms.after: the route has no screen to wait for: add push or websocket to its channels", where)
	}
	return nil
}
