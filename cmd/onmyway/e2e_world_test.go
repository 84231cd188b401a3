package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify/kafkasource"
)

const (
	apiKey = "e2e-canary-key-0123456789"
	canary = "Canaryfield" // is in every name, text and link, and so must be in no log
)

// world is one installation: engines, the other sides of SMS and push with their ledgers, and processes of the service.
type world struct {
	t    *testing.T
	dir  string
	env  []string // of every process
	sms  *twiliotest.Server
	push *webpushtest.Server
	web  *http.Client

	brokers, topic, dead string
	database             []string       // driver and address, for looking into it
	redis                *redis.Options // of real engines
	forget               func()         // empties Redis; nil where only a restart does
	drop                 func()         // the database, when all is over; nil for a file
	nodes                []*node
	writer               *kafkasource.Kafka
}

// servers are the addresses of real engines. The zero value runs all of them embedded.
type servers struct{ kafka, redis, postgres string }

// overEngines runs a test on the embedded engines and, where their addresses are known, on real ones.
func overEngines(t *testing.T, options twiliotest.Options, test func(t *testing.T, w *world)) {
	t.Run("embedded", func(t *testing.T) {
		if testing.Short() && t.Name() != "TestEveryLine/embedded" {
			t.Skip("-short: only TestEveryLine runs whole processes")
		}
		test(t, newWorld(t, servers{}, options))
	})
	t.Run("real", func(t *testing.T) {
		s := realServers(t)
		test(t, newWorld(t, s, options))
	})
}

func realServers(t *testing.T) servers {
	t.Helper()
	s := servers{os.Getenv("ONMYWAY_TEST_KAFKA"), os.Getenv("ONMYWAY_TEST_REDIS"), os.Getenv("ONMYWAY_TEST_POSTGRES")}
	if testing.Short() {
		t.Skip("-short: not run over real servers")
	}
	if s.kafka == "" || s.redis == "" || s.postgres == "" {
		t.Skip("!!! ONMYWAY_TEST_KAFKA, ONMYWAY_TEST_REDIS and ONMYWAY_TEST_POSTGRES are not all set: " +
			"this ran over the embedded engines only !!!")
	}
	return s
}

// newWorld prepares everything but processes. What the test leaves running is stopped when it ends; then the logs are
// searched for what must not be in them.
func newWorld(t *testing.T, s servers, options twiliotest.Options) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), topic: "order-events", web: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: 15 * time.Second,
	}}
	t.Cleanup(w.close)
	w.sms = twiliotest.New(options)
	sms, err := w.sms.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	if w.push, err = webpushtest.Start(webpushtest.Options{VAPIDPublic: public}); err != nil {
		t.Fatal(err)
	}
	w.set("AUTH__BOOTSTRAP_KEY", apiKey)
	w.set("HTTP__RATE_PER_MINUTE", "10000000")
	w.set("SMS__TWILIO__ACCOUNT_SID", twiliotest.AccountSID)
	w.set("SMS__TWILIO__AUTH_TOKEN", twiliotest.AuthToken)
	w.set("SMS__TWILIO__FROM", "+15005550006")
	w.set("SMS__TWILIO__BASE_URL", sms)
	w.set("SMS__TIMEOUT", "3s")
	w.set("SMS__PER_HOUR", "0") // one number gets many
	w.set("PUSH__VAPID__PUBLIC_KEY", public)
	w.set("PUSH__VAPID__PRIVATE_KEY", private)
	w.set("PUSH__VAPID__SUBJECT", "ops@onmyway.example")
	w.set("PUSH__ALLOW_INSECURE_ENDPOINTS", "true")
	if s == (servers{}) {
		w.embed()
	} else {
		w.use(s)
	}
	w.dead = w.topic + ".dead"
	return w
}

func (w *world) set(key, value string) { w.env = append(w.env, envPrefix+key+"="+value) }

func (w *world) embed() {
	data := filepath.Join(w.dir, "data")
	w.brokers = address(w.t)
	w.set("EMBEDDED__DATA_DIR", data)
	w.set("EMBEDDED__KAFKA_ADDR", w.brokers)
	w.database = []string{"sqlite", filepath.Join(data, "onmyway.db")}
}

// redisDB gives every world a Redis database of its own: one test may empty it under the eyes of no other.
var redisDB atomic.Int32

// use takes a new database, new topics and a new group on real servers.
func (w *world) use(s servers) {
	name := "e2e_" + strings.ToLower(rand.Text()[:12])
	w.topic = name
	w.brokers = s.kafka
	w.set("KAFKA__BROKERS", s.kafka)
	w.set("KAFKA__TOPICS", name)
	w.set("KAFKA__GROUP", name)
	w.set("KAFKA__DEAD_TOPIC", name+".dead")
	w.set("KAFKA__REPLICATION", "1")

	options, err := redis.ParseURL(s.redis)
	if err != nil {
		w.t.Fatal(err)
	}
	options.DB = 1 + int(redisDB.Add(1))%15
	options.Protocol = 2
	w.redis = options
	w.set("REDIS__URL", fmt.Sprintf("redis://%s/%d", options.Addr, options.DB))
	w.forget = func() {
		c := redis.NewClient(options)
		defer func() { _ = c.Close() }()
		if err := c.FlushDB(context.Background()).Err(); err != nil {
			w.t.Fatal(err)
		}
	}

	at, err := url.Parse(s.postgres)
	if err != nil {
		w.t.Fatal(err)
	}
	w.sql("pgx", s.postgres, "CREATE DATABASE "+name)
	w.drop = func() { w.sql("pgx", s.postgres, "DROP DATABASE "+name+" WITH (FORCE)") }
	at.Path = "/" + name
	w.database = []string{"pgx", at.String()}
	w.set("DATABASE__URL", at.String())
}

func (w *world) sql(driver, address, statement string) {
	w.t.Helper()
	db, err := sql.Open(driver, address)
	if err == nil {
		_, err = db.Exec(statement)
		_ = db.Close()
	}
	if err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
}

// count asks the database itself, also while no process runs.
func (w *world) count(query string) (n int) {
	w.t.Helper()
	db, err := sql.Open(w.database[0], w.database[1])
	if err == nil {
		err = db.QueryRow(query).Scan(&n)
		_ = db.Close()
	}
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// producer writes to Kafka as another system does. A process must have run before.
func (w *world) producer() *kafkasource.Kafka {
	w.t.Helper()
	if w.writer != nil {
		return w.writer
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	k, err := kafkasource.Open(ctx, kafkasource.Config{
		Brokers: []string{w.brokers}, Topics: []string{w.topic}, Group: "nobody", DeadTopic: w.dead,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.writer = k
	return k
}

func (w *world) close() {
	for _, n := range w.nodes {
		if n.running() {
			n.stop()
		}
	}
	if w.writer != nil {
		_ = w.writer.Close()
	}
	if w.sms != nil {
		_ = w.sms.Close()
	}
	if w.push != nil {
		_ = w.push.Close()
	}
	w.web.CloseIdleConnections()
	if w.drop != nil {
		w.drop()
	}
	for _, n := range w.nodes {
		w.searchLog(n)
	}
}

// forbidden is what no log may hold: phone numbers (ours all begin like this), keys, tokens, endpoints and words of
// messages; and what nobody ever wants to find there.
var forbidden = regexp.MustCompile(`1415[2-9]\d{6}|omw1\.|/push/[\w-]{8}|` + apiKey + `|` + twiliotest.AuthToken + `|` + canary +
	`|track\.example|DATA RACE|\bpanic\b|goroutine \d+ \[`)

func (w *world) searchLog(n *node) {
	b, err := os.ReadFile(n.log)
	if err != nil {
		w.t.Errorf("read the log: %v", err)
		return
	}
	for line := range strings.Lines(string(b)) {
		if forbidden.MatchString(line) {
			w.t.Errorf("the log holds what it must not: %s", line)
		}
	}
	if w.t.Failed() {
		w.t.Logf("%s:\n%s", filepath.Base(n.log), b[max(0, len(b)-20_000):])
	}
}
