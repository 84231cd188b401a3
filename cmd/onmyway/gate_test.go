package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// gated serves with room for so many connections. A request for /wait is answered when the test says so.
type gated struct {
	t    *testing.T
	l    *listener
	cut  atomic.Int32
	held chan struct{} // gets one for every /wait that has begun
	free chan struct{} // closed: they are answered
}

func serveGated(t *testing.T, most int) *gated {
	t.Helper()
	g := &gated{t: t, held: make(chan struct{}, 100), free: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/wait", func(http.ResponseWriter, *http.Request) { g.held <- struct{}{}; <-g.free })
	mux.HandleFunc("/take", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		t.Cleanup(func() { _ = conn.Close() })
	})
	var err error
	g.l, err = listen(&http.Server{Addr: "127.0.0.1:0", Handler: mux, ReadHeaderTimeout: time.Minute}, "http.addr", most, func() { g.cut.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.l.serve() }()
	t.Cleanup(func() {
		if err := errors.Join(g.l.stop(context.Background()), <-ended); err != nil {
			t.Error(err)
		}
	})
	return g
}

// dial opens a connection and says something on it.
func (g *gated) dial(words string) net.Conn {
	g.t.Helper()
	c, err := net.Dial("tcp", g.l.Listener.Addr().String())
	if err == nil {
		g.t.Cleanup(func() { _ = c.Close() })
		_, err = io.WriteString(c, words)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return c
}

const (
	askNow  = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	askWait = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
	askTake = "GET /take HTTP/1.1\r\nHost: x\r\n\r\n"
)

// hears tells whether anything comes from a connection in time, and whether it was closed instead.
func (g *gated) hears(c net.Conn) (answered bool) {
	g.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		g.t.Fatal(err)
	}
	n, err := c.Read(make([]byte, 512))
	if errors.Is(err, context.DeadlineExceeded) || n == 0 && err == nil {
		g.t.Fatal("neither an answer nor an end")
	}
	return n > 0
}

// settles waits until so many connections are quiet: a server says so a moment after its answer.
func (g *gated) settles(want int) {
	g.t.Helper()
	within(g.t, 10*time.Second, "connections are quiet", func() error {
		g.l.mu.Lock()
		defer g.l.mu.Unlock()
		if n := g.l.quiet.Len(); n != want {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
}

func TestGateTurnsOutTheQuiet(t *testing.T) {
	for name, said := range map[string]string{"has said nothing": "", "says it slowly": "GET / HT", "has its answer": askNow} {
		t.Run(name, func(t *testing.T) {
			g := serveGated(t, 3)
			oldest := g.dial(said)
			if said == askNow && !g.hears(oldest) {
				t.Fatal("no answer")
			}
			g.settles(1)
			later := g.dial("GET")
			if !g.hears(g.dial(askNow)) {
				t.Fatal("the third connection has no answer although there is room")
			}
			if !g.hears(g.dial(askNow)) {
				t.Error("a new connection has no answer")
			}
			if g.hears(oldest) || g.cut.Load() != 1 {
				t.Errorf("the connection that was quiet for the longest time is still open; %d were cut", g.cut.Load())
			}
			if _, err := io.WriteString(later, askNow[3:]); err != nil || !g.hears(later) {
				t.Errorf("the one after it was cut too: %v", err)
			}
		})
	}
}

func TestGateKeepsWhoIsBusy(t *testing.T) {
	g := serveGated(t, 2)
	taken, asking := g.dial(askTake), g.dial(askWait)
	if !g.hears(taken) {
		t.Fatal("no answer")
	}
	<-g.held
	late := g.dial(askNow)
	close(g.free)
	if !g.hears(asking) || !g.hears(late) {
		t.Error("a request under way or one that waited has no answer")
	}
	if g.cut.Load() > 1 { // the one that had its answer may go
		t.Errorf("%d connections were cut", g.cut.Load())
	}
}

// TestGateStops: a full gate where somebody waits does not hold up the end.
func TestGateStops(t *testing.T) {
	g := serveGated(t, 1)
	asking := g.dial(askWait)
	<-g.held
	g.dial(askNow)
	g.dial("")
	time.AfterFunc(100*time.Millisecond, func() { close(g.free) })
	if !g.hears(asking) {
		t.Error("a request under way has no answer")
	}
}

// TestGateShut: who waited for room when it was shut is not let in. A server that stops would wait seconds for what it says.
func TestGateShut(t *testing.T) {
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gated{t: t, l: &listener{gate: newGate(port, 1, func() {})}}
	g.dial("")
	busy, err := g.l.Accept() // no server says that it is quiet
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	late := g.dial("")
	let := make(chan error, 1)
	go func() { _, err := g.l.Accept(); let <- err }()
	within(t, 10*time.Second, "somebody waits for room", func() error {
		g.l.mu.Lock()
		defer g.l.mu.Unlock()
		if g.l.open != 2 {
			return fmt.Errorf("%d are open", g.l.open)
		}
		return nil
	})
	if err := g.l.gate.Close(); err != nil {
		t.Error(err)
	}
	if err := <-let; !errors.Is(err, net.ErrClosed) || g.hears(late) {
		t.Errorf("it is let in: %v", err)
	}
}

// TestGateLetsACrowdInByGroups: a group at once, each further one after its distance, and those that come slowly never wait.
func TestGateLetsACrowdInByGroups(t *testing.T) {
	g, now := &gate{}, time.Now()
	gap := groupGap()
	for i := range 3 * groupSize {
		want := time.Duration(0)
		if i > 0 && i%groupSize == 0 {
			want = gap
		}
		if wait := g.turn(now); wait != want {
			t.Errorf("number %d of a crowd waits for %s, want %s", i, wait, want)
		} else {
			now = now.Add(wait)
		}
	}
	for i := range 3 * groupSize {
		now = now.Add(gap / groupSize)
		wait := g.turn(now)
		if now = now.Add(wait); i > 0 && wait > 0 {
			t.Errorf("number %d of those that come one by one waits for %s", i, wait)
		}
	}
}
