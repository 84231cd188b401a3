package websocket

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Presence is told whose sockets are open.
type Presence interface {
	// Here is called for customers with an open socket: at once for who comes, then every 20 seconds for all of the node.
	// Who is not named for 45 seconds is gone. An error costs nothing but that they count as gone.
	Here(ctx context.Context, customers []string) error
}

const (
	presenceEvery = 20 * time.Second
	presenceBatch = 1000
)

// arrivals are the customers who came since Presence was told last.
type arrivals struct {
	mu        sync.Mutex
	customers map[string]bool // bounded by the sockets that may be open
	bell      chan struct{}   // one place
}

func (a *arrivals) add(customer string) {
	a.mu.Lock()
	if a.customers == nil {
		a.customers = map[string]bool{}
	}
	a.customers[customer] = true
	a.mu.Unlock()
	select {
	case a.bell <- struct{}{}:
	default:
	}
}

func (a *arrivals) take() (list []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.customers {
		list = append(list, c)
	}
	a.customers = nil
	return list
}

// tellPresence tells who is here until ctx ends. Those who come while it is told come with the next call, all at once.
func (h *Hub) tellPresence(ctx context.Context) {
	again := time.NewTicker(presenceEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.came.bell:
			h.here(ctx, h.came.take())
		case <-again.C:
			for i := range h.shards {
				h.here(ctx, h.shards[i].names())
			}
		}
	}
}

func (h *Hub) here(ctx context.Context, customers []string) {
	for len(customers) > 0 {
		n := min(len(customers), presenceBatch)
		if err := h.cfg.Presence.Here(ctx, customers[:n]); err != nil && ctx.Err() == nil {
			h.log.LogAttrs(ctx, slog.LevelDebug, "texts do not wait for pages that are open: nobody could be told of them",
				slog.Int("customers", len(customers)), slog.Any("error", err))
			return
		}
		customers = customers[n:]
	}
}

// names lists the customers of a shard.
func (sh *shard) names() []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	list := make([]string, 0, len(sh.customers))
	for c := range sh.customers {
		list = append(list, c)
	}
	return list
}
