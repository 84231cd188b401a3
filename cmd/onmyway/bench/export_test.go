package bench

import (
	"time"
)

// What the tests of this package look into.
var (
	Median     = median
	Spread     = spread
	Percentile = percentile
	Rounded    = rounded
	Number     = number
	Within     = within
	ReadFact   = readFact
	Noon       = noon
)

// Conclude makes the result of a figure with a baseline, or without one where all its values are 0.
func Conclude(limit float64, most bool, values, bases []float64) Result {
	f := figure{name: "x", goal: goal{limit: limit, atMost: most}}
	rounds := make([]reading, len(values))
	for i := range rounds {
		rounds[i].value = values[i]
		if bases != nil {
			f.baseline, rounds[i].base = "b", bases[i]
		}
	}
	return f.conclude(rounds, true)
}

// Deck returns the order and the place of every event of a deck, as they are read back from its records.
func Deck(events, orders, people int) (facts [][2]int, err error) {
	d, err := newDeck(deckTask{Events: events, Orders: orders, People: people, Kind: liveOnly, Run: "x-1"}, time.Now())
	if err != nil {
		return nil, err
	}
	for i := range d.records {
		order, place, ok := readFact(d.records[i].Value)
		if !ok || d.slot(order, place) != d.slot(int(d.order[i]), int(d.place[i])) {
			order = -1
		}
		facts = append(facts, [2]int{order, place})
	}
	return facts, nil
}

// Plot draws results.
func Plot(results ...Result) string { return (&Report{Results: results}).plot() }
