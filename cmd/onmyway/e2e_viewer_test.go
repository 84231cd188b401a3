package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// viewer is a buyer's page: it holds a live socket, comes back when that breaks, reads over REST what it missed, and shows
// each id once.
type viewer struct {
	customer string
	nodes    []*node // tried in turn
	tells    bool    // the service what comes live, as the rpc "shown"

	mu    sync.Mutex
	shown map[string]message // by id
	live  int                // publications that came over the socket
	fault error              // what no page can live with

	connected chan struct{} // closed when the socket is open for the first time
	stop      context.CancelFunc
	done      chan struct{}
}

// watch opens a page, and closes it when the test ends.
func watch(t *testing.T, customer string, nodes ...*node) *viewer {
	t.Helper()
	return open(t, &viewer{customer: customer, nodes: nodes})
}

func open(t *testing.T, v *viewer) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	v.shown, v.stop, v.connected, v.done = map[string]message{}, cancel, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(v.done)
		v.run(ctx)
	}()
	t.Cleanup(v.close)
	select {
	case <-v.connected:
	case <-time.After(readyWithin):
		t.Fatalf("no live socket for %s", v.customer)
	}
	return v
}

func (v *viewer) close() {
	v.stop()
	<-v.done
}

func (v *viewer) run(ctx context.Context) {
	var first sync.Once
	for i := 0; ctx.Err() == nil; i++ {
		n := v.nodes[i%len(v.nodes)]
		_ = v.session(ctx, n, func() { first.Do(func() { close(v.connected) }) }) // it ends when the process dies: come back
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// session is one life of the socket.
func (v *viewer) session(ctx context.Context, n *node, open func()) error {
	status, answer, err := n.try(http.MethodPost, "/v1/customers/"+v.customer+"/tokens", nil)
	if err != nil || status != http.StatusCreated {
		return fmt.Errorf("token: %d %w", status, err)
	}
	var grant struct{ Token string }
	if err := json.Unmarshal(answer, &grant); err != nil {
		return err
	}
	dialer := ws.Dialer{Timeout: 5 * time.Second}
	conn, early, _, err := dialer.Dial(ctx, strings.Replace(n.url, "http", "ws", 1)+"/connection/websocket")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if early == nil {
		early = bufio.NewReader(conn)
	}
	say := func(line string) error {
		return ws.WriteFrame(conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(line))))
	}
	if err := say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, grant.Token)); err != nil {
		return err
	}
	for {
		header, err := ws.ReadHeader(early)
		if err != nil {
			return err
		}
		payload := make([]byte, header.Length) // from our own service
		if _, err := io.ReadFull(early, payload); err != nil {
			return err
		}
		switch {
		case header.OpCode == ws.OpClose:
			return errors.New("closed by the service")
		case string(payload) == "{}":
			if err := say("{}"); err != nil {
				return err
			}
		default:
			told, err := v.hear(n, payload, open)
			if err == nil && told != "" && v.tells {
				err = say(fmt.Sprintf(`{"id":2,"rpc":{"method":"shown","data":{"id":%q}}}`, told))
			}
			if err != nil {
				return err
			}
		}
	}
}

// hear takes one line: the answer to connect, which is the moment to read what was missed, the answer to what we told, or a
// publication, whose id it returns.
func (v *viewer) hear(n *node, line []byte, open func()) (id string, err error) {
	var said struct {
		Connect *struct{}
		Error   *struct{ Message string }
		Push    *struct {
			Channel string
			Pub     struct{ Data message }
		}
	}
	if err := json.Unmarshal(line, &said); err != nil {
		v.fail(fmt.Errorf("not a line of the protocol: %q", line))
		return "", err
	}
	switch {
	case said.Connect != nil:
		missed, err := n.tryMessages("channel=websocket&customer_id=" + v.customer)
		if err != nil {
			return "", err
		}
		for _, m := range missed {
			v.show(m, false)
		}
		open()
	case said.Push != nil:
		if said.Push.Channel != "customer:"+v.customer {
			v.fail(fmt.Errorf("a publication for %s came to %s", said.Push.Channel, v.customer))
		}
		v.show(said.Push.Pub.Data, true)
		return said.Push.Pub.Data.ID, nil
	case said.Error != nil:
		v.fail(fmt.Errorf("the service refuses what %s told it: %s", v.customer, said.Error.Message))
	}
	return "", nil
}

func (v *viewer) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fault = errors.Join(v.fault, err)
}

func (v *viewer) show(m message, live bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shown[m.ID] = m
	if live {
		v.live++
	}
}

// orders tells how often the page shows each order of events that have one milestone each.
func (v *viewer) orders() (times map[string]int, fault error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	times = map[string]int{}
	for _, m := range v.shown {
		times[m.OrderID]++
	}
	return times, v.fault
}

// saw is an error until the page shows each of its customer's events, each once.
func (v *viewer) saw(events []event) error {
	times, err := v.orders()
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.CustomerID == v.customer && times[e.OrderID] != 1 {
			return fmt.Errorf("the page of %s shows order %s %d times", v.customer, e.OrderID, times[e.OrderID])
		}
	}
	return nil
}
