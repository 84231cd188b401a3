package websocket

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// refusal is why there is no place for a socket.
type refusal struct {
	status int
	text   string
}

var (
	shuttingDown = &refusal{http.StatusServiceUnavailable, "shutting down"}
	full         = &refusal{http.StatusServiceUnavailable, "too many sockets are open"}
	crowded      = &refusal{http.StatusTooManyRequests, "too many sockets are open from this address"}
)

// warnEvery keeps a flood out of the log.
const warnEvery = time.Minute

// address is who is counted for a request; the zero address is nobody.
func (h *Hub) address(r *http.Request) netip.Addr {
	if h.cfg.Address == nil || h.cfg.PerAddress <= 0 {
		return netip.Addr{}
	}
	from := h.cfg.Address(r)
	if from.IsLoopback() {
		return netip.Addr{}
	}
	return from
}

// take reserves a place for one socket of an address, or tells why there is none.
func (h *Hub) take(from netip.Addr) *refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return shuttingDown
	case h.open >= h.cfg.MaxSockets:
		return full
	case from.IsValid() && h.from[from] >= h.cfg.PerAddress:
		h.warn(from)
		return crowded
	}
	h.open++
	if from.IsValid() {
		h.from[from]++
	}
	h.running.Add(1)
	return nil
}

// warn tells the operator of an address that is at its limit, which may be a proxy that nobody named. The caller holds mu.
func (h *Hub) warn(from netip.Addr) {
	now := time.Now()
	if now.Sub(h.warned) < warnEvery {
		return
	}
	h.warned = now
	h.log.Warn("live sockets of one address are refused: name it in http.trusted_proxies if it is a proxy of yours, or raise http.sockets_per_address",
		slog.String("client", from.String()), slog.Int("open", h.from[from]))
}

// free gives a place back.
func (h *Hub) free(from netip.Addr) {
	h.mu.Lock()
	h.open--
	if from.IsValid() {
		if h.from[from]--; h.from[from] == 0 {
			delete(h.from, from)
		}
	}
	h.mu.Unlock()
	h.running.Done()
}
