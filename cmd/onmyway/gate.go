package main

import (
	"container/list"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// gate is a port that has only so many connections open at once. The files of a process are bounded: whoever opens connections
// and says nothing must not take those that health checks, engines and providers need.
//
// When it is full a new connection takes the place of the one that has been quiet for the longest time: that has not said
// what it wants yet, or has its answer and is kept for the next request. Where there is no such one it waits in the system's
// queue until a request ends.
//
// Thousands that come in the same moment, as after an outage of a network, come in by groups: each is a goroutine that wants a
// processor at once, and news for the pages that are open would wait behind all of them.
type gate struct {
	net.Listener
	most int
	cut  func() // is called for every quiet one that has to go

	came int       // of the group that is coming in
	next time.Time // when the next group may

	mu    sync.Mutex
	room  sync.Cond // of mu: a connection was closed or became quiet, or the gate is shut
	open  int
	quiet list.List // of *visitor, the longest first
	shut  bool
}

// visitor is a connection that came through a gate. It has all methods of its own kind: net/http and live sockets look for
// some of them.
type visitor struct {
	*net.TCPConn
	gate *gate
	at   *list.Element // in quiet; nil: it is not
	gone bool
}

// How fast connections come in. One takes about 0.1 ms of a processor until its request is understood, so a crowd gets a tenth.
const (
	groupSize     = 20
	comeInASecond = 1000 // on each processor
)

func newGate(port net.Listener, most int, cut func()) *gate {
	g := &gate{Listener: port, most: most, cut: cut}
	g.room.L = &g.mu
	return g
}

// Accept returns the next connection when there is room for it.
func (g *gate) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	time.Sleep(g.turn(time.Now()))
	v := &visitor{TCPConn: c.(*net.TCPConn), gate: g}
	if !g.enter() { // a server that stops would wait seconds for what it says
		return nil, errors.Join(net.ErrClosed, v.Close())
	}
	return v, nil
}

// turn is for how long one that has come waits for its group's turn. Only Accept calls it, which one goroutine does.
func (g *gate) turn(now time.Time) (wait time.Duration) {
	if g.came == 0 {
		wait = max(g.next.Sub(now), 0)
		g.next = now.Add(wait + groupGap())
	}
	g.came = (g.came + 1) % groupSize
	return wait
}

// groupGap is how long after a group the next one comes in.
func groupGap() time.Duration {
	return groupSize * time.Second / time.Duration(comeInASecond*runtime.GOMAXPROCS(0))
}

// enter makes room for one more, and tells whether the gate is still open then.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open++
	for g.open > g.most && !g.shut {
		oldest := g.quiet.Front()
		if oldest == nil {
			g.room.Wait()
			continue
		}
		g.turnOut(oldest.Value.(*visitor))
		g.cut()
	}
	return !g.shut
}

// Close closes the port. Connections stay open.
func (g *gate) Close() error {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.room.Broadcast()
	return g.Listener.Close()
}

// note hears from the server what a connection is about.
func (g *gate) note(c net.Conn, state http.ConnState) {
	v, ours := c.(*visitor)
	if !ours {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case state != http.StateNew && state != http.StateIdle:
		g.busy(v)
	case v.at == nil && !v.gone:
		v.at = g.quiet.PushBack(v)
		g.room.Broadcast()
	}
}

// busy takes a connection out of the quiet ones. The caller holds mu.
func (g *gate) busy(v *visitor) {
	if v.at != nil {
		g.quiet.Remove(v.at)
		v.at = nil
	}
}

// leave counts a connection out, once. The caller holds mu.
func (g *gate) leave(v *visitor) {
	if v.gone {
		return
	}
	v.gone = true
	g.busy(v)
	g.open--
	g.room.Broadcast()
}

// clear closes all connections that are quiet.
func (g *gate) clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for oldest := g.quiet.Front(); oldest != nil; oldest = g.quiet.Front() {
		g.turnOut(oldest.Value.(*visitor))
	}
}

// turnOut closes a connection, which its server notices and closes again. The caller holds mu.
func (g *gate) turnOut(v *visitor) {
	g.leave(v)
	v.TCPConn.Close()
}

// Close closes the connection and gives its place to another one.
func (v *visitor) Close() error {
	err := v.TCPConn.Close()
	v.gate.mu.Lock()
	defer v.gate.mu.Unlock()
	v.gate.leave(v)
	return err
}
