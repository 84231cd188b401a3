package websocket

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// ServeHTTP upgrades a request to a socket and returns: the socket lives on in a goroutine of its own, so that the
// handler's stack and buffers are freed. It must not be wrapped by a handler that writes after it.
//
// Answers that are not 101: 403 for a foreign Origin, 426 for a request that is no upgrade, 429 when the
// address has too many sockets, 503 when there is no place.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this address speaks WebSocket only", http.StatusUpgradeRequired)
		return
	}
	if !h.allows(r) {
		http.Error(w, "pages of this origin may not open a socket here", http.StatusForbidden)
		return
	}
	from := h.address(r)
	no := h.take(from)
	if no == nil && !h.await(r.Context()) {
		h.free(from)
		no = shuttingDown // or nobody hears it
	}
	if no != nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, no.text, no.status)
		return
	}
	// No subprotocol is selected: JSON has none, and a client that offers only another one gives up by itself.
	u := ws.HTTPUpgrader{Timeout: h.cfg.WriteTimeout}
	conn, rw, _, err := u.Upgrade(r, w)
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		h.free(from)
		h.log.LogAttrs(r.Context(), slog.LevelDebug, "upgrade to WebSocket refused", slog.Any("error", err))
		return
	}
	limitKernelBuffer(conn)
	h.admit(conn, from, early(conn, rw.Reader))
}

// admit starts a socket that has a place.
func (h *Hub) admit(conn net.Conn, from netip.Addr, in io.Reader) {
	now := time.Now()
	s := &socket{hub: h, conn: conn, from: from, codec: jsonCodec{}, in: bufio.NewReaderSize(in, readBuffer), credits: burst, refilled: now}
	s.connectBy = now.Add(h.cfg.ConnectTimeout)
	h.wheel.add(s, s.connectBy)
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed { // Close may have collected the sockets before this one was there
		s.disconnect(shutdown)
	}
	go s.run()
}

// early is conn with what the client sent before it saw our answer, which net/http may have read already.
func early(conn net.Conn, in *bufio.Reader) io.Reader {
	n := in.Buffered()
	if n == 0 {
		return conn
	}
	b, _ := in.Peek(n) // all of it is buffered
	return io.MultiReader(bytes.NewReader(bytes.Clone(b)), conn)
}

// limitKernelBuffer keeps the system from hiding a client that does not read: with its usual buffers such a client was
// not noticed until hundreds of kilobytes were on their way.
func limitKernelBuffer(conn net.Conn) {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	if c, ok := conn.(interface{ SetWriteBuffer(int) error }); ok {
		_ = c.SetWriteBuffer(32 << 10) // the socket works without
	}
}

// allows tells whether the page that asks may open a socket. Browsers always send Origin; whoever is no browser could send
// anything, and needs a token all the same.
func (h *Hub) allows(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 || !strings.Contains(origins[0], "://") {
		return false
	}
	host := strings.ToLower(originHost(origins[0]))
	return host != "" && (h.origins[host] || host == strings.ToLower(r.Host))
}

// originHost is the host and port of an origin such as "https://shop.example.com"; a bare host is returned as it is.
func originHost(origin string) string {
	if !strings.Contains(origin, "://") {
		return origin
	}
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Host
}
