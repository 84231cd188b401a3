package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gobwas/ws"

	"onmyway/notify"
)

// livePage is a page that a customer has open: a socket that comes back by itself. It loads what there is over REST after
// every connect, as there is no history on the socket, and shows every message once.
type livePage struct {
	customer string
	rest     *rest
	heard    func(arrival)
	opened   func() // called after each connect and load; nil for nothing
	shown    map[string]bool
}

// How long a page waits before it connects again: doubling, with half of it random.
const (
	firstWait = 50 * time.Millisecond
	lastWait  = 2 * time.Second
)

// run keeps the page open until ctx ends.
func (p *livePage) run(ctx context.Context) {
	p.shown = map[string]bool{}
	for wait := firstWait; ctx.Err() == nil; wait = min(2*wait, lastWait) {
		if p.visit(ctx) {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}

// visit is one connection, from its start to its end. It tells whether it came as far as to show something.
func (p *livePage) visit(ctx context.Context) (open bool) {
	token, err := p.rest.token(ctx, p.customer)
	if err != nil {
		return false
	}
	conn, early, _, err := ws.Dialer{Timeout: 5 * time.Second}.Dial(ctx, socketURL(p.rest.base))
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := early
	if in == nil {
		in = bufio.NewReader(conn)
	}
	if say(conn, fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token)) != nil {
		return false
	}
	for {
		line, err := hear(conn, in)
		if err != nil {
			return open
		}
		connected, err := p.take(line)
		if err == nil && connected {
			err = p.load(ctx)
			open = err == nil
		}
		if err != nil {
			return open
		}
		if connected && p.opened != nil {
			p.opened()
		}
	}
}

// socketURL is where the live socket of a service is.
func socketURL(base string) string {
	return strings.Replace(base, "http", "ws", 1) + "/connection/websocket"
}

// reply is what comes over the socket: the answer to connect, a publication, or a ping (nothing of both).
type reply struct {
	Connect *struct{} `json:"connect"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error"`
	Push *struct {
		Pub *struct {
			Data struct {
				ID       string `json:"id"`
				OrderID  string `json:"order_id"`
				Sequence int64  `json:"sequence"`
				Title    string `json:"title"`
				Body     string `json:"body"`
			} `json:"data"`
		} `json:"pub"`
	} `json:"push"`
}

// take shows what a line says, and tells whether it is the answer to connect.
func (p *livePage) take(line []byte) (connected bool, err error) {
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		return false, fmt.Errorf("read a message of the live socket: %w", err)
	}
	if r.Error != nil {
		return false, fmt.Errorf("the live socket refuses: %s", r.Error.Message)
	}
	if r.Push != nil && r.Push.Pub != nil {
		d := &r.Push.Pub.Data
		p.show(arrival{ID: d.ID, Order: d.OrderID, Sequence: d.Sequence, Title: d.Title, Body: d.Body})
	}
	return r.Connect != nil, nil
}

// load shows what the service has, as far back as something is new.
func (p *livePage) load(ctx context.Context) error {
	query := url.Values{"customer_id": {p.customer}, "channel": {"websocket"}, "state": {"sent"}}
	return p.rest.messages(ctx, query, func(ms []message) (more bool) {
		for _, m := range ms {
			more = p.show(arrival{ID: m.ID, Order: m.OrderID, Sequence: m.Sequence, Title: m.Title, Body: m.Body}) || more
		}
		return more
	})
}

// show shows a message unless it is there already.
func (p *livePage) show(a arrival) (fresh bool) {
	if p.shown[a.ID] {
		return false
	}
	p.shown[a.ID] = true
	a.At, a.Channel, a.Address = time.Now(), notify.WebSocket, p.customer
	p.heard(a)
	return true
}

var errClosed = errors.New("the service closed the socket")

// hear waits for the next line that is not a ping.
func hear(conn net.Conn, in *bufio.Reader) ([]byte, error) {
	for {
		op, payload, err := readFrame(in)
		if err != nil {
			return nil, fmt.Errorf("read the live socket: %w", err)
		}
		switch {
		case op == ws.OpClose:
			return nil, errClosed
		case op == ws.OpPing:
			err = ws.WriteFrame(conn, ws.MaskFrameInPlace(ws.NewPongFrame(payload)))
		case op == ws.OpText && string(payload) == "{}": // a ping of the protocol
			err = say(conn, "{}")
		case op == ws.OpText:
			return payload, nil
		}
		if err != nil {
			return nil, fmt.Errorf("answer a ping: %w", err)
		}
	}
}

// maxFrame bounds what the service may send at once, in bytes: an event has 256 kB at most.
const maxFrame = 1 << 20

func readFrame(in *bufio.Reader) (ws.OpCode, []byte, error) {
	h, err := ws.ReadHeader(in)
	if err != nil {
		return 0, nil, err
	}
	if h.Length > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes is too large", h.Length)
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(in, payload)
	return h.OpCode, payload, err
}

func say(conn net.Conn, line string) error {
	return ws.WriteFrame(conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(line))))
}
