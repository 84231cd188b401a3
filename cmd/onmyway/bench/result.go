package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Result is one figure as it was measured.
type Result struct {
	Name          string   `json:"name"`
	Value         float64  `json:"value"` // the median of the rounds
	Unit          string   `json:"unit"`
	Baseline      string   `json:"baseline"`       // what it is measured against; empty for nothing
	BaselineValue *float64 `json:"baseline_value"` // the median of its rounds
	Ratio         *float64 `json:"ratio"`          // of the two medians
	Goal          string   `json:"goal"`           // of the ratio, or of the value where there is no baseline; empty for none
	Pass          *bool    `json:"pass"`           // null where nothing is judged
	Rounds        int      `json:"rounds"`
	Spread        float64  `json:"spread"`          // of the rounds: (most - least) / median, of what the goal is about
	Error         string   `json:"error,omitempty"` // why there is no value: a round was wrong

	what   string
	margin float64 // how far on the good side of the goal: 1 is the goal itself; 0 without a goal
}

// goal is what a figure should reach. The zero goal asks nothing.
type goal struct {
	limit  float64
	atMost bool
	value  bool // it is about the value itself, although there is a baseline
}

func atLeast(limit float64) goal { return goal{limit: limit} }

func atMost(limit float64) goal { return goal{limit: limit, atMost: true} }

func (g goal) String() string {
	if g.limit == 0 {
		return ""
	}
	sign := ">="
	if g.atMost {
		sign = "<="
	}
	return sign + " " + strconv.FormatFloat(g.limit, 'f', -1, 64)
}

// margin is 1 at the goal and more on its good side.
func (g goal) margin(x float64) float64 {
	switch {
	case g.limit == 0 || x <= 0:
		return 0
	case g.atMost:
		return g.limit / x
	}
	return x / g.limit
}

// reading is what one round says of a figure: the product's value and the baseline's.
type reading struct{ value, base float64 }

// readings are those of one round, by the name of the figure.
type readings map[string]reading

// conclude makes a result of all rounds of a figure. Without a verdict nothing passes or fails.
func (f *figure) conclude(rounds []reading, verdict bool) Result {
	values, bases, ratios := make([]float64, len(rounds)), make([]float64, len(rounds)), make([]float64, len(rounds))
	for i, r := range rounds {
		values[i], bases[i] = r.value, r.base
		if r.base > 0 {
			ratios[i] = r.value / r.base
		}
	}
	res := f.result()
	res.Rounds, res.Value, res.Spread = len(rounds), rounded(median(values)), rounded(spread(values))
	judged := median(values)
	if f.baseline != "" {
		base := median(bases)
		ratio := 0.0
		if base > 0 {
			ratio = judged / base
		}
		if !f.goal.value {
			judged, res.Spread = ratio, rounded(spread(ratios))
		}
		base, ratio = rounded(base), rounded(ratio)
		res.BaselineValue, res.Ratio = &base, &ratio
	}
	res.margin = f.goal.margin(judged)
	if verdict && f.goal.limit > 0 {
		pass := res.margin >= 1
		res.Pass = &pass
	}
	return res
}

// failed is the result of a figure that has no value.
func (f *figure) failed(why error) Result {
	res, pass := f.result(), false
	res.Error, res.Pass = why.Error(), &pass
	return res
}

func (f *figure) result() Result {
	return Result{Name: f.name, Unit: f.unit, Baseline: f.baseline, Goal: f.goal.String(), what: f.what}
}

// median is the middle of xs, or the mean of the two in the middle; 0 of nothing.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(xs))
	mid := len(s) / 2
	if len(s)%2 == 1 {
		return s[mid]
	}
	return (s[mid-1] + s[mid]) / 2
}

// spread is how far xs lie apart, in parts of their median; 0 when there is none.
func spread(xs []float64) float64 {
	m := median(xs)
	if m == 0 {
		return 0
	}
	return (slices.Max(xs) - slices.Min(xs)) / m
}

// percentile is the value below which a part p of xs lies, which must be sorted; 0 of nothing.
func percentile(xs []float64, p float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	at := int(math.Ceil(p*float64(len(xs)))) - 1
	return xs[min(max(at, 0), len(xs)-1)]
}

// rounded keeps four digits that count, which is more than any of this repeats.
func rounded(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	digits := 3 - int(math.Floor(math.Log10(math.Abs(x))))
	if digits <= 0 {
		return math.Round(x)
	}
	scale := math.Pow(10, float64(digits))
	return math.Round(x*scale) / scale
}

// number writes a figure for people: 31,200 and 0.384.
func number(x float64) string {
	if math.Abs(x) < 1000 {
		return strconv.FormatFloat(rounded(x), 'f', -1, 64)
	}
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
