package redisstore

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"onmyway/notify"
)

// Config says how to reach Redis.
type Config struct {
	// URL is redis://[user:password@]host:port/db, or rediss:// for TLS.
	URL string
	// TLS is used for rediss:// instead of the system's certificates; nil for those. Open works on a copy.
	TLS *tls.Config
	// Timeout is how long a question about one key may take, from taking a connection to the last byte; one about more gets
	// as much again for every 1,000. After it the question counts as a miss. 0 means 50 ms: a hundred times what a healthy
	// Redis needs, and little beside the SQL query that replaces it. Bus.Publish has a limit of its own.
	Timeout time.Duration
}

const (
	defaultTimeout = 50 * time.Millisecond
	dialTimeout    = time.Second
	keysPerTimeout = 1000 // see Config.Timeout
	poolSize       = 16   // connections: a partition worker holds one for a millisecond per batch
)

// ErrDown is returned at once while Redis is left alone because it did not answer a moment ago.
var ErrDown = errors.New("redis did not answer a moment ago and is left alone")

// Store is one Redis. It is safe for concurrent use.
type Store struct {
	client  *redis.Client
	prefix  string // of every key and channel: "omw:<8 hex digits of the epoch's hash>:"
	timeout time.Duration
	breaker *breaker
	log     *slog.Logger
}

var _ notify.Cache = (*Store)(nil)

// Everything that go-redis would print by itself comes back as an error or is logged by Store.
var quiet = sync.OnceFunc(logging.Disable)

// Open connects to Redis and makes sure, within the deadline of ctx, that it answers. Epoch names the SQL database: keys
// of another epoch are not seen. The error says what to do and holds no password; nothing is left open then.
func Open(ctx context.Context, cfg Config, epoch string, log *slog.Logger) (*Store, error) {
	quiet()
	opts, err := options(cfg)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(epoch))
	s := &Store{
		client:  redis.NewClient(opts),
		prefix:  "omw:" + hex.EncodeToString(sum[:4]) + ":",
		timeout: cfg.Timeout,
		breaker: &breaker{},
		log:     log,
	}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	if err := s.client.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(explain(err, opts), s.Close())
	}
	return s, nil
}

// options turns off what go-redis does behind the caller's back: retries and repeated dials (a miss is cheaper), the
// second pool for pipelines (all calls are pipelines), CLIENT SETINFO on connecting, whose late answer once shifted all
// later ones by one (CVE-2025-29923), and the protocol of managed services that announces maintenance.
func options(cfg Config) (*redis.Options, error) {
	opts, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errURL // the library's own error may quote the password
	}
	switch {
	case cfg.TLS == nil:
	case opts.TLSConfig == nil:
		return nil, errNotTLS
	default:
		name := opts.TLSConfig.ServerName
		opts.TLSConfig = cfg.TLS.Clone()
		if opts.TLSConfig.ServerName == "" {
			opts.TLSConfig.ServerName = name
		}
	}
	opts.Protocol = 2
	opts.MaxRetries = -1
	opts.DialTimeout = dialTimeout
	opts.DialerRetries = 1
	opts.ReadTimeout = 5 * time.Second // contexts give the real deadline
	opts.WriteTimeout = 5 * time.Second
	opts.ContextTimeoutEnabled = true
	opts.PoolSize = poolSize
	opts.PoolTimeout = time.Second
	opts.PipelinePoolSize = -1
	opts.DisableIdentity = true
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return opts, nil
}

// Ping asks whether Redis answers, within the deadline of ctx, also while it is otherwise left alone.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return explain(err, s.client.Options())
	}
	return nil
}

// Close closes all connections. Calls in flight fail.
func (s *Store) Close() error {
	return s.client.Close()
}

// try runs one pipeline of about n keys: at once an error while the breaker is open, else within the timeout.
func (s *Store) try(ctx context.Context, n int, run func(ctx context.Context) error) error {
	asked := time.Now()
	if !s.breaker.allow(asked) {
		return ErrDown
	}
	bounded, cancel := context.WithTimeout(ctx, s.timeout*time.Duration(keysPerTimeout+n)/keysPerTimeout)
	defer cancel()
	err := run(bounded)
	switch {
	case err == nil || isReply(err):
		s.breaker.answered()
	case ctx.Err() != nil:
		s.breaker.unknown() // the caller gave up: that says nothing about Redis
	default:
		s.breaker.failed(asked, time.Now())
	}
	return err
}

// insist is try for what had better take long than fail: only a Redis that has been silent for a while it asks as others do. What comes
// of the rest says nothing to those who have less time.
func (s *Store) insist(ctx context.Context, limit time.Duration, n int, run func(ctx context.Context) error) error {
	if s.breaker.silent() {
		return s.try(ctx, n, run)
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return run(bounded)
}

// isReply tells that Redis answered, though with an error. Such an answer costs one round trip: no reason to stay away.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}
