package websocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Run pings, enforces deadlines, tells who is here and listens to the bus until ctx ends. It returns when all that has ended, always nil.
// Sockets stay open: Close ends them.
func (h *Hub) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	if h.bus != nil {
		beside.Go(func() { h.listen(ctx) })
	}
	if h.cfg.Presence != nil {
		beside.Go(func() { h.tellPresence(ctx) })
	}
	ticker := time.NewTicker(h.wheel.tick)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			h.wheel.turn(now)
		case <-ctx.Done():
			beside.Wait()
			return nil
		}
	}
}

// How long to wait before listening again: doubling, and half of it random so that nodes don't come together.
const (
	listenPause    = 100 * time.Millisecond
	listenMaxPause = 5 * time.Second
)

var errListenEnded = errors.New("listening ended")

// listen listens to the bus again and again. Whenever it ends something may be lost, so the sockets start over.
func (h *Hub) listen(ctx context.Context) {
	pause := listenPause
	for {
		began := time.Now()
		err := h.bus.Listen(ctx, h.deliver, h.gap)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errListenEnded
		}
		if time.Since(began) > 2*listenMaxPause {
			pause = listenPause
		}
		wait := pause/2 + rand.N(pause/2)
		h.log.LogAttrs(ctx, slog.LevelWarn, "listening to other nodes ended, trying again",
			slog.Any("error", err), slog.Duration("wait", wait))
		h.gap()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, listenMaxPause)
	}
}

// Close refuses new sockets, says goodbye to the open ones, spread over Config.CloseSpread, and waits until all are gone.
// When ctx ends first it cuts the rest and returns the reason.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.closing)
	}
	h.mu.Unlock()

	gone := make(chan struct{})
	go func() {
		h.running.Wait()
		close(gone)
	}()
	h.dismiss(ctx, h.wheel.all())
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	rest := h.wheel.all()
	for _, s := range rest {
		s.conn.Close()
	}
	<-gone
	if len(rest) == 0 {
		return nil
	}
	return fmt.Errorf("close sockets: %d cut off: %w", len(rest), ctx.Err())
}

// dismiss disconnects sockets in up to 20 steps, with pauses between that make up CloseSpread.
func (h *Hub) dismiss(ctx context.Context, all []*socket) {
	const steps, atLeast = 20, 50
	step := max(atLeast, (len(all)+steps-1)/steps)
	for len(all) > 0 {
		n := min(step, len(all))
		for _, s := range all[:n] {
			s.disconnect(shutdown)
		}
		all = all[n:]
		if len(all) == 0 {
			return
		}
		select {
		case <-time.After(h.cfg.CloseSpread / steps):
		case <-ctx.Done():
			return
		}
	}
}
