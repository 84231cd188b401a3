package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"onmyway/channels/websocket"
	"onmyway/notify"
	"onmyway/notify/mapping"
	"onmyway/templates"
)

// allocating measures how much garbage an event makes, where nothing is measured but our own code: the cache knows
// everything at once and the database takes everything for nothing.
type allocating struct{ lab *lab }

func (a *allocating) close() error { return nil }

type allocsTask struct{ Batches int }

type allocsAnswer struct {
	PerEvent float64
	Shown    int64 // events that reached the open page
	Events   int64
}

// allocBatch is how many events the path takes at once: what Kafka has when there is some load.
const allocBatch = 500

func (a *allocating) round(ctx context.Context, _ int) (readings, error) {
	p, err := a.lab.part(ctx, "allocs", allocsTask{Batches: a.lab.size(200, 20)})
	if err != nil {
		return nil, err
	}
	var got allocsAnswer
	if err := errors.Join(p.hear(&got), p.close()); err != nil {
		return nil, err
	}
	if got.Shown != got.Events {
		return nil, fmt.Errorf("%d of %d events were shown", got.Shown, got.Events)
	}
	return readings{"allocs": {value: got.PerEvent}}, nil
}

// runAllocs is the part that takes events from records to an open page.
func runAllocs(ctx context.Context, l *line) error {
	var task allocsTask
	l.hear(&task)
	in, hub, err := newIntake()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: hub, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	a, err := allocations(ctx, in, "ws://"+listener.Addr().String()+"/", task.Batches)
	_ = server.Close()
	<-served
	return errors.Join(err, l.say(a))
}

func newIntake() (*notify.Intake, *websocket.Hub, error) {
	words, err := templates.Load(nil)
	if err != nil {
		return nil, nil, err
	}
	routes, err := notify.CompileRoutes(nil)
	if err != nil {
		return nil, nil, err
	}
	rules := &notify.Rules{
		Routes: routes, Words: words, Channels: map[notify.Channel]bool{notify.WebSocket: true}, Locale: "en-US", Zone: time.UTC,
		Zones: func(string) *time.Location { return time.UTC },
	}
	m, log := &memory{}, slog.New(slog.DiscardHandler)
	hub := websocket.New(websocket.Config{}, notify.Tokens{Secret: []byte(tokenSecret)}, nil, log)
	outage := func(engine string) *notify.Outage { return &notify.Outage{Engine: engine, Log: log} }
	return &notify.Intake{
		Decode: mapping.Decode, Cache: m, Store: m, Positions: m, DeadLetters: m, Live: hub,
		Put: func([]notify.Message) {}, Rules: func() *notify.Rules { return rules }, Now: time.Now,
		Kafka: outage("Kafka"), Redis: outage("Redis"), SQL: outage("SQL"), Burial: outage("dead letters"),
	}, hub, nil
}

const (
	allocPages = 50
	allocWarm  = 20 // batches that fill pools and buffers
)

// allocations counts those of a number of batches, on their way to open pages.
func allocations(ctx context.Context, in *notify.Intake, url string, batches int) (a allocsAnswer, err error) {
	source, err := newSource(batches + allocWarm)
	if err != nil {
		return a, err
	}
	reading, stop := context.WithCancel(ctx)
	var pages errgroup.Group
	for i := range allocPages {
		var p *page
		if p, err = openPage(ctx, url, i); err != nil {
			break
		}
		pages.Go(func() error { return p.read(reading, func([]byte) { source.shown.Add(1) }) })
	}
	if err == nil {
		err = in.Work(ctx, source)
	}
	if errors.Is(err, notify.ErrFenced) {
		err = nil
	}
	stop()
	err = errors.Join(err, pages.Wait())
	a.Events, a.Shown = int64(source.at*allocBatch), source.shown.Load()
	a.PerEvent = float64(source.after-source.before) / float64(batches*allocBatch)
	return a, err
}

// source is a partition whose records are in memory. It looks at the count of allocations when the warm-up has ended, and
// at its own end.
type source struct {
	records       [][]notify.Record
	at            int
	shown         atomic.Int64 // events that pages have got
	before, after uint64
}

func newSource(batches int) (*source, error) {
	s := &source{}
	d, err := newDeck(deckTask{Events: batches * allocBatch, Orders: batches * allocBatch / 10, People: allocPages, Kind: liveOnly, Run: "a"}, time.Now())
	if err != nil {
		return nil, err
	}
	for i := range d.records {
		if i%allocBatch == 0 {
			s.records = append(s.records, nil)
		}
		last := &s.records[len(s.records)-1]
		*last = append(*last, notify.Record{Topic: topic, Offset: int64(i), Key: d.records[i].Key, Value: d.records[i].Value, Time: time.Now()})
	}
	return s, nil
}

func (s *source) Name() (string, int, int64) { return topic, 0, 0 }

func (s *source) StartAt(int64) {}

func (s *source) Fetch(_ context.Context, dst []notify.Record) (int, error) {
	for begun := time.Now(); s.shown.Load() < int64(s.at*allocBatch) && time.Since(begun) < time.Second; {
		time.Sleep(50 * time.Microsecond) // a page that is behind would be cut in the end
	}
	switch s.at {
	case allocWarm:
		s.before = mallocs()
	case len(s.records):
		s.after = mallocs()
		return 0, notify.ErrFenced // the end: somebody else has the rest
	}
	n := copy(dst, s.records[s.at])
	s.at++
	return n, nil
}

func (s *source) Commit(context.Context, int64) error { return nil }

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// memory is a cache that knows every customer and order, and a database that takes everything.
type memory struct{ next atomic.Int64 }

func (*memory) Look(_ context.Context, l *notify.Look) error {
	clear(l.Seen)
	for i := range l.Profiles {
		l.Profiles[i] = notify.Profile{Customer: notify.Customer{ID: l.Customers[i], Version: 1,
			Contact: notify.Contact{Name: "Dana Reyes", Locale: "en-US", TimeZone: "UTC"}, ByAPI: true}}
	}
	for i, o := range l.Orders {
		l.Heads[i] = notify.Head{OrderID: o.OrderID, Line: o.Line, CustomerID: "c-0", Milestone: "order_booked", Version: 1}
	}
	return nil
}

func (*memory) Mark(context.Context, *notify.Look) error { return nil }

func (*memory) Known(_ context.Context, _ []notify.ID, dst []bool) error {
	clear(dst)
	return nil
}

func (*memory) Lookup(context.Context, []string, []notify.Profile, []notify.OrderLine, []notify.Head) error {
	return errors.New("the cache knows everything")
}

func (m *memory) Add(_ context.Context, b *notify.Batch) error {
	m.next.Store(b.Next)
	for i := range b.Events {
		b.Events[i].New = true
	}
	return nil
}

func (m *memory) Position(context.Context, string, int) (int64, bool, error) {
	next := m.next.Load()
	return next, next > 0, nil
}

func (*memory) Bury(_ context.Context, rs []notify.Reject) error {
	return errors.New("an event of the benchmark cannot be understood: " + rs[0].Reason + " at " + strconv.FormatInt(rs[0].Record.Offset, 10))
}
