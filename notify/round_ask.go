package notify

import (
	"context"
	"fmt"
	"slices"
)

// ask writes what is to be asked about the batch.
func (b *round) ask() {
	l := &b.look
	l.Events, l.Customers, l.Orders = l.Events[:0], l.Customers[:0], l.Orders[:0]
	clear(b.customers)
	clear(b.orders)
	routes, waits := b.Rules().Routes, false
	for i := range b.events {
		e := &b.events[i]
		waits = waits || routes.waits(e.Milestone)
		l.Events = append(l.Events, e.ID)
		if _, there := b.customers[e.CustomerID]; !there {
			b.customers[e.CustomerID] = len(l.Customers)
			l.Customers = append(l.Customers, e.CustomerID)
		}
		if o := (OrderLine{e.OrderID, e.Line}); !b.has(o) {
			b.orders[o] = len(l.Orders)
			l.Orders = append(l.Orders, o)
		}
	}
	l.Seen = cleared(l.Seen, len(l.Events))
	l.Profiles = cleared(l.Profiles, len(l.Customers))
	l.Present = l.Present[:0]
	if waits { // nobody else wants to know who looks at a page
		l.Present = cleared(l.Present, len(l.Customers))
	}
	l.Heads = cleared(l.Heads, len(l.Orders))
	b.cached = cleared(b.cached, len(l.Customers))
}

// remember asks the cache, once. A cache that fails remembers nothing.
func (b *round) remember(ctx context.Context) {
	l := &b.look
	if len(l.Events) == 0 {
		return
	}
	if err := b.Cache.Look(ctx, l); err != nil {
		b.Redis.Failed(err, b.Now())
		clear(l.Seen)
		clear(l.Present)
		return
	}
	b.Redis.Answered(b.Now())
	for i := range l.Profiles {
		b.cached[i] = l.Profiles[i].Version > 0
	}
}

func (b *round) has(o OrderLine) bool { _, there := b.orders[o]; return there }

// forget makes the next lookup ask SQL for what has changed.
func (b *round) forget(m *HeadMoved) {
	for _, o := range m.Orders {
		if i, there := b.orders[o]; there {
			b.look.Heads[i] = Head{OrderID: o.OrderID, Line: o.Line}
		}
	}
	for _, c := range m.Customers {
		if i, there := b.customers[c]; there {
			b.look.Profiles[i], b.cached[i] = Profile{Customer: Customer{ID: c}}, false
		}
	}
}

// lookup fills from SQL what the cache does not know, which is what has no version. What SQL does not have either stays so
// and is asked for again if the batch is decided once more.
func (b *round) lookup(ctx context.Context) error {
	var customers []string
	var orders []OrderLine
	for i := range b.look.Profiles {
		if b.look.Profiles[i].Version == 0 {
			customers = append(customers, b.look.Customers[i])
		}
	}
	for i := range b.look.Heads {
		if b.look.Heads[i].Version == 0 {
			orders = append(orders, b.look.Orders[i])
		}
	}
	if len(customers)+len(orders) == 0 {
		return nil
	}
	profiles, heads := make([]Profile, len(customers)), make([]Head, len(orders))
	err := again(ctx, b.SQL, b.Now, func() error { return b.Store.Lookup(ctx, customers, profiles, orders, heads) })
	if err != nil {
		return fmt.Errorf("look up %d customers and %d orders: %w", len(customers), len(orders), err)
	}
	for i, c := range customers {
		b.look.Profiles[b.customers[c]] = profiles[i]
	}
	for i, o := range orders {
		b.look.Heads[b.orders[o]] = heads[i]
	}
	return nil
}

func cleared[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}
