package notify

import (
	"context"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Dispatcher sends the messages of one channel. A customer's messages go through one lane, one after the other, so a slow
// recipient delays nobody else and first attempts leave in order.
//
// The queues are bounded. What finds them full stays in SQL and is nobody's until Sweep brings it back: a channel that is
// slow or down delays neither Kafka nor the other channels, and memory stays flat.
type Dispatcher struct {
	Channel Channel
	Sender  Sender
	Ledger  Ledger
	Finish  *Finisher
	Lanes   int           // sends at the same time
	Queue   int           // messages in memory at most
	Timeout time.Duration // of one attempt
	Durable bool          // a repeat does harm: "sending" is in SQL before the request leaves
	Hooks   *Hooks
	SQL     *Outage
	Outage  *Outage // of the provider
	Now     func() time.Time
	Room    func() // called when there is room again for what stayed in SQL

	lanes  []*lane
	begins chan begin
	queued atomic.Int64
	behind atomic.Bool // something of this channel stayed in SQL: all that follows stays there too, to keep the order
}

const beginTimeout = 5 * time.Second // for SQL to say that a message is ours to send

// Dispatchers are the dispatchers by channel.
type Dispatchers map[Channel]*Dispatcher

// Put hands every message to the dispatcher of its channel. A channel without one leaves its messages in SQL.
func (ds Dispatchers) Put(ms []Message) {
	byChannel := map[Channel][]*Message{}
	for i := range ms {
		byChannel[ms[i].Channel] = append(byChannel[ms[i].Channel], &ms[i])
	}
	for ch, list := range byChannel {
		if d := ds[ch]; d != nil {
			d.Put(list)
		}
	}
}

var seed = maphash.MakeSeed()

// lane is the queue of some customers.
type lane struct {
	mu    sync.Mutex
	queue []*Message
	wake  chan struct{} // one place
}

// begin asks for the right to send one message.
type begin struct {
	m  *Message
	ok chan bool // one place
}

// Prepare makes the lanes. Call it before Put and Run.
func (d *Dispatcher) Prepare() {
	d.begins = make(chan begin, d.Lanes)
	d.lanes = make([]*lane, d.Lanes)
	for i := range d.lanes {
		d.lanes[i] = &lane{wake: make(chan struct{}, 1)}
	}
}

// Put takes messages that are this process's own and due. What does not fit is released, so it waits for nothing but SQL.
func (d *Dispatcher) Put(ms []*Message) {
	var over []ID
	for _, m := range ms {
		if d.behind.Load() || !d.take(m) {
			d.behind.Store(true)
			over = append(over, m.ID)
		}
	}
	d.Finish.Release(over)
}

// Take is Put for messages that Sweep has claimed: they are the oldest there are, so they go first.
func (d *Dispatcher) Take(ms []Message) {
	var over []ID
	for i := range ms {
		if !d.take(&ms[i]) {
			over = append(over, ms[i].ID)
		}
	}
	d.Finish.Release(over)
}

// CaughtUp is told when nothing of the channel waits in SQL any more.
func (d *Dispatcher) CaughtUp() { d.behind.Store(false) }

// Behind tells whether messages that are due wait in SQL, because memory has no room for them.
func (d *Dispatcher) Behind() bool { return d.behind.Load() }

// Free is how many messages fit.
func (d *Dispatcher) Free() int { return max(d.Queue-int(d.queued.Load()), 0) }

func (d *Dispatcher) take(m *Message) bool {
	if n := d.queued.Add(1); n > int64(d.Queue) {
		d.queued.Add(-1)
		return false
	}
	l := d.lanes[maphash.String(seed, m.CustomerID)%uint64(len(d.lanes))]
	l.mu.Lock()
	l.queue = append(l.queue, m)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// Run sends until ctx ends. Then sends that have begun come to their end, and the rest is released.
func (d *Dispatcher) Run(ctx context.Context) error {
	var beginner, lanes sync.WaitGroup
	beginner.Go(func() { d.beginAll(ctx) })
	for _, l := range d.lanes {
		lanes.Go(func() { d.drive(ctx, l) })
	}
	lanes.Wait()
	close(d.begins)
	beginner.Wait()
	return nil
}

// drive sends the messages of one lane, one after the other.
func (d *Dispatcher) drive(ctx context.Context, l *lane) {
	for {
		m := l.next(ctx)
		if m == nil {
			d.release(l)
			return
		}
		d.send(ctx, m)
		if n := d.queued.Add(-1); d.behind.Load() && n <= int64(d.Queue/2) {
			d.Room()
		}
	}
}

// next waits for a message; nil when ctx has ended.
func (l *lane) next(ctx context.Context) *Message {
	for ctx.Err() == nil {
		if m := l.pop(); m != nil {
			return m
		}
		select {
		case <-ctx.Done():
		case <-l.wake:
		}
	}
	return nil
}

func (l *lane) pop() *Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		return nil
	}
	m := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return m
}

// release hands back what a lane did not send.
func (d *Dispatcher) release(l *lane) {
	var left []ID
	for m := l.pop(); m != nil; m = l.pop() {
		left = append(left, m.ID)
		d.queued.Add(-1)
	}
	d.Finish.Release(left)
}

// send sees one message through one attempt.
func (d *Dispatcher) send(ctx context.Context, m *Message) {
	if !d.begin(ctx, m) {
		d.Finish.Release([]ID{m.ID}) // without effect unless it is pending and ours still
		return
	}
	if !d.Durable {
		m.Attempt++ // else counted by Begin
	}
	at := Attempt{No: m.Attempt}
	at.StartedAt = d.Now()
	answer := Answer{Verdict: Permanent, Reason: Expired}
	if at.StartedAt.Before(m.ExpiresAt) {
		// A send that has begun is finished even when the process is told to stop: its end must be known.
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(d.Timeout, m.ExpiresAt.Sub(at.StartedAt)))
		answer = d.Sender.Send(sending, m)
		cancel()
	}
	now := d.Now()
	switch {
	case answer.Reason == Unreachable, answer.Reason == Misconfigured:
		d.Outage.Failed(errors.New(answer.Detail), now)
	case answer.Verdict == Took:
		d.Outage.Answered(now)
	}
	if d.Hooks != nil && d.Hooks.Attempted != nil {
		d.Hooks.Attempted(m, answer, now.Sub(at.StartedAt), now.Sub(m.CreatedAt))
	}
	d.Finish.Add(After(m, answer, at, !d.Durable, now, rand.Float64()))
}

// begin asks SQL whether the message is still to be sent, and makes "sending" durable where a repeat does harm. It was
// suppressed meanwhile, perhaps, by newer news or by its customer.
func (d *Dispatcher) begin(ctx context.Context, m *Message) bool {
	b := begin{m, make(chan bool, 1)}
	d.begins <- b
	return <-b.ok
}

// beginAll answers all lanes that want to begin now with one statement.
func (d *Dispatcher) beginAll(ctx context.Context) {
	var waiting []begin
	for first := range d.begins {
		waiting = append(waiting[:0], first)
		for more := true; more && len(waiting) < cap(d.begins); {
			select {
			case b, open := <-d.begins:
				if more = open; open {
					waiting = append(waiting, b)
				}
			default:
				more = false
			}
		}
		ms, ok := make([]*Message, len(waiting)), make([]bool, len(waiting))
		for i, b := range waiting {
			ms[i] = b.m
		}
		err := again(ctx, d.SQL, d.Now, func() error {
			// Not cut short by a stop: a row that says "sending" without a request would need a person to look at it.
			asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), beginTimeout)
			defer cancel()
			if !d.Durable {
				return d.Ledger.Ours(asking, ms, ok)
			}
			return d.Ledger.Begin(asking, d.Now(), ms, ok)
		})
		for i, b := range waiting {
			b.ok <- ok[i] && err == nil
		}
		if err != nil { // stopping while SQL is down: whatever the state of the rows, Reclaim settles it
			d.Finish.Release(ids(ms))
		}
	}
}

func ids(ms []*Message) []ID {
	out := make([]ID, len(ms))
	for i, m := range ms {
		out[i] = m.ID
	}
	return out
}
