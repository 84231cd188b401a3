package mapping

import (
	"strings"

	"onmyway/notify"
)

// suggestion continues the sentence "is not a milestone of car_haul" with what may have been meant. It never repeats
// what was written.
func suggestion(line notify.Line, written string) string {
	const link = ": see the list of milestones"
	if len(written) > 64 {
		return link
	}
	w := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(written)))
	for _, other := range notify.Lines {
		if other != line && notify.MilestoneOf(other, w) != nil && notify.MilestoneOf(line, w) == nil {
			return ", it is one of " + string(other) + ": check line"
		}
	}
	var names []string
	for _, m := range notify.Milestones(line) {
		names = append(names, m.Name)
	}
	if near, ok := notify.Nearest(w, names); ok {
		return ": did you mean " + near + "?"
	}
	return link
}
