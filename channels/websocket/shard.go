package websocket

import (
	"slices"
	"sync"
	"time"

	"onmyway/notify"
)

// shard holds the connected sockets of some customers, the oldest first.
type shard struct {
	mu        sync.Mutex
	customers map[string][]*socket
	recent    recent
}

// publish queues p at the sockets that may see it and appends those whose writer must be started to idle. The frame is
// made once, and not at all for a customer who is not there.
func (sh *shard) publish(p *notify.Publication, now time.Time, idle []*socket) []*socket {
	var frame []byte
	var made codec
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.recent.add(p, now)
	for _, s := range sh.customers[p.Customer] {
		if s.order != "" && s.order != p.OrderID {
			continue
		}
		if made != s.codec {
			made, frame = s.codec, s.codec.publication(s.channel, p.Data)
		}
		if s.queue(frame) {
			idle = append(idle, s)
		}
	}
	return idle
}

// join adds a socket and queues its welcome and what was published a moment ago under the same lock: whatever is published after
// the client could see the welcome reaches it, and nothing comes before. It returns the socket that had to leave for it, or nil.
func (sh *shard) join(s *socket, welcome []byte, limit int, now time.Time) (evicted *socket) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.send(welcome)
	sh.recent.replay(s, now)
	list := sh.customers[s.customer]
	if len(list) >= limit {
		evicted = list[0]
		list = slices.Delete(list, 0, 1)
	}
	sh.customers[s.customer] = append(list, s)
	return evicted
}

// leave forgets a socket, if it is here.
func (sh *shard) leave(s *socket) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	list := sh.customers[s.customer]
	i := slices.Index(list, s)
	switch {
	case i < 0:
	case len(list) == 1:
		delete(sh.customers, s.customer)
	default:
		sh.customers[s.customer] = slices.Delete(list, i, i+1)
	}
}
