package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"onmyway/notify"
)

// How the bus keeps its subscription.
const (
	firstWait   = 100 * time.Millisecond // before the first try to subscribe again; doubles
	longestWait = 5 * time.Second
	pingEvery   = 5 * time.Second  // so that a connection that died silently is noticed
	silence     = 12 * time.Second // after so long without a pong or message the connection counts as dead: two lost pings
)

// publishLimit is how long Redis may take for what a node shows the others. Failing makes these close all their sockets.
const publishLimit = 150 * time.Millisecond

// errSilent means that the connection of the subscription died without a word.
var errSilent = errors.New("redis has been silent for too long")

// Bus shows the publications of one node to all others, through one Redis channel. What is published while a node is not
// subscribed is not kept for it; the node is told that there is a gap.
type Bus struct {
	store   *Store
	channel string
	node    node
	lost    atomic.Bool // others may have missed something of ours and have not been told
}

// Bus returns this node's end of the bus. A process has one: two of them are two nodes.
func (s *Store) Bus() *Bus {
	b := &Bus{store: s, channel: s.prefix + "live"}
	rand.Read(b.node[:])
	return b
}

// Publish shows ps to the other nodes. It keeps nothing of ps. When it fails, some nodes may have missed them: all of them are
// told that there was a gap, by the next Publish that succeeds, before it shows its own, or by Listen within seconds.
func (b *Bus) Publish(ctx context.Context, ps []notify.Publication) error {
	if len(ps) == 0 {
		return nil
	}
	gap := b.lost.Swap(false)
	payload := appendPublications(nil, b.node, ps)
	err := b.store.insist(ctx, publishLimit, len(ps), func(ctx context.Context) error {
		pipe := b.store.client.Pipeline()
		if gap {
			pipe.Publish(ctx, b.channel, appendGap(nil, b.node))
		}
		pipe.Publish(ctx, b.channel, payload)
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		b.lost.Store(true)
		return fmt.Errorf("publish %d messages to the other nodes: %w", len(ps), err)
	}
	return nil
}

// tellGap lets the other nodes know that they may have missed something of ours, if they have not been told: nothing else
// may be published for hours.
func (b *Bus) tellGap(ctx context.Context) {
	if !b.lost.Swap(false) {
		return
	}
	err := b.store.try(ctx, 1, func(ctx context.Context) error {
		return b.store.client.Publish(ctx, b.channel, appendGap(nil, b.node)).Err()
	})
	if err != nil {
		b.lost.Store(true)
	}
}

// Listen calls deliver with what other nodes publish, until ctx ends, and then returns nil. It subscribes again by
// itself after a break and calls gap whenever publications may have been missed: after every subscription, also the first
// one, since sockets may be open already; when another node says so; and on a payload that cannot be read. Deliver and gap are called
// one at a time, in order; while one of them blocks, Redis keeps what follows only up to its limit for subscribers and
// then breaks the connection. The publications belong to deliver;
// their strings keep the whole payload in memory.
func (b *Bus) Listen(ctx context.Context, deliver func([]notify.Publication), gap func()) error {
	wait, broke := firstWait, false
	for ctx.Err() == nil {
		err := b.listenOnce(ctx, deliver, gap, func() {
			if broke {
				b.store.log.Info("listening to the other nodes again")
			}
			gap()
			wait = firstWait
		})
		if ctx.Err() != nil {
			break
		}
		b.store.log.Warn("lost touch with the other nodes; trying again", "wait", wait, "error", err)
		broke = true
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + mathrand.N(wait/2)): // not all nodes at the same moment
		}
		wait = min(2*wait, longestWait)
	}
	return nil
}

// listenOnce holds one subscription until it breaks. It calls subscribed once Redis has confirmed it.
func (b *Bus) listenOnce(ctx context.Context, deliver func([]notify.Publication), gap, subscribed func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	sub := b.store.client.Subscribe(ctx)
	var heard pulse
	heard.beat()
	var guard sync.WaitGroup
	guard.Go(func() { b.guard(ctx, cancel, sub, &heard) })
	defer guard.Wait()
	defer cancel(nil)

	if err := sub.Subscribe(ctx, b.channel); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for {
		got, err := sub.Receive(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", errors.Join(context.Cause(ctx), err))
		}
		heard.beat()
		switch got := got.(type) {
		case *redis.Subscription:
			subscribed()
		case *redis.Message:
			b.take(got.Payload, deliver, gap)
		}
	}
}

// take hands on what another node sent.
func (b *Bus) take(payload string, deliver func([]notify.Publication), gap func()) {
	from, ps, ok := parsePayload(payload)
	switch {
	case from == b.node: // sent by ourselves, and on our sockets already
	case !ok:
		b.store.log.Warn("another node sent what this release cannot read", "bytes", len(payload))
		gap()
	case len(ps) == 0:
		gap()
	default:
		deliver(ps)
	}
}

// guard closes the subscription when ctx ends, because a blocked read does not see that, and when Redis has been silent
// for too long although it was asked. Meanwhile it tells the others of gaps.
func (b *Bus) guard(ctx context.Context, cancel context.CancelCauseFunc, sub *redis.PubSub, heard *pulse) {
	defer sub.Close()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if heard.since() > silence {
				cancel(errSilent)
				return
			}
			b.tellGap(ctx)
			// A failing ping breaks the read too, which tells the reason.
			_ = sub.Ping(ctx)
		}
	}
}

// pulse is when something was last heard, on the clock that nobody sets.
type pulse struct{ at atomic.Pointer[time.Time] }

func (p *pulse) beat() {
	now := time.Now()
	p.at.Store(&now)
}

func (p *pulse) since() time.Duration { return time.Since(*p.at.Load()) }
