package bench

import (
	"context"
	"io"
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

// preparing is a trial that fails when what it has prepared is stopped.
type preparing struct{ until context.Context }

func (p *preparing) prepare(ctx context.Context) error {
	p.until = ctx
	return nil
}

func (p *preparing) round(context.Context, int) (readings, error) { return nil, p.until.Err() }
func (p *preparing) close() error                                 { return p.until.Err() }

// Prepared runs rounds of a trial, and returns an error when what it prepared was stopped before the last one ended.
func Prepared(ctx context.Context, rounds int) error {
	l := &lab{Options: Options{Rounds: rounds}, progress: &progress{out: io.Discard}}
	_, err := l.measure(ctx, &trial{figures: []figure{{name: "x"}}, open: func(*lab) rounder { return &preparing{} }})
	return err
}

// Plot draws results.
func Plot(results ...Result) string { return (&Report{Results: results}).plot() }

// Look is what was seen of a service at a time after the beginning.
type Look struct {
	At     time.Duration
	Memory int64
	Stored int
}

// Watched is what looks say of a flood that began at 0 and ended after a time.
func Watched(ended time.Duration, all int, looks ...Look) (flat float64, waited int, gone time.Duration) {
	var v vitals
	began := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, l := range looks {
		v.list = append(v.list, vital{began.Add(l.At), l.Memory, l.Stored})
	}
	waited, gone = v.backlog(began.Add(ended), all)
	return v.flat(began, began.Add(ended)), waited, gone
}

// Split tells the latencies before a crowd that came at one time, and while it came until another.
func Split(began, ended time.Duration, sent map[time.Duration]float64) (before, during []float64) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var list []passage
	for at, took := range sent {
		list = append(list, passage{noon.Add(at), took})
	}
	return (&crowdAnswer{Began: noon.Add(began), Ended: noon.Add(ended)}).split(list)
}

// Turns are the milestones of an order's first events.
func Turns(n int) (list []string) {
	for place := range n {
		list = append(list, (&deckTask{Kind: byTurns}).milestone(place))
	}
	return list
}
