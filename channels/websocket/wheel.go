package websocket

import (
	"sync"
	"time"
)

// wheel visits every open socket when it wants to be visited: one ticker stands for all pings and deadlines. It is a
// hashed timing wheel (Varghese and Lauck, 1987) whose slots are linked lists through the sockets themselves. A socket
// that is due beyond one turn waits in the last slot and is put on from there.
type wheel struct {
	tick  time.Duration
	start time.Time

	mu    sync.Mutex
	slots [64]*socket
	at    int64 // the tick that was visited last
	due   []*socket
}

// tick is the grain of the wheel: a sixteenth of the shortest interval, and no more than a second.
func (c Config) tick() time.Duration {
	shortest := min(c.PingInterval, c.PongTimeout, c.ConnectTimeout)
	return max(time.Millisecond, min(shortest/16, time.Second))
}

// link is the place of a socket on the wheel.
type link struct {
	prev, next *socket
	slot       int
	listed     bool
}

// add lists a socket that wants to be visited at due.
func (w *wheel) add(s *socket, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.insert(s, due)
}

// move lets a socket be visited at due instead. It does nothing for one that was removed.
func (w *wheel) move(s *socket, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.listed {
		w.unlink(s)
		w.insert(s, due)
	}
}

// remove forgets a socket.
func (w *wheel) remove(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.listed {
		w.unlink(s)
	}
}

// all are the sockets on the wheel.
func (w *wheel) all() []*socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*socket
	for _, s := range w.slots {
		for ; s != nil; s = s.next {
			all = append(all, s)
		}
	}
	return all
}

// turn visits the sockets that are due at now and puts each where it wants to be next.
func (w *wheel) turn(now time.Time) {
	for _, s := range w.take(now) {
		w.move(s, s.visit(now))
	}
	clear(w.due) // a closed socket must not stay in memory until the next turn
}

// take collects the sockets of the slots up to now. Only turn calls it.
func (w *wheel) take(now time.Time) []*socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due = w.due[:0]
	tick := int64(now.Sub(w.start) / w.tick)
	for at := max(w.at+1, tick-int64(len(w.slots))+1); at <= tick; at++ {
		for s := w.slots[at%int64(len(w.slots))]; s != nil; s = s.next {
			w.due = append(w.due, s)
		}
	}
	w.at = max(w.at, tick)
	return w.due
}

func (w *wheel) insert(s *socket, due time.Time) {
	at := int64(due.Sub(w.start)/w.tick) + 1
	at = min(max(at, w.at+1), w.at+int64(len(w.slots))-1)
	s.slot, s.listed = int(at%int64(len(w.slots))), true
	s.prev, s.next = nil, w.slots[s.slot]
	if s.next != nil {
		s.next.prev = s
	}
	w.slots[s.slot] = s
}

func (w *wheel) unlink(s *socket) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		w.slots[s.slot] = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.link = link{}
}
