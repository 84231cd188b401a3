package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"onmyway/notify"
)

// carrier is a provider with a ledger of what it took, which is the only truth about what customers got.
type carrier struct {
	w       *world
	channel notify.Channel

	mu      sync.Mutex
	script  []string // what it does with the next requests; then it follows the seed
	ledger  []taken
	count   map[notify.ID]int
	tries   map[attempt]bool
	unclear map[notify.ID]int
	newest  map[thread]taken
	stops   map[string]time.Time // numbers, and since when they get no texts
}

// taken is a message that a provider accepted.
type taken struct {
	notify.Message
	attempt  int
	id       string
	left, at time.Time // the request left; the provider took it
	visible  time.Time // from when on its list shows it
	ends     time.Time // delivered
}

type attempt struct {
	id notify.ID
	no int
}

type thread struct {
	order   notify.OrderLine
	address string
}

func newCarrier(w *world, ch notify.Channel) *carrier {
	return &carrier{w: w, channel: ch, count: map[notify.ID]int{}, tries: map[attempt]bool{}, unclear: map[notify.ID]int{},
		newest: map[thread]taken{}, stops: map[string]time.Time{}}
}

// line is the carrier as one process reaches it.
type line struct {
	*carrier
	node *node
}

// Send implements notify.Sender. A request that has left arrives, whatever becomes of the process meanwhile.
func (l line) Send(ctx context.Context, m *notify.Message) notify.Answer {
	place := fmt.Sprintf("%s %s %d", l.channel, m.ID, m.Attempt)
	unclear := notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}
	if l.node.point("send "+place) != nil || ctx.Err() != nil {
		return unclear
	}
	fate := l.fate(place)
	if fate == "unreachable" {
		return notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable, Detail: "connection refused"}
	}
	left := time.Now()
	l.begins(l.node, m, left)
	answered := make(chan notify.Answer, 1)
	copied := *m
	l.w.flying.Go(func() {
		time.Sleep(l.w.upTo("the way to "+place, 80*time.Millisecond))
		if fate == "slow" {
			time.Sleep(10*time.Second + l.w.upTo("the queue of "+place, 10*time.Second))
		}
		a, answers := l.arrives(&copied, fate, place, left)
		time.Sleep(l.w.upTo("the way from "+place, 80*time.Millisecond))
		if answers {
			answered <- a
		} else {
			answered <- unclear
		}
	})
	var a notify.Answer
	select {
	case a = <-answered:
	case <-ctx.Done():
		a = unclear
	case <-l.node.killed:
		a = unclear
	}
	if a.Verdict == notify.Unclear && !l.node.dead.Load() {
		l.tooOften(m)
	}
	return a
}

var fates = []struct {
	name string
	p    func(f *faults) float64
}{
	{"refused", func(f *faults) float64 { return f.refused }},
	{"unreachable", func(f *faults) float64 { return f.unreachable }},
	{"lost before", func(f *faults) float64 { return f.lostBefore }},
	{"lost after", func(f *faults) float64 { return f.lostAfter }},
	{"slow", func(f *faults) float64 { return f.slow }},
	{"bad number", func(f *faults) float64 { return f.badNumber }},
}

// fate is what becomes of a request.
func (c *carrier) fate(place string) string {
	c.mu.Lock()
	if len(c.script) > 0 {
		next := c.script[0]
		c.script = c.script[1:]
		c.mu.Unlock()
		return next
	}
	c.mu.Unlock()
	for _, f := range fates {
		if c.w.chance(f.name, place, f.p(&c.w.faults)) {
			return f.name
		}
	}
	return "ok"
}

// begins checks that a request may leave.
func (c *carrier) begins(n *node, m *notify.Message, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := attempt{m.ID, m.Attempt}
	if c.channel == notify.SMS && c.tries[key] {
		c.w.blame("I7: attempt %d of text %s left twice", m.Attempt, m.ID)
	}
	c.tries[key] = true
	if by := now.Add(n.clock()); !by.Before(m.ExpiresAt) && c.w.faults.clocks == 0 {
		c.w.blame("I6: message %s left at %s, when it was true until %s", m.ID, by, m.ExpiresAt)
	}
	if since, stopped := c.stops[m.Address]; stopped && now.Sub(since) > time.Second && !n.sleptSince(since) {
		c.w.blame("I6: text %s left %s after a STOP", m.ID, now.Sub(since))
	}
}

// arrives takes a message or does not, and says what it answers; not answers: the connection ends.
func (c *carrier) arrives(m *notify.Message, fate, place string, left time.Time) (a notify.Answer, answers bool) {
	switch fate {
	case "refused":
		return notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, Status: 429,
			RetryAfter: c.w.upTo("Retry-After of "+place, 30*time.Second)}, true
	case "bad number":
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.BadAddress, Status: 400}, true
	case "lost before":
		return notify.Answer{}, false
	}
	id := c.take(m, place, left)
	if fate == "lost after" {
		return notify.Answer{}, false
	}
	return notify.Answer{Verdict: notify.Took, ProviderID: id, Status: 201}, true
}

// take writes into the ledger and checks it.
func (c *carrier) take(m *notify.Message, place string, left time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	id := fmt.Sprintf("SM-%s-%d", m.ID, len(c.ledger))
	t := taken{*m, m.Attempt, id, left, now, now.Add(c.w.upTo("the list "+place, 10*time.Second)), now.Add(c.w.upTo("the phone "+place, time.Minute))}
	c.ledger = append(c.ledger, t)
	c.count[m.ID]++
	if c.channel != notify.SMS {
		return id
	}
	if c.count[m.ID] > 1 {
		c.w.blame("I1: the provider took text %s %d times", m.ID, c.count[m.ID])
	}
	at := thread{notify.OrderLine{OrderID: m.OrderID, Line: m.Line}, m.Address}
	if newer, there := c.newest[at]; there && m.Sequence < newer.Sequence && left.After(newer.at) && !m.Standing && m.ResendNo == 0 && !m.IsDigest() {
		c.w.blame("I5: text %s about step %d of %s left after step %d was taken", m.ID, m.Sequence, m.OrderID, newer.Sequence)
	} else if !there || m.Sequence > newer.Sequence {
		c.newest[at] = t
	}
	for _, s := range []notify.State{notify.Sent, notify.Delivered} {
		c.callback(&t, s, place+" "+string(s))
	}
	return id
}

// callback tells what became of a text: never, once or twice, in any order.
func (c *carrier) callback(t *taken, s notify.State, place string) {
	if c.w.chance("callback lost", place, c.w.faults.callbackLost) {
		return
	}
	times := 1
	if c.w.chance("callback twice", place, c.w.faults.callbackTwice) {
		times = 2
	}
	r := notify.Report{Message: t.ID, Attempt: t.attempt, ProviderID: t.id, State: s, At: t.at}
	for range times {
		wait := t.ends.Sub(t.at) + c.w.upTo("the callback "+place, 5*time.Second)
		if s == notify.Sent {
			wait = c.w.upTo("the callback "+place, 30*time.Second)
		}
		c.w.flying.Go(func() {
			time.Sleep(wait)
			if err := c.w.truth.Report(context.Background(), time.Now(), r); err != nil {
				c.w.blame("a callback was refused: %v", err)
			}
		})
	}
}

// tooOften checks that a channel that may repeat does not do so for ever.
func (c *carrier) tooOften(m *notify.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unclear[m.ID]++; c.unclear[m.ID] > 20 && c.channel != notify.SMS {
		c.w.blame("I9: message %s had %d unclear attempts", m.ID, c.unclear[m.ID])
	}
}

// stopped notes since when a number gets no texts; zero for no more.
func (c *carrier) stopped(number string, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since.IsZero() {
		delete(c.stops, number)
	} else if _, already := c.stops[number]; !already {
		c.stops[number] = since
	}
}

func (c *carrier) counts() map[notify.ID]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := map[notify.ID]int{}
	for id, n := range c.count {
		counts[id] = n
	}
	return counts
}

// entries is the ledger.
func (c *carrier) entries() []taken {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ledger)
}

// Find implements notify.Finder: the list shows a text some seconds after it was taken.
func (l line) Find(_ context.Context, m *notify.Message, since time.Time) ([]notify.Report, error) {
	if err := l.asked("find " + m.ID.String()); err != nil {
		return nil, err
	}
	now := time.Now()
	var found []notify.Report
	for _, t := range slices.Backward(l.entries()) {
		if t.Address == m.Address && t.Body == m.Body && !t.visible.After(now) && !t.at.Before(since) {
			found = append(found, t.report(now))
		}
	}
	return found, nil
}

// Fetch implements notify.Finder.
func (l line) Fetch(_ context.Context, id string) (notify.Report, error) {
	if err := l.asked("fetch " + id); err != nil {
		return notify.Report{}, err
	}
	for _, t := range l.entries() {
		if t.id == id {
			return t.report(time.Now()), nil
		}
	}
	return notify.Report{}, notify.ErrNoSuchText
}

func (l line) asked(place string) error {
	if err := l.node.point(place); err != nil {
		return err
	}
	if l.w.chance("lookup fails", place, l.w.faults.findFails) {
		return errors.New("503")
	}
	return nil
}

func (t *taken) report(now time.Time) notify.Report {
	r := notify.Report{ProviderID: t.id, State: notify.Accepted, At: t.at}
	if !now.Before(t.ends) {
		r.State = notify.Delivered
	}
	return r
}
