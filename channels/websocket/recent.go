package websocket

import (
	"time"

	"onmyway/notify"
)

// recent is what was published to the customers of a shard a moment ago. News is shown before it is stored, so a page that opens
// in between would miss it: it is not in what the page loads, and was shown before the page was there.
type recent struct {
	now, before generation
}

// generation is what was published within rememberFor, or until its memory was full. The memory is reused.
type generation struct {
	since time.Time
	list  []published
	data  []byte // of all of them
}

type published struct {
	customer, order string
	start, end      int // in data
}

const (
	// rememberFor is how long a publication is remembered at least, unless there are too many: a little longer than Intake
	// waits for SQL before it shows again what it has stored.
	rememberFor = 5 * time.Second
	// rememberBytes is how much a shard remembers at most, twice: far less than may wait for one socket.
	rememberBytes = 64 << 10
)

// add remembers p.
func (r *recent) add(p *notify.Publication, now time.Time) {
	g := &r.now
	if len(g.list) > 0 && (now.Sub(g.since) > rememberFor || len(g.data)+len(p.Data) > rememberBytes) {
		r.now, r.before = r.before, r.now
		g.forget()
	}
	if len(g.list) == 0 {
		g.since = now
	}
	start := len(g.data)
	g.data = append(g.data, p.Data...)
	g.list = append(g.list, published{p.Customer, p.OrderID, start, len(g.data)})
}

func (g *generation) forget() {
	clear(g.list)
	g.list, g.data = g.list[:0], g.data[:0]
}

// replay queues at s what it may see of all that is remembered, the oldest first.
func (r *recent) replay(s *socket, now time.Time) {
	for _, g := range [...]*generation{&r.before, &r.now} {
		if now.Sub(g.since) > 2*rememberFor {
			continue // nothing was published since
		}
		for _, p := range g.list {
			if p.customer == s.customer && (s.order == "" || s.order == p.order) {
				s.send(s.codec.publication(s.channel, g.data[p.start:p.end]))
			}
		}
	}
}
