package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/segmentio/kafka-go"

	"onmyway/cmd/onmyway/embedded"
)

func start(t *testing.T, addr, dir string, topics ...string) *embedded.KafkaServer {
	t.Helper()
	k, err := embedded.Kafka(t.Context(), addr, dir, topics, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func TestKafkaSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	k := start(t, "127.0.0.1:0", dir, "orders")
	write(t, k.Addr, "first")
	k.Close()
	again := start(t, k.Addr, dir, "orders", "added-later")
	if again.Addr != k.Addr {
		t.Errorf("address %s, was %s", again.Addr, k.Addr)
	}
	write(t, k.Addr, "second")
	if got := contents(t, k.Addr, 2); got[0] != "first" || got[1] != "second" {
		t.Errorf("read %q", got)
	}
	conn, err := kafka.DialLeader(t.Context(), "tcp", k.Addr, "added-later", 5)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func write(t *testing.T, addr, value string) {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", addr, "orders", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.WriteMessages(kafka.Message{Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, addr string, n int) []string {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", addr, "orders", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < n {
		m, err := conn.ReadMessage(1 << 20)
		if err != nil {
			t.Fatalf("after %d of %d records: %v", len(got), n, err)
		}
		got = append(got, string(m.Value))
	}
	return got
}

// TestKilled kills a process with SIGKILL while it writes: what was acknowledged is still there.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		last := kill(t, filepath.Join(dir, strconv.Itoa(round)))
		k := start(t, "127.0.0.1:0", filepath.Join(dir, strconv.Itoa(round)), "orders")
		got := contents(t, k.Addr, last)
		for i, v := range got {
			if v != fmt.Sprintf("event %d", i+1) {
				t.Fatalf("record %d is %q", i, v)
			}
		}
		if c := committed(t, k.Addr); c < int64(last) {
			t.Errorf("committed %d, acknowledged %d", c, last)
		}
		k.Close()
	}
}

// kill starts a victim, lets it write some hundred records and kills it. It returns how many were acknowledged.
func kill(t *testing.T, dir string) (last int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_DIR="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if last == 300 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || last < 300 {
		t.Fatalf("the process ended by itself after %d records: %v %s", last, err, complaint.String())
	}
	return last
}

func committed(t *testing.T, addr string) int64 {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	c := kafka.Client{Addr: kafka.TCP(addr), Transport: transport}
	res, err := c.OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: "g", Topics: map[string][]int{"orders": {0}}})
	if err != nil {
		t.Fatal(err)
	}
	return res.Topics["orders"][0].CommittedOffset
}

func TestCloseIsQuickWithClientsConnected(t *testing.T) {
	k := start(t, "127.0.0.1:0", t.TempDir(), "orders")
	waiting, err := kafka.DialLeader(t.Context(), "tcp", k.Addr, "orders", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = waiting.Close() }()
	fetching := make(chan struct{})
	go func() {
		defer close(fetching)
		_, _ = waiting.ReadMessage(1 << 20) // there is none: it waits until the broker goes
	}()
	r, err := embedded.Redis(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: r.Addr})
	defer func() { _ = client.Close() }()
	sub := client.Subscribe(t.Context(), "news")
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	k.Close()
	r.Close()
	r.Close() // twice is harmless
	<-fetching
	if took := time.Since(began); took > time.Second {
		t.Errorf("closing took %s", took)
	}
}

func TestAddressInUse(t *testing.T) {
	k := start(t, "127.0.0.1:0", t.TempDir())
	_, err := embedded.Kafka(t.Context(), k.Addr, t.TempDir(), nil, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "embedded.kafka_addr") {
		t.Errorf("error %v", err)
	}
}

func TestOnlyLoopback(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "0.0.0.0:0": false, ":0": false, "[::]:0": false, "192.0.2.1:0": false,
		"127.0.0.1": false, "127.0.0.1:http": false, "127.0.0.1:70000": false,
	}
	for addr, ok := range tests {
		t.Run(addr, func(t *testing.T) {
			r, err := embedded.Redis(context.Background(), addr)
			if (err == nil) != ok {
				t.Errorf("error %v", err)
			}
			if err == nil {
				r.Close()
			}
		})
	}
}

// startRedis starts one that ends with the test, and connects to it.
func startRedis(t *testing.T) *redis.Client {
	t.Helper()
	r, err := embedded.Redis(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	c := redis.NewClient(&redis.Options{Addr: r.Addr})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// until waits for a server to do something by itself.
func until(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for late := time.Now().Add(limit); !done(); time.Sleep(10 * time.Millisecond) { // real time: it is a server
		if time.Now().After(late) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

func TestKeysOfRedisExpire(t *testing.T) {
	c := startRedis(t)
	if err := c.Set(t.Context(), "k", "v", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, "a key with a second to live goes", func() bool { return c.Exists(t.Context(), "k").Val() != 1 })
}

// TestWalksAreRareWhereTheyAreLong: for a few keys in each second, and for as many as are kept within 20 seconds.
func TestWalksAreRareWhereTheyAreLong(t *testing.T) {
	for _, tt := range []struct {
		keys   int
		within time.Duration
	}{{0, time.Second}, {4_000, time.Second}, {50_000, 10 * time.Second}, {embedded.MostKeys, 20 * time.Second}} {
		if !embedded.Walks(tt.keys, tt.within) || tt.within > time.Second && embedded.Walks(tt.keys, tt.within-time.Second) {
			t.Errorf("the walk over %d keys is not %s after the last", tt.keys, tt.within)
		}
	}
}

// TestRedisForgetsWhenItIsFull: beyond a number of keys those go that would live long, and no others.
func TestRedisForgetsWhenItIsFull(t *testing.T) {
	c := startRedis(t)
	if err := c.Set(t.Context(), "here", "v", 45*time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	for from := 0; from <= embedded.MostKeys; from += 5_000 {
		pipe := c.Pipeline()
		for i := range 5_000 {
			pipe.Set(t.Context(), strconv.Itoa(from+i), "v", 48*time.Hour)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, 30*time.Second, "a Redis with too many keys forgets them", func() bool { return c.DBSize(t.Context()).Val() <= embedded.MostKeys })
	if c.Exists(t.Context(), "here").Val() != 1 {
		t.Error("it forgot who is there")
	}
}
