package bench

import (
	"context"
	"errors"
	"strconv"
)

// halving measures how long an event takes when the machine has half of the work that it can carry.
type halving struct{ lab *lab }

func (h *halving) close() error { return nil }

func (h *halving) round(ctx context.Context, n int) (got readings, err error) {
	home, err := h.lab.site(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	most, err := home.flow(ctx, h.lab, throughputDeck(h.lab, n))
	if err != nil {
		return nil, err
	}
	seconds, half := h.lab.size(8, 2), max(int(most.shown/2), 1)
	deck := deckTask{ // other people: a page that opens is shown what its customer was told a moment ago
		Events: (seconds+1)*half - half/2, Orders: h.lab.size(20_000, 2_000), People: pages, First: pages, Kind: liveOnly,
		Run: "half" + strconv.Itoa(n), Seed: uint64(n),
	}
	a, err := home.loaded(ctx, h.lab, loadTask{Deck: deck, Rate: half, Warm: half / 2})
	if err != nil {
		return nil, err
	}
	return readings{"half": {value: a.P99}}, home.keeps(ctx, most.events+deck.Events)
}

// loaded lets a load run at pages of the site, and checks what they got.
func (s *site) loaded(ctx context.Context, l *lab, task loadTask) (a loadAnswer, err error) {
	task.Brokers, task.Socket, task.Sockets = s.brokers, s.socketURL(), pages
	load, err := l.load(ctx, task)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	if err := load.ask("go", &a); err != nil {
		return a, err
	}
	return a, a.check()
}

// keeps checks that as many events are in the database, all of them shown.
func (s *site) keeps(ctx context.Context, events int) error {
	if _, err := s.rows.stored(ctx, events); err != nil {
		return err
	}
	return errors.Join(s.rows.expect(ctx, events, `SELECT COUNT(*) FROM events`),
		s.rows.expect(ctx, events, `SELECT COUNT(*) FROM events WHERE state = 'sent'`))
}
