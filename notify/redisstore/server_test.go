package redisstore_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"onmyway/notify/redisstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is a timeout that a busy machine under the race detector keeps.
const patient = 10 * time.Second

var discard = slog.New(slog.DiscardHandler)

// engines runs a test over miniredis and over the real Redis of ONMYWAY_TEST_REDIS.
func engines(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("miniredis", func(t *testing.T) {
		run(t, "redis://"+miniredis.RunT(t).Addr()+"/0")
	})
	t.Run("redis", func(t *testing.T) {
		address := os.Getenv("ONMYWAY_TEST_REDIS")
		if address == "" {
			t.Skip("ONMYWAY_TEST_REDIS is not set: not run against a real Redis")
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal("ONMYWAY_TEST_REDIS is not a URL")
		}
		u.Path = "/11" // ours alone: some tests empty it
		run(t, u.String())
	})
}

// open opens a store of an epoch of its own.
func open(t testing.TB, cfg redisstore.Config) *redisstore.Store {
	return openEpoch(t, cfg, rand.Text())
}

func openEpoch(t testing.TB, cfg redisstore.Config, epoch string) *redisstore.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	s, err := redisstore.Open(ctx, cfg, epoch, discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// raw is a client beside the store.
func raw(t testing.TB, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opts.DisableIdentity = true
	c := redis.NewClient(opts)
	t.Cleanup(func() { c.Close() })
	return c
}

// liveChannel is where the buses of an epoch meet.
func liveChannel(epoch string) string {
	return fmt.Sprintf("omw:%x:live", func() []byte { s := sha256.Sum256([]byte(epoch)); return s[:4] }())
}

// eventually asks until ok says yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patient)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// gate is a way to a server that can be blocked: answers wait in it until it is opened again.
type gate struct {
	addr string
	mu   sync.RWMutex // held for writing while blocked
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{addr: l.Addr().String()}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", server)
			if err != nil {
				in.Close()
				continue
			}
			all.Go(func() { io.Copy(out, in); out.Close() })
			all.Go(func() { g.answers(in, out); in.Close() })
			all.Go(func() { <-ctx.Done(); in.Close(); out.Close() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		cancel()
		all.Wait()
	})
	return g
}

func (g *gate) answers(to, from net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		g.mu.RLock()
		_, err = to.Write(buf[:n])
		g.mu.RUnlock()
		if err != nil {
			return
		}
	}
}

// benchmarkURL is the real Redis where there is one.
func benchmarkURL(b *testing.B) string {
	if address := os.Getenv("ONMYWAY_TEST_REDIS"); address != "" {
		return address
	}
	return "redis://" + miniredis.RunT(b).Addr()
}
