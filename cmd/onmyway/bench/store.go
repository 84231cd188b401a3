package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
)

// pages is how many live pages are open while events flow.
const pages = 500

// storing measures the whole path with everything on, against a writer of the same rows.
type storing struct{ lab *lab }

func (s *storing) close() error { return nil }

// deck of the throughput figures: events of 20,000 orders in random order.
func throughputDeck(l *lab, n int) deckTask {
	return deckTask{
		Events: l.size(100_000, 10_000), Orders: l.size(20_000, 2_000), People: pages, Kind: liveOnly,
		Run: "b" + strconv.Itoa(n), Seed: uint64(n),
	}
}

func (s *storing) round(ctx context.Context, n int) (got readings, err error) {
	home, err := s.lab.site(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	flow, err := home.flow(ctx, s.lab, throughputDeck(s.lab, n))
	if err != nil {
		return nil, err
	}
	if err := home.product.close(); err != nil { // its file is whole, and it takes nothing from the baseline
		return nil, err
	}
	home.product = nil
	bare, err := s.baseline(ctx, home, flow.events)
	if err != nil {
		return nil, err
	}
	return readings{"store": {flow.stored, bare}, "live": {value: flow.shown}}, nil
}

// flowing is what one run of many events came to, a second.
type flowing struct {
	events        int
	stored, shown float64
}

// flow lets a deck flow to open pages as fast as it goes, and checks what the pages and the database have.
func (s *site) flow(ctx context.Context, l *lab, d deckTask) (f flowing, err error) {
	const warm = 200 // connections, prepared statements and caches are made once, not for every event
	d.Events += warm
	load, err := l.load(ctx, loadTask{Deck: d, Brokers: s.brokers, Topic: s.topic, Socket: s.socketURL(), Sockets: pages, Warm: warm})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	if _, err := s.rows.stored(ctx, warm); err != nil {
		return f, err
	}
	if err := load.say("go"); err != nil {
		return f, err
	}
	stored, err := s.rows.stored(ctx, d.Events)
	if err != nil {
		return f, err
	}
	var a loadAnswer
	if err := load.hear(&a); err != nil {
		return f, err
	}
	n := float64(d.Events - warm)
	f = flowing{events: d.Events, stored: n / stored.Sub(a.Began).Seconds(), shown: n / a.Last.Sub(a.Began).Seconds()}
	return f, errors.Join(a.check(), s.rows.expect(ctx, d.Events, `SELECT COUNT(*) FROM events`),
		s.rows.expect(ctx, d.Events, `SELECT COUNT(*) FROM events WHERE state = 'sent'`))
}

// baseline writes the rows of the product again, rows a second.
func (s *storing) baseline(ctx context.Context, home *site, events int) (float64, error) {
	a, err := s.lab.rewrite(ctx, home, false)
	if err != nil {
		return 0, err
	}
	if a.Events != events {
		return 0, fmt.Errorf("the batch writer has %d rows, and should have %d", a.Events, events)
	}
	return float64(a.Events) / a.Seconds, nil
}

// rewrite lets the bare batch writer write what a product on SQLite has written.
func (l *lab) rewrite(ctx context.Context, home *site, texts bool) (a writerAnswer, err error) {
	w, err := l.part(ctx, "writer", writerTask{
		From: filepath.Join(home.dir, "onmyway.db"), To: filepath.Join(home.dir, "bare.db"), Texts: texts,
	})
	if err != nil {
		return a, err
	}
	return a, errors.Join(w.hear(&a), w.close())
}
