package mapping

import (
	"strings"

	"onmyway/notify"
)

// maxGuess is how many letters may differ between what was written and what we suggest.
const maxGuess = 4

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
	best, least := "", min(maxGuess, len(w)/2)+1
	for _, m := range notify.Milestones(line) {
		if n := distance(w, m.Name); n < least {
			best, least = m.Name, n
		}
	}
	if best == "" {
		return link
	}
	return ": did you mean " + best + "?"
}

// distance is the Levenshtein distance in bytes (V. Levenshtein, 1966), one row at a time.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
