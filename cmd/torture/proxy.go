package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// proxy stands between the service and one of its engines, and spoils what passes.
type proxy struct {
	addr     string
	target   string
	listener net.Listener
	handling sync.WaitGroup

	mu     sync.Mutex
	spoil  spoil
	conns  map[net.Conn]bool
	closed bool
}

// spoil is what a proxy does. The zero value passes everything on.
type spoil struct {
	refuse  bool          // new connections are closed, old ones are cut
	swallow bool          // nothing passes, and nobody is told
	delay   time.Duration // before each piece, in both directions
	rate    int           // bytes per second; 0 for no limit
	// request looks at each piece of a client and may cut the connection: before it is passed on, or when the answer
	// comes. Called from many goroutines.
	request func(piece []byte) verdictOnPiece
}

type verdictOnPiece int

const (
	pass verdictOnPiece = iota
	cutBefore
	cutAfter
)

func openProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a proxy: %w", err)
	}
	p := &proxy{addr: l.Addr().String(), target: target, listener: l, conns: map[net.Conn]bool{}}
	p.handling.Go(p.accept)
	return p, nil
}

// set changes what happens from now on. Connections that are open are cut when cut is true.
func (p *proxy) set(s spoil, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = s
	if cut {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

func (p *proxy) now() spoil {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spoil
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.handling.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	if p.now().refuse {
		return
	}
	server, err := net.DialTimeout("tcp", p.target, 2*time.Second)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	if !p.keep(client, server) {
		return
	}
	defer p.forget(client, server)
	l := &link{proxy: p, client: client, server: server}
	var back sync.WaitGroup
	back.Go(l.answers)
	l.requests()
	_ = client.Close()
	_ = server.Close()
	back.Wait()
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

func (p *proxy) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	_ = p.listener.Close()
	p.handling.Wait()
}

// link is one connection through a proxy.
type link struct {
	proxy          *proxy
	client, server net.Conn

	mu     sync.Mutex
	doomed bool // the next answer is lost, and the connection with it
}

func (l *link) requests() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			s := l.proxy.now()
			if s.request != nil {
				switch s.request(buf[:n]) {
				case cutBefore:
					return
				case cutAfter:
					l.mu.Lock()
					l.doomed = true
					l.mu.Unlock()
				}
			}
			if !l.pass(l.server, buf[:n], s) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *link) answers() {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if n > 0 {
			l.mu.Lock()
			doomed := l.doomed
			l.mu.Unlock()
			if doomed || !l.pass(l.client, buf[:n], l.proxy.now()) {
				_ = l.client.Close()
				_ = l.server.Close()
				return
			}
		}
		if err != nil {
			_ = l.client.Close()
			return
		}
	}
}

// pass hands a piece on, as slowly as it is told; false when nothing more can pass.
func (l *link) pass(to io.Writer, piece []byte, s spoil) bool {
	if s.refuse {
		return false
	}
	if s.swallow {
		return true
	}
	if s.delay > 0 {
		time.Sleep(s.delay)
	}
	for len(piece) > 0 {
		n := len(piece)
		if s.rate > 0 {
			n = min(n, max(s.rate/10, 1))
			time.Sleep(time.Second / 10)
		}
		if _, err := to.Write(piece[:n]); err != nil {
			return false
		}
		piece = piece[n:]
	}
	return true
}
