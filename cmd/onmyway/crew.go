package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	drainTimeout = 18 * time.Second // from the signal until what is left is left to the next process
	httpDrain    = 5 * time.Second  // of it, for REST calls under way
)

// crew are the parts of a running service. Each has a context of its own, so that a stop goes down the line and not
// everywhere at once.
type crew struct {
	group   *errgroup.Group
	failed  context.Context // ends when a part fails
	parts   map[string]part
	servers []*listener
}

// part is one of them.
type part struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// The parts, by what they do.
const (
	intake      = "intake"
	dismissing  = "dismissing" // dead processes
	sweeping    = "sweeping"
	dispatching = "dispatching"
	finishing   = "finishing"
	sockets     = "sockets"
	watching    = "watching" // the engines and the lag
	reloading   = "reloading"
	settling    = "settling"   // unclear texts
	polling     = "polling"    // texts without an end
	forgetting  = "forgetting" // old rows
	seeing      = "seeing"     // what screens showed
)

// run serves until ctx ends, then drains down the line of an event.
func (s *service) run(ctx context.Context) error {
	public, err := listen(s.public, "http.addr", s.files.public, s.metrics.cut.Inc)
	if err != nil {
		return err
	}
	ops, err := listen(s.ops, "ops.addr", s.files.ops, s.metrics.cut.Inc)
	if err != nil {
		return errors.Join(err, public.Listener.Close())
	}
	c := &crew{parts: map[string]part{}, servers: []*listener{public, ops}}
	c.group, c.failed = errgroup.WithContext(context.WithoutCancel(ctx))
	c.start(finishing, s.finisher.Run)
	c.start(dispatching, s.runDispatchers)
	c.start(sweeping, s.sweep.Run)
	c.start(seeing, s.screens.Run)
	c.start(sockets, s.hub.Run)
	c.start(dismissing, s.engines.dismiss)
	c.start(reloading, s.rules.watch)
	c.start(forgetting, s.retention.Run)
	if s.asking != nil {
		c.start(settling, s.asking.settler.Run)
		c.start(polling, s.asking.poller.Run)
	}
	c.start(watching, func(ctx context.Context) error {
		e := s.engines
		return s.metrics.watchEngines(ctx, probes{"Kafka": e.kafka.Ping, "Redis": e.redis.Ping, "SQL": e.store.Ping}, e.kafka.Lag)
	})
	c.start(intake, func(ctx context.Context) error { return s.engines.kafka.Run(ctx, s.intake.Work) })
	for _, l := range c.servers {
		c.group.Go(l.serve)
	}
	s.ready.Store(true)
	s.log.Info("ready", "http", public.Listener.Addr().String(), "ops", ops.Listener.Addr().String(), "version", version)

	select {
	case <-ctx.Done():
	case <-c.failed.Done(): // stop the rest, then tell the error
	}
	s.ready.Store(false)
	s.log.Info("stopping: finishing what is in hand")
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	return s.drain(draining, c)
}

// drain stops one part after the other: no new records, nothing new from SQL, no new calls, what is in hand to its end,
// outcomes to SQL, and last the sockets. When ctx ends before that, what is left is found by the lock that this process is
// about to drop.
func (s *service) drain(ctx context.Context, c *crew) error {
	// While SQL is down lanes wait for room to hand in outcomes: from half time on nobody waits for SQL any more.
	half := time.AfterFunc(drainTimeout/2, c.parts[finishing].cancel)
	defer half.Stop()
	c.stop(ctx, intake)
	c.stop(ctx, watching)
	c.stop(ctx, reloading)
	c.stop(ctx, forgetting)
	c.stop(ctx, dismissing)
	if s.asking != nil {
		c.stop(ctx, settling)
		c.stop(ctx, polling)
	}
	c.stop(ctx, sweeping)
	err := c.servers[0].stop(ctx)
	c.stop(ctx, dispatching)
	if ctx.Err() == nil { // else somebody may still hand in outcomes
		s.finisher.Close()
	}
	c.stop(ctx, finishing)
	err = errors.Join(err, s.hub.Close(ctx))
	c.stop(ctx, sockets)
	c.stop(ctx, seeing) // nobody tells of screens any more
	err = errors.Join(err, c.servers[1].stop(ctx))
	if ctx.Err() != nil {
		return errors.Join(err, fmt.Errorf("stopped after %s with work in hand; the next process takes it up", drainTimeout))
	}
	for _, channel := range s.channels {
		err = errors.Join(err, channel.Close())
	}
	s.tracer.close(ctx)
	err = errors.Join(err, c.group.Wait())
	s.log.Info("stopped")
	return err
}

func (c *crew) start(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(c.failed)
	p := part{cancel, make(chan struct{})}
	c.parts[name] = p
	c.group.Go(func() error { defer close(p.done); return run(ctx) })
}

// stop tells a part to end and waits until it has, or ctx ends.
func (c *crew) stop(ctx context.Context, name string) {
	p := c.parts[name]
	p.cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
	}
}

func (s *service) runDispatchers(ctx context.Context) error {
	var g errgroup.Group
	for _, d := range s.dispatchers {
		g.Go(func() error { return d.Run(ctx) })
	}
	return g.Wait()
}
