package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
	"onmyway/templates"
)

// rig is a whole service in memory: the real path over twins of everything around it.
type rig struct {
	store *notifytest.Store
	cache *notifytest.Cache
	log   *topic
	live  *page
	dead  *graveyard
	sms   *provider
	push  *provider
	rules *notify.Rules
	queue int
	shape func(*notify.Dispatcher) // changes each dispatcher before it starts; nil: none

	screens *notify.Screens // of the process that runs
	gaveUp  []error         // what Work has returned that nobody had stopped; to be read after stop
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return rigBy(rules(t))
}

func rigBy(r *notify.Rules) *rig {
	return &rig{
		store: notifytest.NewStore(), cache: &notifytest.Cache{}, log: &topic{}, live: &page{}, dead: &graveyard{},
		sms: &provider{}, push: &provider{}, rules: r, queue: 1000,
	}
}

func rules(t testing.TB) *notify.Rules {
	t.Helper()
	words, err := templates.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	routes, err := notify.CompileRoutes([]notify.Route{
		{Name: "near", Milestones: []string{"driver_arriving_pickup"}, PierceQuiet: true, Channels: []notify.Channel{notify.WebSocket, notify.Push, notify.SMS}},
		{Name: "told", Urgencies: []notify.Urgency{notify.High}, Channels: []notify.Channel{notify.WebSocket, notify.Push, notify.SMS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &notify.Rules{
		Routes: routes, Words: words, Locale: "en", Zone: time.UTC,
		Zones: func(name string) *time.Location {
			z, err := time.LoadLocation(name)
			if err != nil {
				return nil
			}
			return z
		},
		Channels: map[notify.Channel]bool{notify.SMS: true, notify.Push: true, notify.WebSocket: true},
	}
}

// intake is that of the rig, with nothing behind it.
func (r *rig) intake() *notify.Intake {
	return &notify.Intake{
		Decode: r.log.decode, Cache: r.cache, Store: r.store, Positions: r.store, DeadLetters: r.dead, Live: r.live,
		Put: func([]notify.Message) {}, Rules: inForce(r.rules), Now: time.Now,
		Kafka: quietOutage("Kafka"), Redis: quietOutage("Redis"), SQL: quietOutage("SQL"), Burial: quietOutage("dead letters"),
	}
}

func quietOutage(engine string) *notify.Outage {
	return &notify.Outage{Engine: engine, Log: slog.New(slog.DiscardHandler)}
}

// start runs a process of the service over the rig's store. Stop is like SIGTERM: it returns when the process has ended.
func (r *rig) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	sql := quietOutage("SQL")
	finisher := &notify.Finisher{Ledger: r.store, SQL: sql, Now: time.Now}
	finisher.Prepare()
	r.screens = &notify.Screens{Store: r.store, SQL: sql, Now: time.Now}
	r.screens.Prepare()
	screens := r.screens
	digester := &notify.Digester{Store: r.store, Rules: inForce(r.rules), Now: time.Now}
	sweep := &notify.Sweep{Outbox: r.store, Digester: digester, SQL: sql, Now: time.Now}
	sweep.Prepare()
	dispatchers := notify.Dispatchers{}
	for ch, p := range map[notify.Channel]*provider{notify.SMS: r.sms, notify.Push: r.push} {
		d := &notify.Dispatcher{
			Channel: ch, Sender: p, Ledger: r.store, Finish: finisher, Lanes: 8, Queue: r.queue, Timeout: time.Second,
			Durable: ch == notify.SMS, SQL: sql, Outage: quietOutage(string(ch)), Now: time.Now, Room: sweep.Wake,
		}
		if r.shape != nil {
			r.shape(d)
		}
		d.Prepare()
		dispatchers[ch] = d
		sweep.Dispatchers = append(sweep.Dispatchers, d)
	}
	intake := r.intake()
	intake.Put, intake.SQL = dispatchers.Put, sql
	var work, out, end sync.WaitGroup
	outCtx, outCancel := context.WithCancel(context.Background())
	work.Go(func() {
		for ctx.Err() == nil { // as a member of a group does
			err := intake.Work(ctx, &partition{topic: r.log, next: r.log.committed()})
			if ctx.Err() == nil {
				r.gaveUp = append(r.gaveUp, err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	work.Go(func() { _ = sweep.Run(ctx) })
	work.Go(func() { _ = screens.Run(ctx) })
	for _, d := range dispatchers {
		out.Go(func() { _ = d.Run(outCtx) })
	}
	end.Go(func() { _ = finisher.Run(ctx) })
	return func() {
		cancel()
		work.Wait()
		outCancel()
		out.Wait()
		finisher.Close()
		end.Wait()
		_ = r.store.Close()
	}
}

// restart stops the process and prepares the next one over the same data.
func (r *rig) restart() {
	fail, lose := r.store.Fail, r.store.Lose
	r.store = r.store.Peer()
	r.store.Fail, r.store.Lose = fail, lose
}

// topic is one partition of Kafka and how far the group has committed it.
type topic struct {
	mu     sync.Mutex
	events []any // notify.Event, or an error for a record that can't be understood
	commit int64
	fence  bool // the next commit finds that the partition is somebody else's
}

func (k *topic) fenceOnce() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fence = true
}

// produce appends events.
func (k *topic) produce(events ...notify.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range events {
		k.events = append(k.events, e)
	}
}

func (k *topic) produceBroken(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, err)
}

func (k *topic) committed() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.commit
}

func (k *topic) decode(r *notify.Record, _ time.Time, dst *notify.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch e := k.events[r.Offset].(type) {
	case error:
		return e
	case notify.Event:
		*dst = e
		dst.Origin = notify.Origin{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time}
	}
	return nil
}

type partition struct {
	topic *topic
	next  int64
}

func (p *partition) Name() (string, int, int64) { return "order-events", 0, p.next }
func (p *partition) StartAt(next int64)         { p.next = next }

func (p *partition) Fetch(ctx context.Context, dst []notify.Record) (int, error) {
	for {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		p.topic.mu.Lock()
		n := 0
		for ; n < len(dst) && p.next < int64(len(p.topic.events)); n++ {
			dst[n] = notify.Record{Topic: "order-events", Offset: p.next, Time: time.Now(), Value: []byte("{}")}
			p.next++
		}
		p.topic.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *partition) Commit(_ context.Context, next int64) error {
	p.topic.mu.Lock()
	defer p.topic.mu.Unlock()
	if p.topic.fence {
		p.topic.fence = false
		return notify.ErrFenced
	}
	if next < p.topic.commit {
		return fmt.Errorf("commit went back from %d to %d", p.topic.commit, next)
	}
	p.topic.commit = next
	return nil
}

// page is the live page of all customers.
type page struct {
	mu    sync.Mutex
	shown []string
	away  bool // other nodes are not reached
}

func (p *page) cut(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

func (p *page) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.shown)
}

func (p *page) Publish(_ context.Context, ps []notify.Publication) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pub := range ps {
		p.shown = append(p.shown, string(pub.Data))
	}
	if p.away {
		return errDown
	}
	return nil
}

type graveyard struct {
	mu   sync.Mutex
	fail error
	rs   []notify.Reject
}

func (g *graveyard) Bury(_ context.Context, rs []notify.Reject) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail != nil {
		return g.fail
	}
	g.rs = append(g.rs, rs...)
	return nil
}

func (g *graveyard) refuse(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail = err
}

// provider takes messages and keeps the only record of it that counts.
type provider struct {
	mu       sync.Mutex
	accepted []notify.Message
	answer   func(m *notify.Message) (takes bool, a notify.Answer) // nil: takes everything at once
	latency  time.Duration
}

func (p *provider) Send(ctx context.Context, m *notify.Message) notify.Answer {
	select {
	case <-ctx.Done():
		return notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}
	case <-time.After(p.latency):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	takes, a := true, notify.Answer{Verdict: notify.Took, ProviderID: "SM" + m.ID.String()}
	if p.answer != nil {
		takes, a = p.answer(m)
	}
	if takes {
		p.accepted = append(p.accepted, *m)
	}
	return a
}

// counts is how often each message was accepted.
func (p *provider) counts() map[notify.ID]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := map[notify.ID]int{}
	for _, m := range p.accepted {
		counts[m.ID]++
	}
	return counts
}

// event is a driver on the way to pickup, for a customer with a phone.
func event(n int, at time.Time) notify.Event {
	e := notify.Event{
		Key: fmt.Sprintf("evt-%d", n), OrderID: fmt.Sprintf("CH-%d", n), CustomerID: fmt.Sprintf("c-%d", n%50),
		Line: notify.CarHaul, Milestone: notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup"),
		Sequence: 1, OccurredAt: at,
		Customer: &notify.Contact{Name: "Dana", Phone: fmt.Sprintf("+1415555%04d", n%50), Locale: "en-US", TimeZone: "America/Los_Angeles"},
	}
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

var errDown = errors.New("down")
