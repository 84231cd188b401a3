package ledger

import (
	"maps"
	"slices"
	"time"
)

// Verdict is what ledgers say about a run. Facts are sorted.
type Verdict struct {
	Lost    []Fact // never told, and not known to be unclear
	Doubled []Fact // texts of which the provider accepted more than one
	Unclear []Fact // not told, and the service says so: left to staff
	Fallen  []Fact // told after a later step of the same order had been told
	Strange int    // entries that answer no input
}

// Add puts the findings of another verdict to those of v.
func (v *Verdict) Add(w Verdict) {
	v.Lost = append(v.Lost, w.Lost...)
	v.Doubled = append(v.Doubled, w.Doubled...)
	v.Unclear = append(v.Unclear, w.Unclear...)
	v.Fallen = append(v.Fallen, w.Fallen...)
	v.Strange += w.Strange
}

// Once judges texts of which each input must have led to exactly one. Unclear tells the facts that the service itself says
// it is unclear about: they may be missing, and must not be there twice.
func Once(inputs []Input, texts []Text, unclear map[Fact]bool) Verdict {
	wanted := factsOf(inputs)
	told, strange := tally(texts, wanted)
	v := Verdict{Strange: strange, Doubled: repeated(told)}
	v.miss(wanted, told, unclear)
	v.sort()
	return v
}

// Latest judges texts about orders that went on while they were told: a step may be passed over for a newer one, none
// may come twice or after a later one, and the last of every order must be there.
func Latest(inputs []Input, texts []Text, unclear map[Fact]bool) Verdict {
	wanted := factsOf(inputs)
	told, strange := tally(texts, wanted)
	v := Verdict{Strange: strange, Doubled: repeated(told), Fallen: fallen(factsTold(texts))}
	v.miss(lastOf(wanted), told, unclear)
	v.sort()
	return v
}

// miss notes which of the wanted facts were not told.
func (v *Verdict) miss(wanted map[Fact]bool, told map[Fact]int, unclear map[Fact]bool) {
	for f := range wanted {
		switch {
		case told[f] > 0:
		case unclear[f]:
			v.Unclear = append(v.Unclear, f)
		default:
			v.Lost = append(v.Lost, f)
		}
	}
}

func (v *Verdict) sort() {
	for _, list := range [][]Fact{v.Lost, v.Doubled, v.Unclear, v.Fallen} {
		slices.SortFunc(list, compare)
	}
}

func compare(a, b Fact) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

func factsOf(inputs []Input) map[Fact]bool {
	facts := make(map[Fact]bool, len(inputs))
	for i := range inputs {
		facts[inputs[i].Fact] = true
	}
	return facts
}

// tally counts the texts that answer inputs; strange counts the others.
func tally(texts []Text, wanted map[Fact]bool) (told map[Fact]int, strange int) {
	told = make(map[Fact]int, len(texts))
	for i := range texts {
		if f, ok := texts[i].Fact(); ok && wanted[f] {
			told[f]++
		} else {
			strange++
		}
	}
	return told, strange
}

func repeated(told map[Fact]int) (list []Fact) {
	for f, n := range told {
		if n > 1 {
			list = append(list, f)
		}
	}
	return list
}

func factsTold(texts []Text) (facts []Fact) {
	for i := range texts {
		if f, ok := texts[i].Fact(); ok {
			facts = append(facts, f)
		}
	}
	return facts
}

// lastOf keeps the last step of every order.
func lastOf(facts map[Fact]bool) map[Fact]bool {
	last := map[string]int{}
	for f := range facts {
		last[f.Order] = max(last[f.Order], f.Step)
	}
	keep := make(map[Fact]bool, len(last))
	for order, step := range last {
		keep[Fact{order, step}] = true
	}
	return keep
}

// fallen finds what was told after a later step of its order. Facts are in the order in which they were told.
func fallen(facts []Fact) (list []Fact) {
	last := map[string]int{}
	for _, f := range facts {
		if f.Step < last[f.Order] {
			list = append(list, f)
		}
		last[f.Order] = max(last[f.Order], f.Step)
	}
	return list
}

// Stalls returns the longest time in which no text was accepted, between the first and the last.
func Stalls(texts []Text) (longest time.Duration) {
	times := make([]time.Time, len(texts))
	for i := range texts {
		times[i] = texts[i].At
	}
	slices.SortFunc(times, time.Time.Compare)
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest
}

// Until keeps the texts that were accepted before a time.
func Until(texts []Text, end time.Time) (list []Text) {
	for i := range texts {
		if texts[i].At.Before(end) {
			list = append(list, texts[i])
		}
	}
	return list
}

// Slowest returns the longest time from an input to the first text about it.
func Slowest(inputs []Input, texts []Text) (longest time.Duration) {
	told := map[Fact]time.Time{}
	for i := range texts {
		if f, ok := texts[i].Fact(); ok && (told[f].IsZero() || texts[i].At.Before(told[f])) {
			told[f] = texts[i].At
		}
	}
	for i := range inputs {
		if at, ok := told[inputs[i].Fact]; ok {
			longest = max(longest, at.Sub(inputs[i].At))
		}
	}
	return longest
}

// AfterStop finds requests to numbers that had answered STOP, later than grace after it was confirmed.
func AfterStop(stops []Stop, requests []Text, grace time.Duration) (violations []Text) {
	by := map[string][]Stop{}
	for _, s := range stops {
		by[s.Phone] = append(by[s.Phone], s)
	}
	for _, list := range maps.All(by) {
		slices.SortStableFunc(list, func(a, b Stop) int { return a.At.Compare(b.At) })
	}
	for _, r := range requests {
		if stopped(by[r.To], r.At, grace) {
			violations = append(violations, r)
		}
	}
	return violations
}

// stopped tells whether a number had said STOP, more than grace before at, and had not said START since.
func stopped(said []Stop, at time.Time, grace time.Duration) bool {
	out := false
	for _, s := range said {
		switch {
		case s.On && s.At.Add(grace).Before(at):
			out = true
		case !s.On && s.At.Before(at.Add(grace)): // a START may take effect before its answer is there
			out = false
		}
	}
	return out
}
