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

// generation is what was published within rememberFor, or until its memory was full. The memory is reused, and nothing in it
// points elsewhere: the name of a customer may be a part of a whole record.
type generation struct {
	since time.Time
	list  []published
	data  []byte // of all of them
}

// published is where a publication lies in the data: its customer, its order and what pages get, one behind the other.
type published struct{ customer, order, frame, end int }

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
	more := len(p.Customer) + len(p.OrderID) + len(p.Data)
	if len(g.list) > 0 && (now.Sub(g.since) > rememberFor || len(g.data)+more > rememberBytes) {
		r.now, r.before = r.before, r.now
		g.list, g.data = g.list[:0], g.data[:0]
	}
	if len(g.list) == 0 {
		g.since = now
	}
	var at published
	at.customer, g.data = len(g.data), append(g.data, p.Customer...)
	at.order, g.data = len(g.data), append(g.data, p.OrderID...)
	at.frame, g.data = len(g.data), append(g.data, p.Data...)
	at.end = len(g.data)
	g.list = append(g.list, at)
}

// replay queues at s what it may see of all that is remembered, the oldest first.
func (r *recent) replay(s *socket, now time.Time) {
	for _, g := range [...]*generation{&r.before, &r.now} {
		if now.Sub(g.since) > 2*rememberFor {
			continue // nothing was published since
		}
		for _, at := range g.list {
			mine := string(g.data[at.customer:at.order]) == s.customer
			if mine && (s.order == "" || string(g.data[at.order:at.frame]) == s.order) {
				s.send(s.codec.publication(s.channel, g.data[at.frame:at.end]))
			}
		}
	}
}
