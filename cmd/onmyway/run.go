package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"onmyway/api"
	"onmyway/channels"
	"onmyway/channels/webpush"
	"onmyway/channels/websocket"
	"onmyway/notify"
	"onmyway/notify/mapping"
)

const (
	probeTimeout = 15 * time.Second // for each engine at start
	drainTimeout = 18 * time.Second // from the signal until what is left is left to the next process
	httpDrain    = 5 * time.Second  // of it, for REST calls under way
)

// service is everything that runs, built and connected.
type service struct {
	cfg     Config
	log     *slog.Logger
	engines *engines
	metrics *metrics

	hub         *websocket.Hub
	channels    []channels.Channel
	dispatchers notify.Dispatchers
	finisher    *notify.Finisher
	sweep       *notify.Sweep
	intake      *notify.Intake
	public, ops *http.Server
	ready       atomic.Bool // takes work
}

// build connects everything, from the engines up. Nothing runs yet but what the engines need for themselves.
func build(cfg Config, e *engines, log *slog.Logger) (*service, error) {
	s := &service{cfg: cfg, log: log, engines: e}
	tokens := notify.Tokens{Secret: e.tokenSecret(cfg)}
	s.hub = websocket.New(websocket.Config{Origins: cfg.HTTP.AllowedOrigins, MaxSockets: cfg.HTTP.MaxSockets}, tokens, e.redis.Bus(), log)
	s.metrics = newMetrics(s.hub.Count)
	hooks := s.metrics.hooks()
	e.observe(hooks, s.metrics)

	rules, err := newRules(cfg)
	if err != nil {
		return nil, err
	}
	if s.channels, err = channels.Build(channelConfig(cfg), e.store, log); err != nil {
		return nil, err
	}
	s.finisher = &notify.Finisher{Ledger: e.store, Hooks: hooks, SQL: e.outages.sql, Now: time.Now}
	s.finisher.Prepare()
	s.sweep = &notify.Sweep{Outbox: e.store, SQL: e.outages.sql, Now: time.Now}
	s.sweep.Prepare()
	s.dispatchers = notify.Dispatchers{}
	for _, c := range s.channels {
		d := s.dispatcher(c, hooks)
		s.dispatchers[c.Name] = d
		s.sweep.Dispatchers = append(s.sweep.Dispatchers, d)
	}
	s.intake = &notify.Intake{
		Decode: mapping.Decode, Cache: e.redis, Store: e.store, Positions: e.store, DeadLetters: e.kafka, Live: s.hub,
		Put: s.dispatchers.Put, Rules: rules, Hooks: hooks, Now: time.Now,
		Kafka: e.outages.kafka, Redis: e.outages.redis, SQL: e.outages.sql, Burial: e.outages.burial,
	}
	if s.public, err = s.publicServer(rules, tokens); err != nil {
		return nil, err
	}
	s.ops = &http.Server{Addr: cfg.Ops.Addr, Handler: s.metrics.opsHandler(), ReadHeaderTimeout: 5 * time.Second}
	return s, nil
}

// dispatcher is the queue of one channel, sized as the operator says.
func (s *service) dispatcher(c channels.Channel, hooks *notify.Hooks) *notify.Dispatcher {
	lanes, queue, timeout := s.cfg.Push.Lanes, s.cfg.Push.Queue, s.cfg.Push.Timeout
	if c.Name == notify.SMS {
		lanes, queue, timeout = s.cfg.SMS.Lanes, s.cfg.SMS.Queue, s.cfg.SMS.Timeout
	}
	d := &notify.Dispatcher{
		Channel: c.Name, Sender: c.Sender, Durable: c.Durable, Ledger: s.engines.store, Finish: s.finisher,
		Lanes: lanes, Queue: queue, Timeout: timeout, Hooks: hooks, SQL: s.engines.outages.sql, Now: time.Now,
		Outage: &notify.Outage{Engine: "the provider of " + string(c.Name), Log: s.log, Hooks: hooks},
		Room:   s.sweep.Wake,
	}
	d.Prepare()
	return d
}

// publicServer is what customers, partners and staff reach.
func (s *service) publicServer(rules *notify.Rules, tokens notify.Tokens) (*http.Server, error) {
	cfg, e := s.cfg, s.engines
	conf, err := apiConfig(cfg)
	if err != nil {
		return nil, err
	}
	guard := pushConfig(cfg).Guard()
	handler := api.New(conf, api.Deps{
		Publisher: e.kafka, Decode: mapping.Decode, Phone: mapping.E164, Messages: e.store, Customers: e.store, Subscriptions: e.store,
		Resender: &notify.Resender{Store: e.store, Rules: rules, Wake: s.sweep.Wake},
		Signer:   tokens, Remember: e.remember, VAPIDPublic: cfg.Push.VAPID.PublicKey, WebSocket: s.hub,
		CheckSubscription: func(sub *notify.Subscription) error {
			sub.ID = webpush.SubscriptionID(sub.Endpoint)
			return webpush.CheckSubscription(guard, *sub)
		},
		Checks: map[string]func(context.Context) error{
			"kafka": e.kafka.Ping, "redis": e.redis.Ping, "database": e.store.Ping, "service": s.readiness,
		},
	}, s.log)
	return &http.Server{
		Addr: cfg.HTTP.Addr, Handler: handler, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}, nil
}

func (s *service) readiness(context.Context) error {
	if !s.ready.Load() {
		return errors.New("starting or stopping")
	}
	return nil
}

// run serves until ctx ends, then drains down the line of an event: no new work, no new records, what is in hand to its
// end, outcomes to SQL, and last the sockets.
func (s *service) run(ctx context.Context) error {
	public, err := net.Listen("tcp", s.public.Addr)
	if err != nil {
		return fmt.Errorf("listen for HTTP (http.addr): %w", err)
	}
	ops, err := net.Listen("tcp", s.ops.Addr)
	if err != nil {
		public.Close()
		return fmt.Errorf("listen for metrics (ops.addr): %w", err)
	}
	// Every part has a context of its own, so that a stop goes down the line and not everywhere at once.
	parts, partsCtx := errgroup.WithContext(context.WithoutCancel(ctx))
	start := func(run func(context.Context) error) (stop func(by context.Context)) {
		ctx, cancel := context.WithCancel(partsCtx)
		done := make(chan struct{})
		parts.Go(func() error { defer close(done); return run(ctx) })
		return func(by context.Context) {
			cancel()
			select {
			case <-done:
			case <-by.Done():
			}
		}
	}
	stopFinisher := start(s.finisher.Run)
	stopDispatchers := start(s.runDispatchers)
	stopSweep := start(s.sweep.Run)
	stopHub := start(s.hub.Run)
	stopDismissing := start(s.engines.dismiss)
	stopIntake := start(func(ctx context.Context) error { return s.engines.kafka.Run(ctx, s.intake.Work) })
	parts.Go(func() error { return serveHTTP(s.public, public) })
	parts.Go(func() error { return serveHTTP(s.ops, ops) })
	s.ready.Store(true)
	s.log.Info("ready", "http", public.Addr().String(), "ops", ops.Addr().String(), "version", version)

	select {
	case <-ctx.Done():
	case <-partsCtx.Done(): // a part has failed: stop the rest, then tell its error
	}
	s.ready.Store(false)
	s.log.Info("stopping: finishing what is in hand")
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	stopIntake(draining)
	stopDismissing(draining)
	stopSweep(draining)
	err = stopHTTP(draining, s.public)
	stopDispatchers(draining)
	if draining.Err() == nil { // else somebody may still hand in outcomes
		s.finisher.Close()
	}
	stopFinisher(draining)
	s.hub.Close(draining)
	stopHub(draining)
	err = errors.Join(err, stopHTTP(draining, s.ops))
	if draining.Err() != nil {
		// What is not stored is found by the lock that this process is about to drop.
		return errors.Join(err, fmt.Errorf("stopped after %s with work in hand; it is taken up by the next process", drainTimeout))
	}
	for _, c := range s.channels {
		err = errors.Join(err, c.Close())
	}
	err = errors.Join(err, parts.Wait())
	s.log.Info("stopped")
	return err
}

func (s *service) runDispatchers(ctx context.Context) error {
	var g errgroup.Group
	for _, d := range s.dispatchers {
		g.Go(func() error { return d.Run(ctx) })
	}
	return g.Wait()
}

func serveHTTP(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	}
	return nil
}

// stopHTTP lets calls under way end, for a while. What is left then is cut and is no failure: mostly connections that
// browsers opened in advance and never used, which Shutdown alone would wait for.
func stopHTTP(ctx context.Context, s *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, httpDrain)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.Close()
	}
	return err
}
