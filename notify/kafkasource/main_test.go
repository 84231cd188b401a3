package kafkasource_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs a test on the embedded Kafka and, where ONMYWAY_TEST_KAFKA has its address, on a real one.
func each(t *testing.T, f func(t *testing.T, cfg kafkasource.Config)) {
	t.Run("kfake", func(t *testing.T) { f(t, configOf(t, fake(t).ListenAddrs()...)) })
	t.Run("kafka", func(t *testing.T) {
		addr := os.Getenv("ONMYWAY_TEST_KAFKA")
		if addr == "" {
			t.Skip("ONMYWAY_TEST_KAFKA is not set: not run against a real Kafka")
		}
		f(t, configOf(t, addr))
	})
}

func fake(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// configOf has topics and a group of its own for each test.
func configOf(t *testing.T, brokers ...string) kafkasource.Config {
	t.Helper()
	name := "t-" + rand.Text()
	return kafkasource.Config{
		Brokers: brokers, Topics: []string{name}, Group: name, DeadTopic: name + ".dead",
		Create: true, Partitions: 3, Replication: 1,
	}
}

func open(t *testing.T, cfg kafkasource.Config) *kafkasource.Kafka {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	k, err := kafkasource.Open(ctx, cfg, quiet())
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return k
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// orders are n records with distinct keys, numbered from first.
func orders(first, n int) []notify.Record {
	rs := make([]notify.Record, n)
	for i := range rs {
		rs[i] = notify.Record{Key: fmt.Appendf(nil, "order-%d", first+i), Value: fmt.Appendf(nil, `{"n":%d}`, first+i)}
	}
	return rs
}

func produce(t *testing.T, k *kafkasource.Kafka, topic string, rs []notify.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := k.Produce(ctx, topic, rs); err != nil {
		t.Fatal(err)
	}
}

// reader is a process that reads: it keeps what it saw and commits every batch.
type reader struct {
	mu     sync.Mutex
	seen   map[string]int // key -> how often
	rs     []notify.Record
	parts  map[int]notify.Partition // the newest of each
	starts map[int]int64
	more   chan struct{} // told after every batch

	cancel context.CancelFunc
	done   chan error
}

func read(t *testing.T, k *kafkasource.Kafka) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &reader{
		seen: map[string]int{}, parts: map[int]notify.Partition{}, starts: map[int]int64{},
		more: make(chan struct{}, 1), cancel: cancel, done: make(chan error, 1),
	}
	go func() { r.done <- k.Run(ctx, r.work) }()
	t.Cleanup(r.stopped(t))
	return r
}

func (r *reader) work(ctx context.Context, p notify.Partition) error {
	_, id, start := p.Name()
	r.mu.Lock()
	r.parts[id], r.starts[id] = p, start
	r.mu.Unlock()
	r.tell()
	dst := make([]notify.Record, 100)
	for {
		n, err := p.Fetch(ctx, dst)
		if err != nil {
			return err
		}
		r.take(dst[:n])
		if err := p.Commit(context.WithoutCancel(ctx), dst[n-1].Offset+1); err != nil {
			return err
		}
		r.tell()
	}
}

func (r *reader) take(rs []notify.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range rs {
		r.seen[string(rec.Key)]++
		rec.Headers = append([]notify.Header(nil), rec.Headers...)
		r.rs = append(r.rs, rec)
	}
}

func (r *reader) tell() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// until waits for a condition that holds under the lock.
func (r *reader) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		good, n := ok(), len(r.seen)
		r.mu.Unlock()
		if good {
			return
		}
		select {
		case <-r.more:
		case <-late:
			t.Fatalf("waited too long for %s; saw %d keys", what, n)
		}
	}
}

func (r *reader) stop(t *testing.T) { t.Helper(); r.stopped(t)() }

func (r *reader) stopped(t *testing.T) func() {
	return func() {
		t.Helper()
		r.cancel()
		if r.done == nil {
			return
		}
		select {
		case err := <-r.done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
			r.done = nil
		case <-time.After(20 * time.Second):
			t.Error("Run did not return")
		}
	}
}

// committed asks Kafka itself.
func committed(t *testing.T, cfg kafkasource.Config, partition int) int64 {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	c := kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: transport}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	res, err := c.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: cfg.Group, Topics: map[string][]int{cfg.Topics[0]: {partition}}})
	if err != nil {
		t.Fatal(err)
	}
	return res.Topics[cfg.Topics[0]][0].CommittedOffset
}
