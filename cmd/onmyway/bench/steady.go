package bench

import (
	"context"
	"errors"
	"strconv"
	"time"
)

const rate = 1000 // events a second of the figures about latency and processor time

// steady measures at a rate that the machine carries with ease: how long an event takes, and what it costs.
type steady struct{ lab *lab }

func (s *steady) close() error { return nil }

// calm is what came of one run at the rate.
type calm struct {
	p50, p99 float64 // ms
	cpu      float64 // µs of the process that is measured, for each event
}

func (s *steady) deck(n int) deckTask {
	seconds := s.lab.size(8, 2)
	return deckTask{Events: (seconds + 1) * rate, Orders: 1000, People: pages, Kind: liveOnly, Run: "s" + strconv.Itoa(n), Seed: uint64(n)}
}

func (s *steady) round(ctx context.Context, n int) (readings, error) {
	bare, err := s.consumer(ctx, n)
	if err != nil {
		return nil, err
	}
	ours, err := s.product(ctx, n)
	if err != nil {
		return nil, err
	}
	relayed, err := s.relay(ctx, n)
	if err != nil {
		return nil, err
	}
	return readings{"p50": {ours.p50, bare.p50}, "p99": {ours.p99, bare.p99}, "cpu": {ours.cpu, relayed.cpu}}, nil
}

// run sends the deck at the rate, and reads the processor time of whom meanwhile; nil for nobody.
func (s *steady) run(ctx context.Context, task loadTask, whom *process) (c calm, err error) {
	task.Rate, task.Warm = rate, rate/2
	load, err := s.lab.load(ctx, task)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	before, err := used(whom)
	if err != nil {
		return c, err
	}
	var a loadAnswer
	if err := load.ask("go", &a); err != nil {
		return c, err
	}
	after, err := used(whom)
	events := float64(task.Deck.Events - task.Warm)
	return calm{a.P50, a.P99, float64((after - before).Microseconds()) / events}, errors.Join(err, a.check())
}

func used(p *process) (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	return p.cpu()
}

// consumer is the baseline of latency: the load itself reads the topic.
func (s *steady) consumer(ctx context.Context, n int) (c calm, err error) {
	return s.beside(ctx, func(brokers string) (calm, error) {
		return s.run(ctx, loadTask{Deck: s.deck(n), Brokers: brokers, Consumer: true, Group: "bare"}, nil)
	})
}

// relay is the baseline of processor time.
func (s *steady) relay(ctx context.Context, n int) (c calm, err error) {
	return s.beside(ctx, func(brokers string) (c calm, err error) {
		r, err := s.lab.part(ctx, "relay", relayTask{Brokers: brokers, Group: "relay"})
		if err != nil {
			return c, err
		}
		defer func() { err = errors.Join(err, r.close()) }()
		var at relayAnswer
		if err := r.hear(&at); err != nil {
			return c, err
		}
		return s.run(ctx, loadTask{Deck: s.deck(n), Brokers: brokers, Socket: at.URL, Sockets: pages}, r)
	})
}

// beside runs something on fresh engines without the product.
func (s *steady) beside(ctx context.Context, run func(brokers string) (calm, error)) (c calm, err error) {
	dir, err := s.lab.folder()
	if err != nil {
		return c, err
	}
	var alone site
	defer func() { err = errors.Join(err, alone.close()) }()
	if _, err := alone.startEngines(ctx, s.lab, dir); err != nil {
		return c, err
	}
	return run(alone.brokers)
}

func (s *steady) product(ctx context.Context, n int) (c calm, err error) {
	home, err := s.lab.site(ctx, nil)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	deck := s.deck(n)
	c, err = s.run(ctx, loadTask{Deck: deck, Brokers: home.brokers, Socket: home.socketURL(), Sockets: pages}, home.product.process)
	if err != nil {
		return c, err
	}
	_, err = home.rows.stored(ctx, deck.Events)
	return c, errors.Join(err, home.rows.expect(ctx, deck.Events, `SELECT COUNT(*) FROM events WHERE state = 'sent'`))
}
