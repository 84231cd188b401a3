package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"onmyway/notify"
)

// The limits of Once.
const (
	batchSize  = 500                    // events in one request to Kafka
	perEvent   = 20 * time.Millisecond  // of the deadline; measured: well under 1 ms on two cores
	perKill    = 40 * time.Second       // of the deadline: Kafka gives a dead member's partitions away after 10 s
	leastTime  = time.Minute            // of the deadline
	quietTime  = time.Second            // after the last arrival, in which a second one would show
	checkEvery = 100 * time.Millisecond // how often it is looked whether everything has arrived
	killWithin = 400 * time.Millisecond // a kill comes that soon after the first arrival of its part
)

// run is one run of Once.
type run struct {
	*world
	o      Options
	seed   uint64
	buyers []*buyer
	in     input
	book   *book
	held   map[key]bool // texts of which the service says that it does not know whether they went out

	published map[eventKey]time.Time
	progress  *progress
	pages     sync.WaitGroup
	closing   context.CancelFunc // of the pages
}

// Once publishes o.Events events as fast as it can, waits until everything that should arrive has arrived, and judges by
// what the receivers have. The report says what was found; the error is why there is none. A report of a run that lost or
// doubled something is no error.
func Once(ctx context.Context, o Options) (rep *Report, err error) {
	r := &run{o: o, seed: rand.Uint64(), book: newBook(), held: map[key]bool{}, published: map[eventKey]time.Time{}}
	r.progress = newProgress(o.Err, o.Bar)
	r.progress.say("starting")
	if r.world, err = open(ctx, o, nil, r.book.add); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.world.close()) }()
	limit := max(leastTime, time.Duration(o.Events)*perEvent) + time.Duration(o.Kills)*perKill
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	defer r.closePages()
	began := time.Now()
	if err := r.flow(ctx); err != nil {
		return nil, err
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	if o.Kills > 0 {
		if err := r.askHeld(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	r.closePages()
	r.progress.end()
	if rep = r.report(time.Since(began)); !rep.OK() {
		r.progress.say("something is wrong" + r.Service.lastWords())
	}
	return rep, nil
}

// prepare makes the buyers known, opens their live pages and writes the events.
func (r *run) prepare(ctx context.Context) error {
	r.buyers = crowd(r.Run, r.o.Events)
	var g errgroup.Group
	g.SetLimit(8)
	for _, b := range r.buyers {
		g.Go(func() error { return b.register(ctx, r.REST, r.Push, time.Now()) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	paging, cancel := context.WithCancel(ctx)
	r.closing = cancel
	opened := make(chan struct{}, len(r.buyers))
	waiting := 0
	for _, b := range r.buyers {
		if !b.Watches {
			continue
		}
		p := &livePage{customer: b.ID, rest: r.REST, heard: r.book.add, opened: sync.OnceFunc(func() { opened <- struct{}{} })}
		r.pages.Go(func() { p.run(paging) })
		waiting++
	}
	for range waiting {
		select {
		case <-opened:
		case <-ctx.Done():
			r.closePages()
			return fmt.Errorf("open %d live pages: %w", waiting, ctx.Err())
		}
	}
	r.in = write(r.Run, r.buyers, r.o.Events, time.Now(), r.seed)
	return nil
}

func (r *run) closePages() {
	r.closing()
	r.pages.Wait()
}

// flow publishes everything, in as many parts as there are kills and one more. Each kill falls into the work on a part,
// and the next part comes while the service is away.
func (r *run) flow(ctx context.Context) error {
	parts := split(r.in.Events, r.o.Kills+1)
	for i, part := range parts {
		if err := r.publishAll(ctx, part); err != nil {
			return err
		}
		if i == len(parts)-1 {
			break
		}
		if err := r.killAfter(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) publishAll(ctx context.Context, es []*event) error {
	for batch := range slices.Chunk(es, batchSize) {
		now := time.Now()
		for _, e := range batch {
			if k := (eventKey{e.Order, e.Sequence}); r.published[k].IsZero() {
				r.published[k] = now
			}
		}
		if err := r.publish(ctx, batch); err != nil {
			return err
		}
		r.progress.show(r.arrived(), len(r.in.Due))
	}
	return nil
}

// killAfter waits until the service works on a part, lets a random moment pass, kills it and starts it again at once.
func (r *run) killAfter(ctx context.Context, part []*event) error {
	var due []key
	for _, e := range part {
		due = append(due, e.due(true)...)
	}
	for r.book.missing(due) == len(due) {
		if err := r.pause(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("wait for work to kill the service in: %w", err)
		}
	}
	if err := r.pause(ctx, rand.N(killWithin)); err != nil {
		return err
	}
	r.Service.kill()
	r.progress.say("killed the service with SIGKILL; starting it again")
	if err := r.Service.start(); err != nil {
		return err
	}
	return r.Service.ready(ctx)
}

// wait returns when everything has arrived, or the time is up, and then nothing has come for a while.
func (r *run) wait(ctx context.Context) error {
	asked := time.Now()
	for r.arrived() < len(r.in.Due) && ctx.Err() == nil {
		r.progress.show(r.arrived(), len(r.in.Due))
		if r.o.Kills > 0 && time.Since(asked) > time.Second {
			asked = time.Now()
			if err := r.askHeld(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		select {
		case <-r.Service.ended():
			return fmt.Errorf("wait for messages: %w%s", errEnded, r.Service.lastWords())
		case <-ctx.Done():
		case <-time.After(checkEvery):
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	r.progress.show(r.arrived(), len(r.in.Due))
	still := context.WithoutCancel(ctx) // a second is always left to see what comes twice
	for n := -1; n != len(r.book.all()); {
		n = len(r.book.all())
		if err := r.pause(still, quietTime); err != nil {
			return err
		}
	}
	return nil
}

// arrived is how many of those that are due have arrived, or are held.
func (r *run) arrived() int {
	due := slices.DeleteFunc(slices.Clone(r.in.Due), func(k key) bool { return r.held[k] })
	return len(r.in.Due) - r.book.missing(due)
}

// askHeld asks the service which texts it holds because it does not know whether they went out.
func (r *run) askHeld(ctx context.Context) error {
	addresses := make(map[eventKey]string, len(r.in.Events))
	for _, e := range r.in.Events {
		addresses[eventKey{e.Order, e.Sequence}] = e.Buyer.Phone
	}
	held := map[key]bool{}
	err := r.REST.messages(ctx, url.Values{"state": {string(notify.Verify)}}, func(ms []message) bool {
		for _, m := range ms {
			if phone, ours := addresses[eventKey{m.OrderID, m.Sequence}]; ours {
				held[key{m.Channel, phone, m.OrderID, m.Sequence}] = true
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("ask which texts are held: %w", err)
	}
	r.held = held
	return nil
}

func (r *run) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// report is what came of the run.
func (r *run) report(took time.Duration) *Report {
	got := r.book.all()
	v := judge(r.in.Due, got, r.held)
	n, late := counts(got), latencies(got, r.published)
	rep := &Report{
		Events: len(r.in.Events) - r.in.Repeats, Repeats: r.in.Repeats, Kills: r.o.Kills, Verify: len(r.held),
		Lost: len(v.Lost), Doubled: len(v.Doubled), Unexpected: len(v.Strays), Seconds: rounded(took.Seconds()),
		Latency: map[notify.Channel]Latency{},
		verdict: v,
	}
	rep.Messages.SMS.Accepted, rep.Messages.Push.Accepted = n[notify.SMS], n[notify.Push]
	rep.Messages.WebSocket.Sent = n[notify.WebSocket]
	for ch := range maps.Keys(late) {
		rep.Latency[ch] = Latency{P50: inMillis(percentile(late[ch], 0.5)), P99: inMillis(percentile(late[ch], 0.99))}
	}
	return rep
}
