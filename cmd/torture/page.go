package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
	s, err := openSocket(ctx, ws.Dialer{Timeout: 5 * time.Second}, p.world.front.url, grant.Token)
	if err != nil {
		return err
	}
	defer func() { _ = s.conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	return s.listen(func(line string) error { return p.hear(ctx, no, line, open) })
}

// hear takes a line.
func (p *page) hear(ctx context.Context, session int, line string, open func()) error {
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
