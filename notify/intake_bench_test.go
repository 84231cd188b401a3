package notify_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

// BenchmarkIntake is the live path of an event without the engines around it: decode, decide, write the texts, encode for the
// page. Events come in batches of 500 about orders in random order; customers and orders are known to the cache, and the
// route goes to the live page only. One op is one event.
func BenchmarkIntake(b *testing.B) {
	const orders, batch = 5000, 500
	now := time.Now()
	r := rules(b)
	r.Routes = notify.Routes{}
	for _, m := range notify.Milestones(notify.CarHaul) {
		r.Routes[m] = &notify.Route{Name: "page", Channels: []notify.Channel{notify.WebSocket}}
	}
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		b.Fatal(err)
	}
	r.Zones = func(string) *time.Location { return la }
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	outage := &notify.Outage{Engine: "none", Log: quiet}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	feed := &feed{batch: batch, left: b.N, cancel: cancel, now: now}
	for i := range orders {
		feed.values = append(feed.values, []byte(fmt.Sprintf(`{"id":"evt-%d","order_id":"CH-%d","customer_id":"c-%d","line":"car_haul",
"milestone":"driver_en_route_to_pickup","sequence":7,"occurred_at":%q,
"customer":{"name":"Dana Reyes","phone":"+14155550123","locale":"en-US","time_zone":"America/Los_Angeles"},
"data":{"driver_name":"Sam Rivera","vehicle":"2021 Honda Civic","eta":{"start":"2026-11-21T19:30:00Z","end":"2026-11-21T20:15:00Z"},
"tracking_url":"https://t.example/CH-%d"}}`, i, i, i, now.Format(time.RFC3339), i)))
	}
	intake := &notify.Intake{
		Decode: mapping.Decode, Cache: warm{}, Store: sink{}, Positions: sink{}, Live: blind{}, Put: func([]notify.Message) {},
		Rules: inForce(r), Now: time.Now, Kafka: outage, Redis: outage, SQL: outage, Burial: outage,
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := intake.Work(ctx, feed); err != nil {
		b.Fatal(err)
	}
}

// feed is a partition that is full until as many records as asked for were read.
type feed struct {
	values      [][]byte
	batch, left int
	offset      int64
	now         time.Time
	cancel      func()
}

func (f *feed) Name() (string, int, int64)          { return "order-events", 0, 0 }
func (f *feed) StartAt(int64)                       {}
func (f *feed) Commit(context.Context, int64) error { return nil }
func (f *feed) Fetch(ctx context.Context, dst []notify.Record) (int, error) {
	if f.left <= 0 {
		f.cancel()
		return 0, ctx.Err()
	}
	n := min(f.batch, f.left, len(dst))
	f.left -= n
	for i := range n {
		dst[i] = notify.Record{Topic: "order-events", Offset: f.offset, Time: f.now, Value: f.values[rand.IntN(len(f.values))]}
		f.offset++
	}
	return n, nil
}

// warm is a cache that knows every customer and order, and no event.
type warm struct{}

var headFacts = []byte(`{"vehicle":"2021 Honda Civic","tracking_url":"https://t.example/x"}`)

func (warm) Look(_ context.Context, l *notify.Look) error {
	for i := range l.Profiles {
		l.Profiles[i].ID, l.Profiles[i].Version = l.Customers[i], 1
		l.Profiles[i].Contact = notify.Contact{Name: "Dana Reyes", Phone: "+14155550123", Locale: "en-US", TimeZone: "America/Los_Angeles"}
	}
	for i := range l.Heads {
		l.Heads[i] = notify.Head{OrderID: l.Orders[i].OrderID, Line: l.Orders[i].Line, Milestone: "carrier_assigned", Sequence: 3, Version: 1,
			Facts: headFacts}
	}
	return nil
}

func (warm) Mark(context.Context, *notify.Look) error { return nil }

// sink is a database that takes everything and keeps nothing.
type sink struct{}

func (sink) Known(context.Context, []notify.ID, []bool) error { return nil }
func (sink) Lookup(context.Context, []string, []notify.Profile, []notify.OrderLine, []notify.Head) error {
	return nil
}

func (sink) Add(_ context.Context, b *notify.Batch) error {
	for i := range b.Events {
		b.Events[i].New = true
	}
	return nil
}

func (sink) Position(context.Context, string, int) (int64, bool, error) { return 0, false, nil }

// blind is a page that nobody looks at.
type blind struct{}

func (blind) Publish(context.Context, []notify.Publication) error { return nil }
