package websocket

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/gobwas/ws"
)

// socket is one connection of one client. Its reader is the goroutine in run; writers come and go.
type socket struct {
	hub   *Hub
	conn  net.Conn
	from  netip.Addr // who is counted for it
	codec codec
	link  // the wheel's

	// The reader's own.
	in       *bufio.Reader
	head     [ws.MaxHeaderSize]byte
	unread   int64 // bytes of the payload of the frame whose header was read last
	asked    bool  // a connect came
	credits  int
	refilled time.Time

	// Set by connect, before anybody else sees them.
	customer string
	order    string // empty: all orders of the customer
	channel  string // of the customer

	outbox
	// Guarded by its mutex.
	connected bool
	why       disconnect
	connectBy time.Time
	pingAt    time.Time
	pongBy    time.Time // zero: no ping is open
	expires   time.Time // of the token
}

const (
	// readBuffer is what an idle socket keeps to read with: a pong takes 8 bytes, and what is longer goes past it.
	readBuffer = 64
	// expiryGrace is the time that a client has for a new token after the old one expired; that of the reference server.
	expiryGrace = 25 * time.Second
)

// run is the socket's goroutine. All but reading is in calls that return, so that it waits with a shallow stack.
func (s *socket) run() {
	d := s.read()
	s.finish(d)
}

// finish disconnects with d, unless the connection has ended already, and forgets the socket.
func (s *socket) finish(d disconnect) {
	defer s.hub.free(s.from)
	if d != stay {
		s.disconnect(d)
		s.drain()
	}
	s.abandon()
	s.hub.wheel.remove(s)
	if s.connected {
		s.hub.shard(s.customer).leave(s)
	}
	s.hub.log.LogAttrs(context.Background(), slog.LevelDebug, "socket closed",
		slog.Int("code", int(s.why.code)), slog.String("reason", s.why.reason))
}

// drain reads on after we have closed, until the client has as well: see closeGrace. It starts behind what was left
// unread of a refused frame, whose payload would otherwise pass for headers: one that can't be right would end the
// connection before our close frame has left.
func (s *socket) drain() {
	for {
		if _, err := io.CopyN(io.Discard, s.in, s.unread); err != nil || s.parted() {
			return
		}
		h, err := s.frameHeader()
		if err != nil && !errors.Is(err, ws.ErrHeaderLengthMSB) {
			return
		}
		if h.OpCode == ws.OpClose {
			s.leaves()
		}
	}
}

// leaves notes that the client has closed.
func (s *socket) leaves() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

// parted tells whether both sides have closed.
func (s *socket) parted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left && s.closed
}

// visit does what is due at now and tells when to come again.
func (s *socket) visit(now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := false
	switch {
	case s.ending:
		return now.Add(s.hub.cfg.PingInterval) // the write timeout and closeGrace end it
	case !s.connected && now.Before(s.connectBy):
		return s.connectBy
	case !s.connected:
		start = s.end(stale)
	case !s.pongBy.IsZero() && !now.Before(s.pongBy):
		start = s.end(noPong)
	case !now.Before(s.expires.Add(expiryGrace)):
		start = s.end(expired)
	case !now.Before(s.pingAt):
		s.pingAt = now.Add(s.hub.cfg.PingInterval)
		s.pongBy = now.Add(s.hub.cfg.PongTimeout)
		start = s.push(s.codec.ping())
	}
	if start {
		go s.write()
	}
	return s.dueAt()
}

// dueAt is when a connected socket wants to be visited. The caller holds the lock.
func (s *socket) dueAt() time.Time {
	due := s.pingAt
	for _, t := range [...]time.Time{s.pongBy, s.expires.Add(expiryGrace)} {
		if !t.IsZero() && t.Before(due) {
			due = t
		}
	}
	return due
}

// ponged takes the answer to a ping. A pong that nobody asked for is against the protocol.
func (s *socket) ponged() disconnect {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pongBy.IsZero() {
		return badRequest
	}
	s.pongBy = time.Time{}
	return stay
}

// ended tells whether the socket is being closed: what the client still says is not heard.
func (s *socket) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// A client may send 200 frames and commands at once and 20 a second from then on: far more than any does, and too few
// to keep us busy.
const (
	burst    = 200
	perCount = time.Second / 20
)

// spend pays for a frame or command and tells whether the client could afford it.
func (s *socket) spend(now time.Time) bool {
	if n := now.Sub(s.refilled) / perCount; n > 0 {
		s.credits = min(burst, s.credits+int(min(n, burst)))
		s.refilled = now
	}
	s.credits--
	return s.credits >= 0
}
