package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"onmyway/api"
	"onmyway/channels"
	"onmyway/channels/webpush"
	"onmyway/channels/websocket"
	"onmyway/notify"
	"onmyway/notify/mapping"
)

const probeTimeout = 15 * time.Second // for each engine at start

// service is everything that runs, built and connected.
type service struct {
	cfg     Config
	log     *slog.Logger
	engines *engines
	files   fileShares
	metrics *metrics
	tracer  *tracer // nil: off
	rules   *rulebook

	hub         *websocket.Hub
	channels    []channels.Channel
	dispatchers notify.Dispatchers
	finisher    *notify.Finisher
	screens     *notify.Screens
	sweep       *notify.Sweep
	asking      *asking // nil without texts
	retention   *notify.Retention
	intake      *notify.Intake
	public, ops *http.Server
	ready       atomic.Bool // takes work
}

// build connects everything, from the engines up. Nothing runs yet but what the engines need for themselves.
func build(cfg Config, e *engines, log *slog.Logger) (*service, error) {
	allowed, _ := openFiles()
	s := &service{cfg: cfg, log: log, engines: e, files: shareFiles(allowed, &cfg)}
	s.files.tell(cfg.HTTP.MaxSockets, log)
	tokens := notify.Tokens{Secret: e.tokenSecret(cfg)}
	s.metrics = newMetrics(cfg.Kafka.Topics)
	hooks := s.metrics.hooks()
	s.screens = &notify.Screens{Store: e.store, Hooks: hooks, SQL: e.outages.sql, Now: time.Now}
	s.screens.Prepare()
	s.hub = websocket.New(websocket.Config{
		Origins: cfg.HTTP.AllowedOrigins, MaxSockets: s.files.sockets, PerAddress: cfg.HTTP.SocketsPerAddress, Address: api.ClientAddress,
		Presence: e.redis, Shown: func(customer string, id notify.ID) { s.screens.Add(notify.Shown{CustomerID: customer, ID: id}) },
	}, tokens, e.redis.Bus(), log)
	var err error
	if s.tracer, err = newTracer(cfg, e.store.Owner(), log); err != nil {
		return nil, err
	}
	s.tracer.observe(hooks)
	e.observe(hooks, s.metrics)

	if s.rules, err = newRulebook(cfg, log); err != nil {
		return nil, err
	}
	if s.channels, err = channels.Build(channelConfig(cfg, tokens), e.store, log); err != nil {
		return nil, err
	}
	s.finisher = &notify.Finisher{Ledger: e.store, Hooks: hooks, SQL: e.outages.sql, Now: time.Now}
	s.finisher.Prepare()
	s.sweep = &notify.Sweep{Outbox: e.store, SQL: e.outages.sql, Now: time.Now}
	s.sweep.Digester = &notify.Digester{Store: e.store, Rules: s.rules.inForce, Hooks: hooks, Now: time.Now}
	s.sweep.Prepare()
	s.dispatchers = notify.Dispatchers{}
	for _, c := range s.channels {
		d := s.dispatcher(c, hooks)
		s.dispatchers[c.Name] = d
		s.sweep.Dispatchers = append(s.sweep.Dispatchers, d)
	}
	s.metrics.watch(s.hub.Count, s.files.sockets, s.dispatchers, s.finisher)
	s.intake = &notify.Intake{
		Decode: mapping.Decode, Cache: e.redis, Store: e.store, Positions: e.store, DeadLetters: graves{e.kafka, s.metrics}, Live: s.hub,
		Put: s.dispatchers.Put, Rules: s.rules.inForce, Hooks: hooks, Now: time.Now,
		Kafka: e.outages.kafka, Redis: e.outages.redis, SQL: e.outages.sql, Burial: e.outages.burial,
	}
	s.asking = s.newAsking(hooks)
	s.retention = s.newRetention(hooks)
	if s.public, err = s.publicServer(tokens); err != nil {
		return nil, err
	}
	s.ops = &http.Server{Addr: cfg.Ops.Addr, Handler: s.metrics.opsHandler(), ReadHeaderTimeout: 5 * time.Second}
	return s, nil
}

// dispatcher is the queue of one channel, sized as the operator says.
func (s *service) dispatcher(c channels.Channel, hooks *notify.Hooks) *notify.Dispatcher {
	lanes, queue, timeout, limits := s.cfg.Push.Lanes, s.cfg.Push.Queue, s.cfg.Push.Timeout, s.cfg.Push.limits()
	if c.Name == notify.SMS {
		lanes, queue, timeout, limits = s.cfg.SMS.Lanes, s.cfg.SMS.Queue, s.cfg.SMS.Timeout, s.cfg.SMS.limits()
	}
	d := &notify.Dispatcher{
		Channel: c.Name, Sender: c.Sender, Durable: c.Durable, Ledger: s.engines.store, Finish: s.finisher,
		Lanes: lanes, Queue: queue, Timeout: timeout, Hooks: hooks, SQL: s.engines.outages.sql, Now: time.Now,
		Outage: &notify.Outage{Engine: "the provider of " + string(c.Name), Log: s.log, Hooks: hooks},
		Room:   s.sweep.Wake,
	}
	if c.Name == notify.SMS {
		d.PerHour = s.cfg.SMS.PerHour
	}
	limits.apply(d, s.engines.redis, s.engines.outages.redis)
	if d.Paused = c.Paused; d.Paused == nil { // else the Sender looks after each provider
		d.Breaker = notify.NewBreaker(limits.breaker)
	}
	d.Prepare()
	return d
}

// publicServer is what customers, partners and staff reach.
func (s *service) publicServer(tokens notify.Tokens) (*http.Server, error) {
	cfg, e := s.cfg, s.engines
	conf, err := apiConfig(cfg)
	if err != nil {
		return nil, err
	}
	guard := pushConfig(cfg).Guard()
	handler := api.New(conf, api.Deps{
		Keys: e.store, Publisher: e.kafka, Decode: mapping.Decode, Phone: mapping.E164,
		Orders: e.store, Messages: e.store, Customers: e.store, Consents: e.store, Numbers: e.store, Subscriptions: e.store, DeadLetters: e.store, Audit: e.store, Recorder: e.store,
		Explainer: &notify.Explainer{Store: e.store, Rules: s.rules.inForce}, Rules: s.rules.inForce,
		Resender: &notify.Resender{Store: e.store, Rules: s.rules.inForce, Wake: s.sweep.Wake},
		Signer:   tokens, Remember: e.remember, VAPIDPublic: cfg.Push.VAPID.PublicKey, WebSocket: s.hub, Callbacks: s.asking.callbacks(),
		CheckSubscription: func(sub *notify.Subscription) error {
			sub.ID = webpush.SubscriptionID(sub.Endpoint)
			return webpush.CheckSubscription(guard, *sub)
		},
		Shown: func(token string) error {
			id, err := tokens.CheckShown(token)
			if err == nil {
				s.screens.Add(notify.Shown{ID: id})
			}
			return err
		},
		Checks: map[string]func(context.Context) error{
			"kafka": e.kafka.Ping, "redis": e.redis.Ping, "database": e.store.Ping, "service": s.readiness,
		},
	}, s.log)
	return &http.Server{
		Addr: cfg.HTTP.Addr, Handler: s.metrics.watchCalls(handler, s.tracer), MaxHeaderBytes: 16 << 10,
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
