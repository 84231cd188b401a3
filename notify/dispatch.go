package notify

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Dispatcher sends the messages of one channel. A customer's messages leave one after the other, so a slow recipient delays
// nobody else and first attempts leave in order. A provider that fails is left alone, and one that has a limit is never asked
// faster: what waits for either of them is no attempt.
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

	Breaker  *Breaker  // of the provider; nil: none
	Budget   *Budget   // of retries; nil: no bound
	Throttle *Throttle // the limit of the sender; nil: none
	// Paused is how many providers the Sender leaves alone; nil: there is one provider, and Breaker is about it.
	Paused  func() int
	PerHour int // texts to one number in any hour, of those that are not urgent; 0: no limit

	turns   *turns
	picking chan struct{} // one place: with a Throttle one lane at a time takes a permit, and then the most urgent message
	begins  chan begin
	queued  atomic.Int64
	behind  atomic.Bool // something of this channel stayed in SQL: all that follows stays there too, to keep the order
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

// begin asks for the right to send one message. The answer is until when the request has to end; zero for no.
type begin struct {
	m     *Message
	until chan time.Time // one place
}

// Prepare makes the queues. Call it before Put and Run.
func (d *Dispatcher) Prepare() {
	d.begins = make(chan begin, d.Lanes)
	d.turns = newTurns(d.Queue)
	d.picking = make(chan struct{}, 1)
}

// Put takes messages that are this process's own and due. What does not fit is handed back, so it waits for nothing but SQL.
func (d *Dispatcher) Put(ms []*Message) {
	var over []Handback
	for _, m := range ms {
		if d.behind.Load() || !d.take(m) {
			d.behind.Store(true)
			over = append(over, d.over(m))
		}
	}
	d.handBack(over)
}

// Take is Put for messages that Sweep has claimed: they are the oldest there are, so they go first.
func (d *Dispatcher) Take(ms []Message) {
	var over []Handback
	for i := range ms {
		if !d.take(&ms[i]) {
			over = append(over, d.over(&ms[i]))
		}
	}
	d.handBack(over)
}

// CaughtUp is told when nothing of the channel waits in SQL any more.
func (d *Dispatcher) CaughtUp() { d.behind.Store(false) }

// Behind tells whether messages that are due wait in SQL, because memory has no room for them.
func (d *Dispatcher) Behind() bool { return d.behind.Load() }

// Free is how many messages fit. While the provider is left alone none do; when it may be tried again, one does.
func (d *Dispatcher) Free() int {
	queued := d.Queued()
	until := d.Breaker.Until()
	switch {
	case until.IsZero():
		return max(d.Queue-queued, 0)
	case queued > 0 || d.Breaker.Probing() || d.Now().Before(until):
		return 0
	}
	return 1
}

// Queued is how many messages wait in memory for their attempt or are in it.
func (d *Dispatcher) Queued() int { return int(d.queued.Load()) }

func (d *Dispatcher) take(m *Message) bool {
	if n := d.queued.Add(1); n > int64(d.Queue) {
		d.queued.Add(-1)
		return false
	}
	d.turns.add(m)
	return true
}

// Run sends until ctx ends. Then sends that have begun come to their end, and the rest is handed back.
func (d *Dispatcher) Run(ctx context.Context) error {
	var beginner, lanes sync.WaitGroup
	beginner.Go(func() { d.beginAll(ctx) })
	for range d.Lanes {
		lanes.Go(func() { d.drive(ctx) })
	}
	<-ctx.Done()
	d.drain()
	lanes.Wait()
	d.drain() // what came meanwhile
	close(d.begins)
	beginner.Wait()
	return nil
}

// drive sends one message after the other.
func (d *Dispatcher) drive(ctx context.Context) {
	for {
		q, m := d.next(ctx)
		if m == nil {
			return
		}
		d.send(ctx, m)
		d.turns.done(q)
		if n := d.queued.Add(-1); d.behind.Load() && n <= int64(d.Queue/2) {
			d.Room()
		}
	}
}

// next waits for a message and for leave to send it; nil when ctx has ended.
func (d *Dispatcher) next(ctx context.Context) (*queue, *Message) {
	if d.Throttle != nil {
		select {
		case <-ctx.Done():
			return nil, nil
		case d.picking <- struct{}{}:
			defer func() { <-d.picking }()
		}
	}
	select {
	case <-ctx.Done():
		return nil, nil
	case <-d.turns.ready:
	}
	if d.wait(ctx) != nil {
		return nil, nil
	}
	return d.turns.take()
}

// drain hands back what was not begun.
func (d *Dispatcher) drain() {
	left := d.turns.drain()
	d.queued.Add(int64(-len(left)))
	d.Finish.HandBack(untouched(left))
}

// send sees one message through one attempt.
func (d *Dispatcher) send(ctx context.Context, m *Message) {
	pass, ok := d.ask(m)
	if !ok {
		return
	}
	retry := m.Attempt > 0 // before Begin counts this one
	until := d.begin(ctx, m)
	if until.IsZero() {
		d.unasked(retry, pass)
		d.capped(m)
		d.Finish.HandBack([]Handback{{Message: m.ID}}) // without effect unless it is pending and ours still
		return
	}
	no := m.Attempt
	if !d.Durable {
		no++
	}
	at := Attempt{No: no, StartedAt: d.Now()}
	answer := Answer{Verdict: Permanent, Reason: Expired}
	if at.StartedAt.Before(m.ExpiresAt) {
		// A send that has begun is finished even when the process is told to stop: its end must be known. A process that
		// slept since SQL was asked does not begin: others may have taken its work, and sent it.
		awake, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
		sending, stop := context.WithTimeout(awake, min(d.Timeout, m.ExpiresAt.Sub(at.StartedAt)))
		answer = d.Sender.Send(sending, m)
		stop()
		cancel()
	}
	now := d.Now()
	if answer.Skipped && !d.Durable {
		d.unasked(retry, pass)
		d.leave(m, answer.Reason, now.Add(answer.RetryAfter))
		return
	}
	m.Attempt = no
	d.answered(retry, pass, answer, now)
	if d.Hooks != nil && d.Hooks.Attempted != nil {
		d.Hooks.Attempted(m, answer, now.Sub(at.StartedAt), now.Sub(m.CreatedAt))
	}
	d.Finish.Add(After(m, answer, at, !d.Durable, now, rand.Float64()))
}

// begin asks SQL whether the message is still to be sent, and makes "sending" durable where a repeat does harm. It was
// suppressed meanwhile, perhaps, by newer news or by its customer.
func (d *Dispatcher) begin(ctx context.Context, m *Message) (until time.Time) {
	if m.mayWait() {
		m.PerHour = d.PerHour
	}
	b := begin{m, make(chan time.Time, 1)}
	d.begins <- b
	return <-b.until
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
		var until time.Time
		err := again(ctx, d.SQL, d.Now, func() error {
			// Not cut short by a stop: a row that says "sending" without a request would need a person to look at it.
			asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), beginTimeout)
			defer cancel()
			asked, _ := asking.Deadline()
			until = asked.Add(d.Timeout)
			if !d.Durable {
				return d.Ledger.Ours(asking, ms, ok)
			}
			return d.Ledger.Begin(asking, d.Now(), ms, ok)
		})
		for i, b := range waiting {
			if ok[i] && err == nil {
				b.until <- until
			} else {
				b.until <- time.Time{}
			}
		}
		if err != nil { // stopping while SQL is down: whatever the state of the rows, Reclaim settles it
			d.Finish.HandBack(untouched(ms))
		}
	}
}

// untouched hands messages back as they were.
func untouched(ms []*Message) []Handback {
	back := make([]Handback, len(ms))
	for i, m := range ms {
		back[i].Message = m.ID
	}
	return back
}
