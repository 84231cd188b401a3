package notifytest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"onmyway/notify"
)

// Cache is a notify.Cache in memory. It never forgets by itself. The zero value is empty and ready; it is safe for
// concurrent use.
type Cache struct {
	// Fail, when set, is asked before every call with the name of the method, "Look", "Mark" or "Here". What it returns is the
	// call's error, and then the call does nothing.
	Fail func(method string) error

	mu       sync.Mutex
	seen     map[notify.ID]bool
	profiles map[string]notify.Profile
	heads    map[notify.OrderLine]notify.Head
	here     map[string]bool
}

// Look answers from memory.
func (c *Cache) Look(_ context.Context, l *notify.Look) error {
	clear(l.Seen)
	clear(l.Present)
	for i, id := range l.Customers {
		l.Profiles[i] = notify.Profile{Customer: notify.Customer{ID: id}}
	}
	for i, o := range l.Orders {
		l.Heads[i] = notify.Head{OrderID: o.OrderID, Line: o.Line}
	}
	if err := c.fail("Look"); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, id := range l.Events {
		l.Seen[i] = c.seen[id]
	}
	for i, id := range l.Customers {
		if p, ok := c.profiles[id]; ok {
			l.Profiles[i] = copyProfile(p)
		}
	}
	for i := range l.Present {
		l.Present[i] = c.here[l.Customers[i]]
	}
	for i, o := range l.Orders {
		if h, ok := c.heads[o]; ok {
			h.Facts = slices.Clone(h.Facts)
			l.Heads[i] = h
		}
	}
	return nil
}

// Mark remembers events, heads, and profiles that are not older than what it has.
func (c *Cache) Mark(_ context.Context, m *notify.Look) error {
	if err := c.fail("Mark"); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.forget()
	}
	for _, id := range m.Events {
		c.seen[id] = true
	}
	for _, p := range m.Profiles {
		if p.Version > 0 && p.Version >= c.profiles[p.ID].Version {
			c.profiles[p.ID] = copyProfile(p)
		}
	}
	for _, h := range m.Heads {
		at := notify.OrderLine{OrderID: h.OrderID, Line: h.Line}
		if h.Version > 0 {
			h.Facts = slices.Clone(h.Facts)
			c.heads[at] = h
		}
	}
	return nil
}

// Here remembers that customers have a live page open.
func (c *Cache) Here(_ context.Context, customers []string) error {
	if err := c.fail("Here"); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.forget()
	}
	for _, id := range customers {
		c.here[id] = true
	}
	return nil
}

// Forget empties the cache, as a lost Redis would.
func (c *Cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
}

func (c *Cache) forget() {
	c.seen = map[notify.ID]bool{}
	c.profiles = map[string]notify.Profile{}
	c.heads = map[notify.OrderLine]notify.Head{}
	c.here = map[string]bool{}
}

func (c *Cache) fail(method string) error {
	if c.Fail == nil {
		return nil
	}
	return c.Fail(method)
}

// copyProfile shares no memory with p: what a caller does to its answer must not change the cache.
func copyProfile(p notify.Profile) notify.Profile {
	p.Subscriptions = slices.Clone(p.Subscriptions)
	p.Preferences.Channels = maps.Clone(p.Preferences.Channels)
	p.Preferences.Categories = maps.Clone(p.Preferences.Categories)
	for cat, on := range p.Preferences.Categories {
		p.Preferences.Categories[cat] = maps.Clone(on)
	}
	if q := p.Preferences.Quiet; q != nil {
		own := *q
		p.Preferences.Quiet = &own
	}
	return p
}
