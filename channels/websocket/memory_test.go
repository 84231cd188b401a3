//go:build !race

package websocket_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"onmyway/channels/websocket"
)

// An idle socket costs less than 6 kB: stack and heap of the process after a collection, the client's side included, which
// is a connection without a goroutine. (The race detector has costs of its own.)
func TestMemoryOfIdleSockets(t *testing.T) {
	const sockets, limit = 2000, 6 << 10
	hub, url := serve(t, websocket.Config{}, nil)
	addr := strings.TrimPrefix(url, "http://")
	open := func(i int) net.Conn {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		var hello strings.Builder
		if err := upgradeRequest().Write(&hello); err != nil {
			t.Fatal(err)
		}
		connect := fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token(t, fmt.Sprint("c-", i), "", time.Hour))
		if _, err := io.WriteString(conn, hello.String()); err != nil {
			t.Fatal(err)
		}
		readUntil(t, conn, "\r\n\r\n")
		if err := ws.WriteFrame(conn, ws.MaskFrame(ws.NewTextFrame([]byte(connect)))); err != nil {
			t.Fatal(err)
		}
		readUntil(t, conn, "}}")
		return conn
	}
	open(-1).Close() // pools and maps that are made once
	before := inUse()
	conns := make([]net.Conn, 0, sockets)
	for i := range sockets {
		conns = append(conns, open(i))
	}
	each := (inUse() - before) / sockets
	t.Logf("%d bytes per idle socket", each)
	if each > limit {
		t.Errorf("more than %d", limit)
	}
	if n := hub.Count(); n < sockets {
		t.Errorf("%d sockets", n)
	}
	for _, c := range conns {
		c.Close()
	}
}

// inUse is the memory that the process uses, in whole spans, after all garbage is gone and stacks have shrunk.
func inUse() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// readUntil reads what ends with a mark, and comes alone.
func readUntil(t *testing.T, conn net.Conn, mark string) {
	t.Helper()
	var got []byte
	p := make([]byte, 1024)
	for !strings.HasSuffix(string(got), mark) {
		n, err := conn.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
}
