package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The account at the stub. None of it opens anything anywhere.
const (
	stubAccount = "AC00000000000000000000000000000001"
	stubToken   = "00000000000000000000000000000002"
	stubSender  = "+14155550100"
)

// texting measures texts, with every one of their states durable.
type texting struct{ lab *lab }

func (t *texting) close() error { return nil }

func (t *texting) round(ctx context.Context, n int) (got readings, err error) {
	count := t.lab.size(12_000, 2_000)
	home, err := t.lab.textingSite(ctx, 0, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	sent, err := home.text(ctx, t.lab, count, n)
	if err != nil {
		return nil, err
	}
	if err := home.product.close(); err != nil {
		return nil, err
	}
	home.product = nil
	bare, err := t.lab.rewrite(ctx, home.site, true)
	if err != nil {
		return nil, err
	}
	if bare.Texts != count {
		return nil, fmt.Errorf("the batch writer has %d texts, and should have %d", bare.Texts, count)
	}
	loop, err := t.loop(ctx, home, count)
	if err != nil {
		return nil, err
	}
	return readings{"sms": {sent.rate, float64(count) / bare.Seconds}, "sms-loop": {sent.rate, loop}}, nil
}

// loop is the rate of a loop that stores nothing.
func (t *texting) loop(ctx context.Context, home *textingSite, count int) (perSecond float64, err error) {
	p, err := t.lab.part(ctx, "twilio", loopTask{URL: home.url, Count: count})
	if err != nil {
		return 0, err
	}
	var a loopAnswer
	if err := errors.Join(p.hear(&a), p.close()); err != nil {
		return 0, err
	}
	_, err = home.texted(count)
	return float64(count) / a.Seconds, err
}

// textingSite is a site with a provider of texts.
type textingSite struct {
	*site
	stub *process
	url  string // of the stub
}

// textingSite starts one whose provider takes its time.
func (l *lab) textingSite(ctx context.Context, delay time.Duration, settings map[string]string) (s *textingSite, err error) {
	s = &textingSite{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.stub, err = l.part(ctx, "stub", stubTask{Delay: delay}); err != nil {
		return s, err
	}
	var at stubAnswer
	if err := s.stub.hear(&at); err != nil {
		return s, err
	}
	s.url = at.URL
	all := map[string]string{
		"sms.twilio.account_sid": stubAccount, "sms.twilio.auth_token": stubToken, "sms.twilio.from": stubSender, "sms.twilio.base_url": s.url,
	}
	for key, value := range settings {
		all[key] = value
	}
	s.site, err = l.site(ctx, all)
	return s, err
}

// close closes the site and its stub.
func (s *textingSite) close() error {
	var err error
	if s.site != nil {
		err = s.site.close()
	}
	if s.stub != nil {
		err = errors.Join(err, s.stub.close())
	}
	s.stub = nil
	return err
}

// texted checks that as many people got one text each.
func (s *textingSite) texted(count int) (counts, error) {
	var c counts
	if err := s.stub.ask("count", &c); err != nil {
		return c, err
	}
	if c.Texts != count || c.Numbers != count {
		return c, fmt.Errorf("the provider got %d texts to %d numbers, and should have got one to each of %d", c.Texts, c.Numbers, count)
	}
	return c, nil
}

// texts is what came of a run of texts.
type texts struct {
	rate   float64 // a second, from the first event until every state is durable
	memory []int64 // of the product on the way, in bytes
}

// text sends one text to each of count people.
func (s *textingSite) text(ctx context.Context, l *lab, count, n int) (t texts, err error) {
	load, err := l.load(ctx, loadTask{
		Deck: deckTask{Events: count, Kind: byText, Run: "t" + strconv.Itoa(n), Seed: uint64(n)}, Brokers: s.brokers,
	})
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	var a loadAnswer
	if err := load.ask("go", &a); err != nil {
		return t, err
	}
	watching, stop := context.WithCancel(ctx)
	watched := make(chan []int64)
	go func() { watched <- s.product.watch(watching) }()
	end, err := s.end(ctx, count)
	stop()
	t.memory = <-watched
	if err != nil {
		return t, err
	}
	t.rate = float64(count) / end.Sub(a.Began).Seconds()
	if _, err := s.texted(count); err != nil {
		return t, err
	}
	return t, s.rows.expect(ctx, count, `SELECT COUNT(*) FROM messages WHERE channel = 'sms' AND state = 'accepted'`)
}

func (s *textingSite) end(ctx context.Context, count int) (time.Time, error) {
	if at, err := s.rows.stored(ctx, count); err != nil {
		return at, err
	}
	return s.rows.settled(ctx)
}

// watch notes the memory of a process until ctx ends, ten times a second; nothing where nobody tells it.
func (p *process) watch(ctx context.Context) (list []int64) {
	for {
		n, err := p.memory()
		if err != nil {
			<-ctx.Done()
			return nil
		}
		list = append(list, n)
		select {
		case <-ctx.Done():
			return list
		case <-time.After(100 * time.Millisecond):
		}
	}
}
