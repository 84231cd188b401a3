package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

const (
	simTimeout = 5 * time.Second  // of an attempt
	simDrain   = 18 * time.Second // of a stop, as the service has it
	missedIn   = 5 * time.Second  // after which the group takes a silent member for gone
)

// node is a process of the service: the real parts over what the world has.
type node struct {
	w      *world
	name   string
	store  *notifytest.Store
	intake *notify.Intake
	work   func(p *simHandle) (cancel context.CancelFunc)
	cancel map[string]context.CancelFunc
	finish *notify.Finisher

	working, settling, sweeping, dispatching, finishing sync.WaitGroup

	ending atomic.Bool // somebody is about to stop it
	dead   atomic.Bool
	killed chan struct{}        // closed when it dies
	gone   chan struct{}        // closed when nothing of it runs any more
	offset atomic.Int64         // of its clock
	trap   atomic.Pointer[trap] // nil for none

	mu     sync.Mutex
	asleep chan struct{} // closed when it wakes up; nil when it is awake
	woke   time.Time
}

// start starts a process.
func (w *world) start(name string) *node {
	n := &node{w: w, name: fmt.Sprintf("%s.%d", name, len(w.nodes)), store: w.truth.Peer(), killed: make(chan struct{}),
		gone: make(chan struct{}), cancel: map[string]context.CancelFunc{}}
	n.store.Fail, n.store.Lose = n.fail, n.lose
	ledger := simLedger{n.store, n}
	outage := func(engine string) *notify.Outage {
		return &notify.Outage{Engine: engine, Log: slog.New(slog.DiscardHandler)}
	}
	sql, inForce, now := outage("SQL"), func() *notify.Rules { return w.rules }, func() time.Time { return time.Now().Add(n.clock()) }
	n.finish = &notify.Finisher{Ledger: ledger, SQL: sql, Now: now}
	n.finish.Prepare()
	sweep := &notify.Sweep{Outbox: n.store, SQL: sql, Now: now}
	sweep.Digester = &notify.Digester{Store: n.store, Rules: inForce, Now: now}
	sweep.Prepare()
	dispatchers := notify.Dispatchers{}
	for _, c := range []*carrier{w.sms, w.push} {
		d := &notify.Dispatcher{
			Channel: c.channel, Sender: line{c, n}, Ledger: ledger, Finish: n.finish, Lanes: 16, Queue: 256, Timeout: simTimeout,
			Durable: c.channel == notify.SMS && textsAreDurable, SQL: sql, Outage: outage(string(c.channel)), Now: now, Room: sweep.Wake,
		}
		d.Breaker, d.Budget = notify.NewBreaker(0.5), &notify.Budget{}
		if c.channel == notify.SMS {
			d.PerHour = w.limit
		}
		d.Prepare()
		dispatchers[c.channel] = d
		sweep.Dispatchers = append(sweep.Dispatchers, d)
		ctx := n.part("dispatching " + string(c.channel))
		n.dispatching.Go(func() { _ = d.Run(ctx) })
	}
	n.intake = &notify.Intake{
		Decode: w.log.decode, Cache: simCache{w.cache, n}, Store: n.store, Positions: n.store, DeadLetters: w.dead, Live: w.live,
		Put: dispatchers.Put, Rules: inForce, Now: now,
		Kafka: outage("Kafka"), Redis: outage("Redis"), SQL: sql, Burial: outage("dead letters"),
	}
	settler := &notify.Settler{Store: n.store, Finder: line{w.sms, n}, Rules: inForce, Grace: time.Minute, UnknownAfter: 15 * time.Minute,
		SQL: sql, Provider: outage("list"), Now: now}
	poller := &notify.Poller{Store: n.store, Finder: line{w.sms, n}, SQL: sql, Provider: outage("list"), Now: now}
	run := func(of *sync.WaitGroup, name string, f func(context.Context) error) {
		ctx := n.part(name)
		of.Go(func() { _ = f(ctx) })
	}
	run(&n.finishing, "finishing", n.finish.Run)
	run(&n.sweeping, "sweeping", sweep.Run)
	run(&n.settling, "settling", settler.Run)
	run(&n.settling, "polling", poller.Run)
	reading := n.part("intake")
	n.work = func(p *simHandle) context.CancelFunc {
		ctx, cancel := context.WithCancel(reading)
		n.working.Go(func() { n.read(ctx, p) })
		return cancel
	}
	w.nodes = append(w.nodes, n)
	w.log.join(n)
	return n
}

// read works on a partition. A worker that gives up starts again at the committed offset, as those of the real group do.
func (n *node) read(ctx context.Context, p *simHandle) {
	for {
		err := n.intake.Work(ctx, p)
		if err == nil || errors.Is(err, notify.ErrFenced) || n.dead.Load() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		p = p.again()
	}
}

func (n *node) part(name string) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel[name] = cancel
	return ctx
}

// halt is SIGTERM: it returns when the process has ended, and tells how long that took.
func (n *node) halt() time.Duration {
	began := time.Now()
	if n.ending.Swap(true) {
		<-n.gone
		return time.Since(began)
	}
	n.w.log.leave(n)
	n.drain(false)
	if !n.dead.Swap(true) {
		close(n.killed)
		_ = n.store.Close()
	}
	close(n.gone)
	return time.Since(began)
}

// crash is SIGKILL: from now on nothing of the process has an effect. The group notices a few seconds later.
func (n *node) crash() {
	if n.dead.Swap(true) {
		return
	}
	close(n.killed)
	n.resume()
	n.w.flying.Go(func() {
		_ = n.store.Close() // its lock is free
		time.Sleep(missedIn)
		n.w.log.leave(n)
		if !n.ending.Swap(true) {
			n.drain(true)
			close(n.gone)
		}
	})
}

// drain stops one part after the other, as the service does; at once: all together.
func (n *node) drain(atOnce bool) {
	if atOnce {
		for _, cancel := range n.cancel {
			cancel()
		}
	}
	half := time.AfterFunc(simDrain/2, n.cancel["finishing"])
	defer half.Stop()
	for _, part := range []struct {
		running *sync.WaitGroup
		names   []string
	}{
		{&n.working, []string{"intake"}},
		{&n.settling, []string{"settling", "polling"}},
		{&n.sweeping, []string{"sweeping"}},
		{&n.dispatching, []string{"dispatching sms", "dispatching push"}},
	} {
		for _, name := range part.names {
			n.cancel[name]()
		}
		part.running.Wait()
	}
	n.finish.Close()
	n.cancel["finishing"]()
	n.finishing.Wait()
}

// sleep is SIGSTOP for a while. The group takes a member that is silent for long for gone.
func (n *node) sleep(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asleep != nil || n.dead.Load() {
		return
	}
	n.asleep = make(chan struct{})
	woken := n.asleep
	n.w.flying.Go(func() {
		select {
		case <-woken:
			return
		case <-time.After(min(d, missedIn)):
		}
		if d > missedIn {
			n.w.log.leave(n)
			select {
			case <-woken:
			case <-time.After(d - missedIn):
			}
		}
		n.resume()
		n.w.log.join(n)
	})
}

// resume is SIGCONT.
func (n *node) resume() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asleep != nil {
		close(n.asleep)
		n.asleep, n.woke = nil, time.Now()
	}
}

// sleptSince tells whether the process slept since a moment.
func (n *node) sleptSince(t time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.woke.After(t)
}

// loseLock is the end of the database session that holds the process's lock, which it takes again after d.
func (n *node) loseLock(d time.Duration) {
	n.store.Unlock()
	n.w.flying.Go(func() {
		time.Sleep(d)
		if !n.dead.Load() {
			n.store.Lock()
		}
	})
}

// turn makes its clock differ from the true time.
func (n *node) turn(by time.Duration) { n.offset.Store(int64(by)) }

func (n *node) clock() time.Duration { return time.Duration(n.offset.Load()) }
