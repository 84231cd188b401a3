package websocket_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ notify.Live = (*websocket.Hub)(nil)

var (
	tokens  = notify.Tokens{Secret: []byte("0123456789abcdef0123456789abcdef")}
	quietly = slog.New(slog.DiscardHandler)
)

// token lets its holder see a customer's orders, or one of them, for a while from now.
func token(t testing.TB, customer, order string, ttl time.Duration) string {
	t.Helper()
	s, err := tokens.Sign(notify.Grant{CustomerID: customer, OrderID: order, Expires: time.Now().Add(ttl)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hijacked is the writer of a request whose connection is one end of a pipe.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/connection/websocket", nil)
	for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(k, v)
	}
	return r
}

// frame is what a client got.
type frame struct {
	op     ws.OpCode
	text   string // of a data frame, and the reason of a close frame
	status ws.StatusCode
}

// client speaks WebSocket by hand, so that it can also say what is wrong.
type client struct {
	t      testing.TB
	conn   net.Conn
	in     *bufio.Reader
	frames chan frame // closed when the connection ends
	mute   bool       // does not answer our pings
	end    chan struct{}
}

// pipe opens a socket over a pipe in memory, for tests with a clock of their own. It does not read until listen.
func pipe(t testing.TB, hub *websocket.Hub) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		hub.ServeHTTP(hijacked{httptest.NewRecorder(), theirs}, upgradeRequest())
	}()
	c := &client{t: t, conn: ours, in: bufio.NewReader(ours), frames: make(chan frame, 10_000), end: make(chan struct{})}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %v, %v", resp, err)
	}
	<-done
	return c
}

// dial opens a socket over loopback. It does not read until listen.
func dial(t testing.TB, url string, d ws.Dialer) *client {
	t.Helper()
	conn, early, _, err := d.Dial(context.Background(), strings.Replace(url, "http", "ws", 1))
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, in: early, frames: make(chan frame, 10_000), end: make(chan struct{})}
	if early == nil {
		c.in = bufio.NewReader(conn)
	}
	return c
}

// listen reads in the background, and answers pings of the protocol unless the client is mute.
func (c *client) listen() *client {
	go func() {
		defer close(c.end)
		defer close(c.frames)
		for {
			f, err := c.read()
			if err != nil {
				return
			}
			if f.op == ws.OpText && f.text == "{}" && !c.mute {
				c.say("{}")
			}
			c.frames <- f
			if f.op == ws.OpClose {
				c.conn.Close()
				return
			}
		}
	}()
	return c
}

func (c *client) read() (frame, error) {
	f, err := readFrame(c.in)
	if err != nil {
		return frame{}, err
	}
	if f.Header.OpCode == ws.OpClose {
		code, reason := ws.ParseCloseFrameData(f.Payload)
		return frame{f.Header.OpCode, reason, code}, nil
	}
	if f.Header.Masked || !f.Header.Fin || f.Header.Rsv != 0 {
		return frame{}, fmt.Errorf("unexpected header %+v", f.Header)
	}
	return frame{op: f.Header.OpCode, text: string(f.Payload)}, nil
}

// write sends a frame of any kind, masked. Errors show in what comes back, or does not.
func (c *client) write(f ws.Frame) { _ = ws.WriteFrame(c.conn, ws.MaskFrameInPlace(f)) }

func (c *client) say(lines string) { c.write(ws.NewTextFrame([]byte(lines))) }

// connect says connect and returns the welcome.
func (c *client) connect(token string) string {
	c.t.Helper()
	c.say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token))
	return c.hear()
}

// next is the next frame that is not a ping.
func (c *client) next() frame {
	c.t.Helper()
	for {
		select {
		case f, ok := <-c.frames:
			if !ok {
				c.t.Fatal("the connection ended")
			}
			if f.op != ws.OpText || f.text != "{}" {
				return f
			}
		case <-time.After(10 * time.Minute): // in bubbles; elsewhere the test's own timeout comes first
			c.t.Fatal("nothing came")
		}
	}
}

// hear is the next line.
func (c *client) hear() string {
	c.t.Helper()
	f := c.next()
	if f.op != ws.OpText || strings.ContainsAny(f.text, "\r\n") || !json.Valid([]byte(f.text)) {
		c.t.Fatalf("want a frame with one line of JSON, got %v %d %q", f.op, f.status, f.text)
	}
	return f.text
}

// wantClose reads up to the close frame.
func (c *client) wantClose(code ws.StatusCode, reason string) {
	c.t.Helper()
	for {
		f := c.next()
		if f.op != ws.OpClose {
			continue
		}
		if f.status != code || f.text != reason {
			c.t.Errorf("closed with %d %q, want %d %q", f.status, f.text, code, reason)
		}
		return
	}
}

// leave closes the connection and waits for listen.
func (c *client) leave() {
	c.conn.Close()
	<-c.end
}

// serve makes a hub that runs, over loopback, until the test ends.
func serve(t testing.TB, cfg websocket.Config, bus websocket.Bus) (*websocket.Hub, string) {
	t.Helper()
	hub := websocket.New(cfg, tokens, bus, quietly)
	stop := run(t, hub)
	server := httptest.NewServer(hub)
	t.Cleanup(func() {
		server.Close()
		stop()
	})
	return hub, server.URL
}

// run runs a hub; the func that it returns closes it and waits for all.
func run(t testing.TB, hub *websocket.Hub) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	go func() { ran <- hub.Run(ctx) }()
	return func() {
		t.Helper()
		closing, done := context.WithTimeout(context.Background(), 20*time.Second)
		defer done()
		if err := hub.Close(closing); err != nil {
			t.Error(err)
		}
		if n := hub.Count(); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
}

// publish publishes data to a customer.
func publish(t testing.TB, hub *websocket.Hub, ps ...notify.Publication) {
	t.Helper()
	if err := hub.Publish(context.Background(), ps); err != nil {
		t.Fatal(err)
	}
}

// pub is the line that a client of a customer gets for data.
func pub(customer, data string) string {
	return `{"push":{"channel":"customer:` + customer + `","pub":{"data":` + data + `}}}`
}

// readFrame reads a whole frame of at most a megabyte.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	if h.Length > 1<<20 {
		return ws.Frame{}, fmt.Errorf("a frame of %d bytes", h.Length)
	}
	f := ws.Frame{Header: h, Payload: make([]byte, h.Length)}
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}
