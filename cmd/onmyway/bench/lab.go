package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// productName names the process that is measured.
const productName = "serve"

// What the product and those around it agree on.
const (
	topic       = "order-events"
	tokenSecret = "benchmark-secret-benchmark-secret" // signs the tokens of the load's sockets
	apiKey      = "benchmark-key-not-secret"
	fileLimit   = 20_000 // that the socket figures need
)

// lab is where trials run.
type lab struct {
	Options
	dir      string
	folders  int
	progress *progress
}

// size is how much of something a round has: much, or little when it shall be quick.
func (l *lab) size(full, quick int) int {
	if l.Quick {
		return quick
	}
	return full
}

// folder is a new one that is empty.
func (l *lab) folder() (string, error) {
	l.folders++
	dir := filepath.Join(l.dir, strconv.Itoa(l.folders))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	return dir, nil
}

// part starts a part and tells it what to do.
func (l *lab) part(ctx context.Context, name string, task any) (*process, error) {
	return l.partBy(ctx, nil, name, task)
}

// load starts a load and waits until whatever receives is open. It begins when it is told to go.
func (l *lab) load(ctx context.Context, task loadTask) (*process, error) {
	p, err := l.part(ctx, "load", task)
	if err != nil {
		return nil, err
	}
	if err := p.hear(&ready{}); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// partBy is part, started by another program.
func (l *lab) partBy(ctx context.Context, program []string, name string, task any) (*process, error) {
	p, err := l.launch(ctx, name, append(slices.Clone(program), l.Command, "bench", Part, name), bare())
	if err != nil {
		return nil, err
	}
	if err := p.say(task); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// bare is our environment without what would configure the product.
func bare() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ONMYWAY_") {
			env = append(env, v)
		}
	}
	return env
}

// product is "onmyway serve", ready.
type product struct {
	*process
	url   string        // of its public listener
	ready time.Duration // from nothing
}

// serve starts the product, with variables of its environment. Engines that are not in settings are its own.
func (l *lab) serve(ctx context.Context, settings map[string]string, variables ...string) (*product, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"auth.bootstrap_key": apiKey, "auth.token_secret": tokenSecret, "http.rate_per_minute": "10000000",
		"http.addr": addr, "http.public_url": "http://" + addr, "ops.addr": "127.0.0.1:0", "log.format": "json", "log.level": "warn",
	}
	maps.Copy(all, settings)
	env := append(bare(), variables...)
	for key, value := range all {
		env = append(env, "ONMYWAY_"+strings.ToUpper(strings.ReplaceAll(key, ".", "__"))+"="+value)
	}
	began := time.Now()
	p, err := l.launch(ctx, productName, []string{l.Command, "serve"}, env)
	if err != nil {
		return nil, err
	}
	s := &product{process: p, url: "http://" + addr}
	if err := s.wait(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	s.ready = time.Since(began)
	return s, nil
}

var errEnded = errors.New("it ended by itself")

// wait returns when the product takes work.
func (s *product) wait(ctx context.Context) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("wait for the product: %w", err)
		}
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the product: %w%s", ctx.Err(), s.lastWords())
		case <-s.gone:
			return fmt.Errorf("wait for the product: %w%s", errEnded, s.lastWords())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// socketURL is where its live socket is.
func (s *product) socketURL() string {
	return "ws" + strings.TrimPrefix(s.url, "http") + "/connection/websocket"
}

// site is a fresh product on engines of its own, which are other processes.
type site struct {
	*product
	dir     string
	engines *process
	brokers string
	topic   string // empty: the usual one
	rows    *rows  // its database
}

// site starts one on the embedded Kafka and Redis, and a SQLite file.
func (l *lab) site(ctx context.Context, settings map[string]string, variables ...string) (s *site, err error) {
	s = &site{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	dir, err := l.folder()
	if err != nil {
		return s, err
	}
	s.dir = dir
	where, err := s.startEngines(ctx, l, dir)
	if err != nil {
		return s, err
	}
	file := filepath.Join(dir, "onmyway.db")
	all := map[string]string{"kafka.brokers": where.Kafka, "redis.url": where.Redis, "database.url": "sqlite:" + file}
	maps.Copy(all, settings)
	if s.product, err = l.serve(ctx, all, variables...); err != nil {
		return s, err
	}
	s.rows, err = openSQLite(strings.TrimPrefix(all["database.url"], "sqlite:"))
	return s, err
}

func (s *site) startEngines(ctx context.Context, l *lab, dir string) (where enginesAnswer, err error) {
	if s.engines, err = l.part(ctx, "engines", enginesTask{Dir: dir}); err != nil {
		return where, err
	}
	err = s.engines.hear(&where)
	s.brokers = where.Kafka
	return where, err
}

// close ends the product first. Closing twice is harmless.
func (s *site) close() error {
	var errs []error
	if s.rows != nil {
		errs = append(errs, s.rows.close())
	}
	if s.product != nil {
		errs = append(errs, s.product.close())
	}
	if s.engines != nil {
		errs = append(errs, s.engines.close())
	}
	s.rows, s.product, s.engines = nil, nil, nil
	return errors.Join(errs...)
}

// freeAddr is a loopback address whose port nobody uses.
func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
