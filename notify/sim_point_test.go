package notify_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// point is a place between two steps, where a process may be overtaken, sleep or die. It returns an error in one that is dead.
func (n *node) point(place string) error {
	at := n.name + " " + place
	if !idle(place) {
		n.w.yield(at)
	}
	n.rest()
	if t := n.trap.Load(); t != nil && strings.HasPrefix(place, t.point) && t.left.Add(-1) == 0 {
		n.w.flying.Go(t.happen)
		time.Sleep(time.Microsecond) // until it has
		n.rest()
	}
	if n.w.chance("crash", at, n.w.faults.crash) {
		n.crash()
	}
	if n.dead.Load() {
		return errDead
	}
	return nil
}

// trap lets something happen when a process comes to a point for the nth time.
type trap struct {
	point  string
	left   atomic.Int64
	happen func()
}

func (n *node) at(point string, nth int64, happen func()) {
	t := &trap{point: point, happen: happen}
	t.left.Store(nth)
	n.trap.Store(t)
}

// reached tells whether it came there.
func (n *node) reached() bool { return n.trap.Load().left.Load() <= 0 }

// rest waits while the process is stopped.
func (n *node) rest() {
	n.mu.Lock()
	woken := n.asleep
	n.mu.Unlock()
	if woken != nil {
		<-woken
	}
}

// idle tells whether a statement mostly finds nothing to do. Time is too short to go wrong at each of these.
func idle(method string) bool {
	return slices.Contains([]string{"Claim", "Reclaim", "Doubts", "Silent"}, method)
}

func (n *node) fail(method string) error {
	if err := n.point(method); err != nil {
		return err
	}
	w := n.w
	if w.sqlOff.Load() || !idle(method) && w.chance("SQL fails", n.name+" "+method, w.faults.sqlFails) {
		return errDown
	}
	return nil
}

// lose is called with the store's lock held: nothing may wait here.
func (n *node) lose(method string) error {
	at := n.name + " after " + method
	if n.w.chance("crash", at, n.w.faults.crash) {
		n.crash()
	}
	if n.dead.Load() {
		return errDead
	}
	if n.w.chance("answer lost", at, n.w.faults.answerLost) {
		return errDown
	}
	return nil
}

// simLedger has points between the commit of Begin and the request.
type simLedger struct {
	*notifytest.Store
	node *node
}

func (l simLedger) Begin(ctx context.Context, now time.Time, ms []*notify.Message, ok []bool) error {
	err := l.Store.Begin(ctx, now, ms, ok)
	if err == nil {
		err = l.node.point("begun")
	}
	return err
}

// simCache is the cache as one process reaches it.
type simCache struct {
	*notifytest.Cache
	node *node
}

func (c simCache) Look(ctx context.Context, l *notify.Look) error {
	if err := c.node.point("look"); err != nil {
		return err
	}
	w, at := c.node.w, c.node.name
	if w.chance("cache fails", at, w.faults.cacheFails) {
		return errDown
	}
	if err := c.Cache.Look(ctx, l); err != nil {
		return err
	}
	if w.chance("cache lies", at, w.faults.cacheLies) {
		for i := range l.Seen {
			l.Seen[i] = true
		}
		for i := range l.Heads {
			l.Heads[i].Version = max(l.Heads[i].Version-1, 0)
		}
		for i := range l.Profiles {
			l.Profiles[i].Version = max(l.Profiles[i].Version-1, 0)
		}
	}
	return nil
}

func (c simCache) Mark(ctx context.Context, l *notify.Look) error {
	if err := c.node.point("mark"); err != nil {
		return err
	}
	if c.node.w.chance("cache fails", c.node.name, c.node.w.faults.cacheFails) {
		return errDown
	}
	return c.Cache.Mark(ctx, l)
}
