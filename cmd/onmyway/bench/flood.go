package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"
)

// flooding measures what happens when more comes for a minute than can be stored: it waits in Kafka, and nowhere else.
type flooding struct{ lab *lab }

const (
	// mostFlood bounds the records of a flood, which Kafka and the load have in memory: 600 bytes each.
	mostFlood = 3_000_000
	// leastFlood is how much of twice the rate the load must reach: it shares the machine with what it floods.
	leastFlood = 0.75
)

func (f *flooding) close() error { return nil }

func (f *flooding) round(ctx context.Context, n int) (got readings, err error) {
	// The service gets half of the processors: on all of them the load would take from it what the flood needs, and the rate
	// would not be the same in the flood and after it.
	home, err := f.lab.site(ctx, nil, "GOMAXPROCS="+strconv.Itoa(max(1, runtime.NumCPU()/2)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	usual, err := home.flow(ctx, f.lab, throughputDeck(f.lab, n))
	if err != nil {
		return nil, err
	}
	twice := int(2 * min(usual.stored, usual.shown))
	deck := deckTask{ // other people than before, see halving
		Events: min(f.lab.size(60, 6)*twice, mostFlood), Orders: f.lab.size(20_000, 2_000), People: pages, First: pages, Kind: byTurns,
		Run: "flood" + strconv.Itoa(n), Seed: uint64(n),
	}
	all := usual.events + deck.Events
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan vitals, 1)
	go func() { watched <- home.vitals(watching, all) }()
	a, err := home.loaded(ctx, f.lab, loadTask{Deck: deck, Rate: twice})
	if err == nil {
		err = home.keeps(ctx, all)
		time.Sleep(2 * pulse) // in which the watch sees it too
	}
	stop()
	v := <-watched
	if err = errors.Join(err, v.fault); err != nil {
		return nil, err
	}
	reached := float64(deck.Events) / a.Published.Sub(a.Began).Seconds()
	if reached < leastFlood*float64(twice) {
		return nil, fmt.Errorf("the load published %s events/s, and a flood here is %s: the machine is busy with something else", number(reached), number(float64(twice)))
	}
	waited, gone := v.backlog(a.Published, all)
	return readings{
		"flood": {value: v.flat(a.Began, a.Published)}, "flood-health": {value: v.health.Seconds()},
		"flood-lag": {gone.Seconds(), float64(waited) * 2 / float64(twice)},
	}, nil
}
