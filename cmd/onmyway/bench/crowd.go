package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowding measures what open pages notice while very many others open, as after an outage of a network.
type crowding struct{ lab *lab }

// aside runs a program behind all others: one that stands for very many machines elsewhere.
var aside = []string{"nice", "-n", "19"}

func needsNice(*lab) string {
	if _, err := exec.LookPath(aside[0]); err != nil {
		return "its crowd must stand behind other programs: " + err.Error()
	}
	return ""
}

func (c *crowding) close() error { return nil }

func (c *crowding) round(ctx context.Context, n int) (got readings, err error) {
	count := c.lab.size(5_000, 500)
	home, err := c.lab.site(ctx, map[string]string{"http.max_sockets": strconv.Itoa(count + pages + 100)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	crowd, err := c.lab.partBy(ctx, aside, "crowd", crowdTask{Socket: home.socketURL(), Sockets: count, First: pages})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, crowd.close()) }()
	before, during := c.lab.size(4, 1), c.lab.size(6, 2) // seconds
	deck := deckTask{Events: (before+during)*rate + rate/2, Orders: 1000, People: pages, Kind: liveOnly, Run: "crowd" + strconv.Itoa(n), Seed: uint64(n)}
	load, err := c.lab.load(ctx, loadTask{
		Deck: deck, Brokers: home.brokers, Socket: home.socketURL(), Sockets: pages, Rate: rate, Warm: rate / 2, Each: true,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	if err := load.say("go"); err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(before) * time.Second)
	var storm crowdAnswer
	if err := crowd.ask("go", &storm); err != nil {
		return nil, err
	}
	var a loadAnswer
	if err := load.hear(&a); err != nil {
		return nil, err
	}
	if storm.Opened != count {
		return nil, fmt.Errorf("%d pages of %d opened in %s", storm.Opened, count, storm.Ended.Sub(storm.Began))
	}
	calm, rough := storm.split(a.Each)
	if len(calm) == 0 || len(rough) == 0 {
		return nil, errors.New("no event was published before or while the pages opened")
	}
	return readings{"crowd": {percentile(rough, 0.99), percentile(calm, 0.99)}}, errors.Join(a.check(), home.keeps(ctx, deck.Events))
}

// crowdTask is pages that open at once.
type crowdTask struct {
	Socket  string
	Sockets int
	First   int // number of the first page's customer
}

type crowdAnswer struct {
	Began, Ended time.Time // the first page was about to open, and the last one was welcome
	Opened       int
}

// split are the latencies of events that left before it began, and while it lasted, sorted.
func (a *crowdAnswer) split(list []passage) (before, during []float64) {
	var calm, rough []passage
	for _, p := range list {
		switch {
		case p.Sent.Before(a.Began):
			calm = append(calm, p)
		case p.Sent.Before(a.Ended):
			rough = append(rough, p)
		}
	}
	return latencies(calm), latencies(rough)
}

// runCrowd is the part that opens pages all at once when it is told to, and keeps them open.
func runCrowd(ctx context.Context, l *line) error {
	var task crowdTask
	l.hear(&task)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var word string
	if !l.hear(&word) {
		return nil
	}
	var opening, readers errgroup.Group
	var opened atomic.Int64
	began := time.Now()
	for i := range task.Sockets {
		opening.Go(func() error {
			p, err := openPage(ctx, task.Socket, task.First+i)
			if err != nil {
				return err
			}
			opened.Add(1)
			readers.Go(func() error { return p.read(ctx, func([]byte) {}) })
			return nil
		})
	}
	err := opening.Wait()
	if err == nil {
		err = l.say(crowdAnswer{Began: began, Ended: time.Now(), Opened: int(opened.Load())})
		l.wait()
	}
	cancel()
	return errors.Join(err, readers.Wait())
}
