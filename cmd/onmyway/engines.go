package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"onmyway/cmd/onmyway/embedded"
	"onmyway/notify"
	"onmyway/notify/kafkasource"
	"onmyway/notify/redisstore"
	"onmyway/notify/sqlstore"
)

// engines are Kafka, Redis and SQL, those of the operator or embedded ones.
type engines struct {
	store   *sqlstore.Store
	redis   *redisstore.Store
	kafka   *kafkasource.Kafka
	outages outages

	log     *slog.Logger
	gaps    func(topic string, n int64) // records that Kafka deleted unread
	dead    chan string                 // processes that were found dead
	closers []func() error              // closed last to first
}

// outages keep the log quiet while an engine is down. Everything that meets the same outage shares one.
type outages struct{ kafka, redis, sql, burial *notify.Outage }

// openEngines starts what is not configured, probes everything, migrates the database and makes missing topics. The
// error says what to do. On an error everything that was opened is closed again.
func openEngines(ctx context.Context, cfg Config, log *slog.Logger) (e *engines, err error) {
	e = &engines{log: log, dead: make(chan string, 64), outages: outages{
		kafka: &notify.Outage{Engine: "Kafka", Log: log}, redis: &notify.Outage{Engine: "Redis", Log: log},
		sql: &notify.Outage{Engine: "SQL", Log: log}, burial: &notify.Outage{Engine: "the dead-letter topic", Log: log},
	}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.store, err = openStore(ctx, cfg, log); err != nil {
		return e, err
	}
	e.closers = append(e.closers, e.store.Close)
	e.store.Died = e.died
	if err := e.migrate(ctx, cfg); err != nil {
		return e, err
	}
	if err := e.openRedis(ctx, cfg); err != nil {
		return e, err
	}
	return e, e.openKafka(ctx, cfg)
}

// openStore opens the database, or the SQLite file that stands in for it.
func openStore(ctx context.Context, cfg Config, log *slog.Logger) (*sqlstore.Store, error) {
	url := cfg.Database.URL
	if url == "" {
		if err := os.MkdirAll(cfg.Embedded.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("make embedded.data_dir: %w", err)
		}
		url = "sqlite:" + filepath.Join(cfg.Embedded.DataDir, "onmyway.db")
		log.Info("database.url is not set: running on a SQLite file, for one process", "file", strings.TrimPrefix(url, "sqlite:"))
	}
	probing, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	s, err := sqlstore.Open(probing, url, log)
	if err != nil {
		return nil, err
	}
	s.Patience = storePatience
	return s, nil
}

// storePatience is for how long a few events wait for others before they are stored in SQLite, when pages have been shown them and
// nobody else is told. At 1,000 events a second that saves a third of the processor time.
const storePatience = 50 * time.Millisecond

// migrate brings the schema up to date, or refuses to run on an old one.
func (e *engines) migrate(ctx context.Context, cfg Config) error {
	if cfg.Migrate.Auto {
		if err := e.store.Migrate(ctx); err != nil {
			return err
		}
	} else {
		pending, err := e.store.Pending(ctx)
		if err != nil {
			return err
		}
		if len(pending) > 0 {
			return fmt.Errorf("the database misses %d migrations (%s) and migrate.auto is false: run `onmyway migrate up`",
				len(pending), strings.Join(pending, ", "))
		}
	}
	return e.store.Register(ctx)
}

func (e *engines) openRedis(ctx context.Context, cfg Config) error {
	conf := redisstore.Config{URL: cfg.Redis.URL}
	if conf.URL == "" {
		server, err := embedded.Redis(ctx, "127.0.0.1:0")
		if err != nil {
			return err
		}
		e.closers = append(e.closers, func() error { server.Close(); return nil })
		conf.URL = "redis://" + server.Addr
		e.log.Info("redis.url is not set: running an embedded Redis, for one process", "addr", server.Addr)
	}
	tlsConfig, err := cfg.Redis.TLS.load("redis.tls")
	if err != nil {
		return err
	}
	conf.TLS = tlsConfig
	probing, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if e.redis, err = redisstore.Open(probing, conf, e.store.Epoch(), e.log); err != nil {
		return err
	}
	e.closers = append(e.closers, e.redis.Close)
	return nil
}

func (e *engines) openKafka(ctx context.Context, cfg Config) error {
	conf, err := kafkaConfig(cfg)
	if err != nil {
		return err
	}
	conf.Member, conf.Outage = e.store.Owner(), e.outages.kafka
	conf.OnGap = func(topic string, _ int, from, to int64) {
		if e.gaps != nil {
			e.gaps(topic, to-from)
		}
	}
	if len(conf.Brokers) == 0 {
		server, err := embedded.Kafka(ctx, cfg.Embedded.KafkaAddr, filepath.Join(cfg.Embedded.DataDir, "kafka"), nil, e.log)
		if err != nil {
			return err
		}
		e.closers = append(e.closers, func() error { server.Close(); return nil })
		conf.Brokers, conf.Replication = []string{server.Addr}, 1
		e.log.Info("kafka.brokers is not set: running an embedded Kafka, for one process", "addr", server.Addr)
	}
	probing, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if e.kafka, err = kafkasource.Open(probing, conf, e.log); err != nil {
		return err
	}
	e.closers = append(e.closers, e.kafka.Close)
	return nil
}

// died notes a dead process. When there are too many at once, Kafka finds out about the others by itself.
func (e *engines) died(owner string) {
	select {
	case e.dead <- owner:
	default:
	}
}

// dismiss takes dead processes out of the Kafka group, so that their partitions go to the living at once and not after
// Kafka's session timeout. It runs until ctx ends.
func (e *engines) dismiss(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case owner := <-e.dead:
			asking, cancel := context.WithTimeout(ctx, probeTimeout)
			if err := e.kafka.Dismiss(asking, []string{owner}); err != nil && ctx.Err() == nil {
				e.log.Warn("could not free the Kafka partitions of a dead process; Kafka does it after the session timeout", "error", err)
			}
			cancel()
		}
	}
}

// observe lets the metrics see outages and lost records.
func (e *engines) observe(hooks *notify.Hooks, m *metrics) {
	e.outages.kafka.Hooks, e.outages.redis.Hooks, e.outages.sql.Hooks, e.outages.burial.Hooks = hooks, hooks, hooks, hooks
	e.gaps = func(topic string, n int64) { m.retention.WithLabelValues(topic).Add(float64(n)) }
}

// remember puts a customer that was just written into the cache. What the cache does not take it forgets within a minute.
func (e *engines) remember(ctx context.Context, p notify.Profile) {
	if err := e.redis.PutProfile(ctx, p); err != nil {
		e.outages.redis.Failed(err, time.Now())
	}
}

// tokenSecret signs buyers' tokens: the operator's, or the one that all nodes find in SQL.
func (e *engines) tokenSecret(cfg Config) []byte {
	if cfg.Auth.TokenSecret != "" {
		return []byte(cfg.Auth.TokenSecret)
	}
	return e.store.TokenSecret()
}

// close closes what was opened, last to first.
func (e *engines) close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i]())
	}
	e.closers = nil
	return errors.Join(errs...)
}

// load makes the TLS configuration of a client, nil when TLS is off.
func (t TLSConfig) load(key string) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%s.ca_file: %w", key, err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s.ca_file: no certificate in PEM form in %s", key, t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%s.cert_file and %s.key_file: %w", key, key, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}
