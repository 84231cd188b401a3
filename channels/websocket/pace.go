package websocket

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// How fast sockets are opened. One takes about 0.3 ms of a processor (5,000 took 1.5 s), so a crowd gets a seventh of them.
const (
	openedPerProcessor = 500 // a second
	openedAtOnce       = 50  // after a rest: 15 ms of one processor
)

// pace opens sockets one after the other. Thousands that come in the same moment, as after an outage of a network, would have
// the processors to themselves, while customers who are there already wait for their news. Who waits has a place already, so
// Config.MaxSockets bounds how many do; calls and health checks don't come by here, though their connections may wait at the port.
type pace struct {
	gap time.Duration // between two

	mu   sync.Mutex
	next time.Time // when it is the next one's turn
}

func newPace() pace {
	return pace{gap: time.Second / time.Duration(openedPerProcessor*runtime.GOMAXPROCS(0))}
}

// turn is after how long it is the turn of one that has come.
func (p *pace) turn(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if rested := now.Add(-openedAtOnce * p.gap); p.next.Before(rested) {
		p.next = rested
	}
	p.next = p.next.Add(p.gap)
	return p.next.Sub(now)
}

// await waits for the turn of an upgrade, and tells whether it may go on: not when its client has gone or the hub closes.
func (h *Hub) await(ctx context.Context) bool {
	turn := h.pace.turn(time.Now())
	if turn <= 0 {
		return true
	}
	select {
	case <-time.After(turn):
		return true
	case <-ctx.Done():
	case <-h.closing:
	}
	return false
}
