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
	"time"

	"github.com/gobwas/ws"

	"onmyway/cmd/torture/ledger"
)

// page is the live page of a customer: it holds a socket, comes back when that breaks, and reads over REST what it missed.
// All that it shows goes to the ledger.
type page struct {
	world    *world
	customer string
	stop     context.CancelFunc
	done     chan struct{}
	first    chan struct{} // closed when the socket is open for the first time

	mu       sync.Mutex
	sessions int
	known    map[string]bool // ids that the page shows
}

// watch opens the pages of customers.
func (w *world) watch(ctx context.Context, customers ...string) error {
	var opened []*page
	for _, c := range customers {
		live, stop := context.WithCancel(context.WithoutCancel(ctx))
		p := &page{world: w, customer: c, stop: stop, done: make(chan struct{}), first: make(chan struct{}), known: map[string]bool{}}
		w.pages = append(w.pages, p)
		opened = append(opened, p)
		go func() {
			defer close(p.done)
			p.run(live)
		}()
	}
	for _, p := range opened {
		select {
		case <-p.first:
		case <-ctx.Done():
			return fmt.Errorf("open the page of %s: %w", p.customer, ctx.Err())
		}
	}
	return nil
}

func (p *page) close() {
	p.stop()
	<-p.done
}

func (p *page) run(ctx context.Context) {
	var once sync.Once
	for ctx.Err() == nil {
		_ = p.session(ctx, func() { once.Do(func() { close(p.first) }) }) // it ends when a process dies: come back
		_ = wait(ctx, 100*time.Millisecond)
	}
}

// session is one life of the socket.
func (p *page) session(ctx context.Context, open func()) error {
	p.mu.Lock()
	p.sessions++
	no := p.sessions
	p.mu.Unlock()
	status, answer, err := p.world.rest.try(ctx, http.MethodPost, "/v1/customers/"+p.customer+"/tokens", nil)
	if err != nil || status != http.StatusCreated {
		return fmt.Errorf("get a token: %d %w", status, err)
	}
	var grant struct{ Token string }
	if err := json.Unmarshal(answer, &grant); err != nil {
		return err
	}
	dialer := ws.Dialer{Timeout: 5 * time.Second}
	conn, early, _, err := dialer.Dial(ctx, strings.Replace(p.world.front.url, "http", "ws", 1)+"/connection/websocket")
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
		frame := make([]byte, header.Length) // of our own service
		if _, err := io.ReadFull(early, frame); err != nil {
			return err
		}
		switch {
		case header.OpCode == ws.OpClose:
			return errors.New("closed by the service")
		case string(frame) == "{}":
			err = say("{}")
		default:
			err = p.hear(ctx, no, frame, open)
		}
		if err != nil {
			return err
		}
	}
}

// hear takes a frame, which may hold several lines.
func (p *page) hear(ctx context.Context, session int, frame []byte, open func()) error {
	for line := range strings.Lines(string(frame)) {
		var said struct {
			Connect *struct{}
			Push    *struct{ Pub struct{ Data message } }
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			p.world.fail("the page of %s heard no line of the protocol", p.customer)
			return err
		}
		switch {
		case said.Connect != nil:
			missed, err := p.world.rest.messages(ctx, "channel=websocket&customer_id="+p.customer, 0)
			if err != nil {
				return err
			}
			for i := range missed {
				p.show(session, &missed[i], true)
			}
			open()
		case said.Push != nil:
			p.show(session, &said.Push.Pub.Data, false)
		}
	}
	return nil
}

// show puts a message on the page, unless it is there: a page shows an id once.
func (p *page) show(session int, m *message, reloaded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[m.ID] {
		return
	}
	p.known[m.ID] = true
	_ = p.world.live.Add(ledger.Live{At: time.Now(), Customer: p.customer, Session: session, ID: m.ID, Reloaded: reloaded, Fact: m.fact()})
}
