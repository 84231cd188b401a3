package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// The pace of Play.
const (
	stepEvery  = 1300 * time.Millisecond // between two events
	firstSteps = 300 * time.Millisecond  // for the first few, so that nobody waits for something to see
	fasterBy   = 10
	watchEvery = 100 * time.Millisecond // how often the service is asked what it decided
	countEvery = 250 * time.Millisecond // how often the counters move
	deadFor    = time.Second            // how long a killed service stays away
)

// Play shows the demo on a page and in the terminal until ctx ends.
func Play(ctx context.Context, o Options) (err error) {
	l, err := listen(ctx, o.Addr)
	if err != nil {
		return err
	}
	defer l.Close()
	hosts := pageHosts(l.Addr().String())
	s := newStage(newTerminal(o.Out, o.Color), time.Now)
	fmt.Fprintln(o.Err, "starting the service and everything around it")
	o.reports = true
	w, err := open(ctx, o, hosts, s.hear)
	if err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	p := &play{world: w, stage: s, buyers: people(), kills: make(chan struct{}, 1)}
	if o.Kafka != "" || o.Redis != "" || o.Database != "" {
		p.prefix = w.Run + "-" // other runs may have left their orders there
	}
	for _, b := range p.buyers {
		if err := b.register(ctx, w.REST, w.Push, time.Now()); err != nil {
			return err
		}
	}
	s.begin(p.buyers, w.REST.base)
	s.term.hello(w, "http://"+l.Addr().String())
	return p.run(ctx, l, hosts)
}

// listen takes the address, or a free port beside it when somebody else has it.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err == nil {
		return l, nil
	}
	host, _, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	if l, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0")); err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	return l, nil
}

// play is one run of Play.
type play struct {
	*world
	*stage
	buyers []*buyer
	kills  chan struct{} // one place: somebody pressed the button
	prefix string        // of the names of orders
}

// run keeps everything going until ctx ends or something fails.
func (p *play) run(ctx context.Context, l net.Listener, hosts []string) error {
	g, ctx := errgroup.WithContext(ctx)
	server := &http.Server{Handler: p.handler(hosts), ReadHeaderTimeout: 5 * time.Second}
	g.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the page: %w", err)
		}
		return nil
	})
	g.Go(func() error { <-ctx.Done(); return server.Close() })
	g.Go(func() error { return p.tellStories(ctx) })
	g.Go(func() error { p.watch(ctx); return nil })
	g.Go(func() error { p.count(ctx); return nil })
	g.Go(func() error { return p.mind(ctx) })
	for _, b := range p.buyers {
		if b.Watches {
			page := &livePage{customer: b.ID, rest: p.REST, heard: p.hear}
			g.Go(func() error { page.run(ctx); return nil })
		}
	}
	return g.Wait()
}

// tellStories publishes one event after the other.
func (p *play) tellStories(ctx context.Context) error {
	n := newNarrator(p.prefix, p.buyers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait := stepEvery
		if i < len(p.buyers)/2 {
			wait = firstSteps
		}
		paused, fast := p.pace()
		if fast {
			wait /= fasterBy
		}
		timer.Reset(wait)
		if paused {
			i--
			continue
		}
		for _, t := range n.next(time.Now()) {
			p.published(t)
			if err := p.publish(ctx, []*event{t.event}); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// watch asks the service what it has decided about events that are still open.
func (p *play) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		since, open := p.oldest()
		if !open {
			continue
		}
		var found []message
		err := p.REST.messages(ctx, since, func(ms []message) bool { found = append(found, ms...); return true })
		if err == nil { // else the service is away
			p.settle(found)
		}
	}
}

// count moves the counters.
func (p *play) count(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.emitCounts()
		}
	}
}

// mind kills the service when asked to, and starts it again. A service that ends by itself ends the demo.
func (p *play) mind(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.Service.ended():
			return fmt.Errorf("%w%s", errEnded, p.Service.lastWords())
		case <-p.kills:
		}
		p.Service.kill()
		p.killed()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(deadFor):
		}
		if err := p.Service.start(); err != nil {
			return err
		}
		if err := p.Service.ready(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		p.restarted()
	}
}
