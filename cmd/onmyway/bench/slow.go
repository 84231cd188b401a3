package bench

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// slowProvider measures what pages notice of a provider that takes its time: nothing, it should be. More texts come than it
// can take with the lanes that there are, so that they pile up.
type slowProvider struct{ lab *lab }

const (
	slowDelay = 2 * time.Second
	textRate  = 100 // texts a second; 128 lanes carry 64 at that delay
)

func (s *slowProvider) close() error { return nil }

func (s *slowProvider) round(ctx context.Context, n int) (readings, error) {
	quick, err := s.beside(ctx, 0, n)
	if err != nil {
		return nil, err
	}
	slow, err := s.beside(ctx, slowDelay, n)
	if err != nil {
		return nil, err
	}
	return readings{"slow-provider": {slow, quick}}, nil
}

// beside is the p99 of pages while texts leave to a provider with a delay.
func (s *slowProvider) beside(ctx context.Context, delay time.Duration, n int) (p99 float64, err error) {
	home, err := s.lab.textingSite(ctx, delay, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	seconds := s.lab.size(8, 2)
	count := seconds * textRate
	sends, err := s.lab.load(ctx, loadTask{
		Deck: deckTask{Events: count, First: pages, Kind: byText, Run: "slow" + strconv.Itoa(n), Seed: uint64(n)}, Brokers: home.brokers, Rate: textRate,
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, sends.close()) }()
	if err := sends.say("go"); err != nil {
		return 0, err
	}
	deck := (&steady{s.lab}).deck(n)
	shown, err := home.loaded(ctx, s.lab, loadTask{Deck: deck, Rate: rate, Warm: rate / 2})
	if err != nil {
		return 0, err
	}
	if _, err := home.end(ctx, deck.Events+count); err != nil {
		return 0, err
	}
	_, err = home.texted(count)
	return shown.P99, errors.Join(err, home.keeps(ctx, deck.Events+count),
		home.rows.expect(ctx, count, `SELECT COUNT(*) FROM messages WHERE channel = 'sms' AND state = 'accepted'`))
}
