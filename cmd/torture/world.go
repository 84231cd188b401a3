package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/cmd/torture/ledger"
)

// knobs are what a scenario needs its world to be like.
type knobs struct {
	brokers    int                         // of kfake; 1 when 0
	partitions int                         // 6 when 0
	cutRedis   bool                        // Redis stands behind a proxy
	cutSQL     bool                        // so does PostgreSQL
	plainSQL   bool                        // the text of every statement is sent, so that the proxy can tell them apart
	mix        map[twiliotest.Kind]float64 // what the SMS provider does wrong
	latency    time.Duration               // of the SMS provider, at most
	quiet      bool                        // no status callbacks
	env        map[string]string           // configuration, such as SMS__LANES; what the program does not know is left out
}

// world is one installation that a scenario may break: engines, the other sides with their ledgers, and processes.
type world struct {
	options  *options
	scenario scenario
	seed     uint64
	binary   string
	dir      string
	random   *rand.Rand // the scenario's own; used from its goroutine only

	mu     sync.Mutex // guards result
	result result

	keys     map[string]bool // of the program's configuration
	env      []string        // of every process
	kafka    *broker
	redis    *redisServer
	postgres *postgresServer // nil with SQLite
	cutRedis *proxy
	cutSQL   *proxy
	sms      *provider
	push     *pushService
	front    *front
	nodes    []*node
	pages    []*page
	browsers map[string]string // subscription -> customer
	silent   map[string]bool   // customers who have opted out of texts before the load
	excused  map[string]bool   // customers who opt out during it: they may be told or not
	inputs   *ledger.File
	live     *ledger.File
	rest     client
	closers  []func() // last of all
}

// open makes everything but processes.
func (w *world) open(ctx context.Context) (err error) {
	if err := os.Mkdir(w.dir, 0o711); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if w.keys, err = configKeys(ctx, w.binary); err != nil {
		return err
	}
	if w.inputs, err = ledger.Open(w.path("inputs.jsonl")); err != nil {
		return err
	}
	if w.live, err = ledger.Open(w.path("live.jsonl")); err != nil {
		return err
	}
	w.browsers, w.silent, w.excused = map[string]string{}, map[string]bool{}, map[string]bool{}
	if w.kafka, err = openBroker(ctx, w); err != nil {
		return err
	}
	if w.redis, err = startRedis(ctx, w.path("redis.log")); err != nil {
		return err
	}
	if err := w.openDatabase(ctx); err != nil {
		return err
	}
	if w.sms, err = openProvider(w); err != nil {
		return err
	}
	if w.push, err = openPush(w); err != nil {
		return err
	}
	if w.front, err = openFront(); err != nil {
		return err
	}
	w.rest = client{url: func() string { return w.front.url }}
	w.result.Engines = w.kafka.name + "+" + w.databaseName()
	return w.configure()
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// configure writes the environment of the processes.
func (w *world) configure() error {
	redis := w.redis.addr
	if w.scenario.knobs.cutRedis {
		var err error
		if w.cutRedis, err = openProxy(redis); err != nil {
			return err
		}
		redis = w.cutRedis.addr
	}
	w.set("AUTH__BOOTSTRAP_KEY", apiKey)
	w.set("HTTP__RATE_PER_MINUTE", "10000000")
	w.set("HTTP__PUBLIC_URL", w.front.url)
	w.set("HTTP__MAX_SOCKETS", "15000")
	w.set("KAFKA__BROKERS", strings.Join(w.kafka.addrs(), ","))
	w.set("KAFKA__TOPICS", w.kafka.topic)
	w.set("KAFKA__DEAD_TOPIC", w.kafka.topic+".dead")
	w.set("KAFKA__REPLICATION", "1")
	w.set("REDIS__URL", "redis://"+redis+"/0")
	w.set("SMS__TWILIO__ACCOUNT_SID", twiliotest.AccountSID)
	w.set("SMS__TWILIO__AUTH_TOKEN", twiliotest.AuthToken)
	w.set("SMS__TWILIO__FROM", "+15005550006")
	w.set("SMS__TWILIO__BASE_URL", w.sms.url)
	w.set("SMS__TIMEOUT", smsTimeout.String())
	w.set("SMS__PER_HOUR", "0") // one number gets many
	w.set("SMS__VERIFY_GRACE", grace.String())
	w.set("PUSH__VAPID__PUBLIC_KEY", w.push.public)
	w.set("PUSH__VAPID__PRIVATE_KEY", w.push.private)
	w.set("PUSH__VAPID__SUBJECT", "ops@onmyway.example")
	w.set("PUSH__ALLOW_INSECURE_ENDPOINTS", "true")
	w.set("LOG__FORMAT", "json")
	for key, value := range w.scenario.knobs.env {
		w.set(key, value)
	}
	return nil
}

const (
	apiKey     = "torture-key-0123456789"
	smsTimeout = 2 * time.Second        // of one request to the SMS provider
	lag        = 100 * time.Millisecond // until the provider's list shows a new text
	// grace is how long the service waits before it believes that the provider has no such text: more than the timeout
	// and the lag together.
	grace = 4 * time.Second
)

// set puts a key into the environment of the processes. It is false when the program has no such key.
func (w *world) set(key, value string) bool {
	if !w.knows(key) {
		return false
	}
	w.env = append(w.env, "ONMYWAY_"+key+"="+value)
	return true
}

func (w *world) knows(key string) bool {
	return w.keys[strings.ToLower(strings.ReplaceAll(key, "__", "."))]
}

// settles tells whether the program asks the provider about unclear texts.
func (w *world) settles() bool { return w.knows("SMS__VERIFY_GRACE") }

// configKeys asks the program for the names of its configuration: a scenario must run over older programs too.
func configKeys(ctx context.Context, binary string) (map[string]bool, error) {
	cmd := exec.CommandContext(ctx, binary, "config", "print", "-o", "json")
	cmd.Env = bare()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ask onmyway for its configuration: %w", err)
	}
	var printed struct{ Keys []struct{ Key string } }
	if err := json.Unmarshal(out, &printed); err != nil {
		return nil, fmt.Errorf("read the configuration of onmyway: %w", err)
	}
	keys := map[string]bool{}
	for _, k := range printed.Keys {
		keys[k.Key] = true
	}
	return keys, nil
}

// bare is our environment without configuration of whoever runs the harness.
func bare() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "ONMYWAY_") })
}

// fail notes that a promise was broken.
func (w *world) fail(format string, args ...any) {
	w.mishap(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.Broken = true
}

// mishap notes that the scenario could not be carried out: it has failed, and proves nothing.
func (w *world) mishap(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.Failures = append(w.result.Failures, fmt.Sprintf(format, args...))
}

// count notes a figure.
func (w *world) count(name string, value float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.Counters[name] = value
}

// faulted counts faults.
func (w *world) faulted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.Faults++
}

// sometimes fails the run when what it is there for never happened.
func (w *world) sometimes(name string, value float64) {
	w.count(name, value)
	if value == 0 {
		w.mishap("not exercised: %s is 0", name)
	}
}

// onClose leaves something to be done when everything has ended.
func (w *world) onClose(f func()) { w.closers = append(w.closers, f) }

func (w *world) step(format string, args ...any) {
	if w.options.verbose {
		say(w.scenario.id+": "+format, args...)
	}
}

// scaled is a part of n as the command line says, at least least.
func (w *world) scaled(n, least int) int { return max(int(float64(n)*w.options.scale), least) }

// close stops everything. Processes are told to stop first, so that a stop that hangs is found out.
func (w *world) close() {
	for _, p := range w.pages {
		p.close()
	}
	var stopping sync.WaitGroup
	for _, n := range w.nodes {
		stopping.Go(func() {
			if err := n.end(); err != nil {
				w.fail("%v", err)
			}
		})
	}
	stopping.Wait()
	for _, c := range []interface{ close() }{w.front, w.cutRedis, w.cutSQL, w.sms, w.push, w.kafka, w.redis, w.postgres} {
		c.close() // nil where open did not come that far
	}
	for _, f := range []*ledger.File{w.inputs, w.live} {
		if f != nil {
			_ = f.Close()
		}
	}
	for _, f := range w.closers {
		f()
	}
	for _, n := range w.nodes {
		if line := n.outcry(); line != "" {
			w.fail("the log of %s: %s", n.name, line)
		}
	}
}
