package bench

import (
	"fmt"
	"strings"
)

// Table is the report for people: rows of cells, the first one the head.
func (r *Report) Table() [][]string {
	rows := [][]string{{"FIGURE", "VALUE", "UNIT", "BASELINE", "RATIO", "GOAL", "", "ROUNDS", "SPREAD", "WHAT"}}
	for i := range r.Results {
		res := &r.Results[i]
		if res.Error != "" {
			rows = append(rows, []string{res.Name, "-", res.Unit, "-", "-", res.Goal, res.verdict(), "0", "-", res.what})
			continue
		}
		rows = append(rows, []string{
			res.Name, number(res.Value), res.Unit, maybe(res.BaselineValue), maybe(res.Ratio), res.Goal, res.verdict(),
			fmt.Sprint(res.Rounds), percent(res.Spread), res.description(),
		})
	}
	for _, s := range r.Skipped {
		rows = append(rows, []string{s.Name, "-", "", "-", "-", "", "skipped", "0", "-", s.Why})
	}
	return rows
}

func (r *Result) verdict() string {
	switch {
	case r.Error != "":
		return "WRONG"
	case r.Pass == nil:
		return ""
	case *r.Pass:
		return "ok"
	}
	return "MISSED"
}

func (r *Result) description() string {
	if r.Baseline == "" {
		return r.what
	}
	return r.what + ", against " + r.Baseline
}

func maybe(x *float64) string {
	if x == nil {
		return "-"
	}
	return number(*x)
}

func percent(x float64) string { return strings.TrimSpace(fmt.Sprintf("%.0f %%", 100*x)) }
