package websocket

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"onmyway/notify"
)

// Config is how sockets are served. Zero values mean the defaults.
type Config struct {
	// Origins are the hosts, with the port if it is not the usual one, whose pages may open a socket besides those of the
	// host that serves it. Clients that send no Origin, as apps do, are always let in: the token decides.
	Origins []string
	// Address tells who asks, for PerAddress; nil: nobody is counted. An address that is not valid or is of this machine,
	// where proxies and tests are, is not counted either.
	Address func(*http.Request) netip.Addr

	// Presence is told whose sockets are open; nil: nobody is. Shown is called for what a page says that it shows, from many
	// goroutines, and must not wait; nil: nobody listens.
	Presence Presence
	Shown    func(customer string, id notify.ID)

	PingInterval   time.Duration // between our pings to a socket; 25 s
	PongTimeout    time.Duration // for the answer, at most PingInterval; 10 s
	ConnectTimeout time.Duration // from the upgrade to an accepted connect; 15 s
	WriteTimeout   time.Duration // of one write; 5 s
	QueueBytes     int           // that may wait for one socket: beyond, it is cut as slow; 256 kB
	MaxFrame       int           // bytes of one message of a client; 64 KiB
	MaxSockets     int           // open at once: beyond, an upgrade is answered with 503; 10,000
	PerAddress     int           // sockets of one address: beyond, an upgrade is answered with 429; 0: no limit
	PerCustomer    int           // sockets of one customer: a further one takes the place of the oldest; 20
	CloseSpread    time.Duration // over which Close spreads the goodbyes, as clients come back at once; 2 s
}

// The defaults are those of the Centrifuge reference server where it has them (ping, pong, connect, inbound limit).
func (c Config) withDefaults() Config {
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PongTimeout = min(cmp.Or(c.PongTimeout, 10*time.Second), c.PingInterval)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 15*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 5*time.Second)
	c.QueueBytes = cmp.Or(c.QueueBytes, 256_000)
	c.MaxFrame = cmp.Or(c.MaxFrame, 64<<10)
	c.MaxSockets = cmp.Or(c.MaxSockets, 10_000)
	c.PerCustomer = cmp.Or(c.PerCustomer, 20)
	c.CloseSpread = cmp.Or(c.CloseSpread, 2*time.Second)
	return c
}

// Tokens tells what the token of a client allows. notify.Tokens is one.
type Tokens interface {
	// Check returns notify.ErrTokenExpired for a token that was good once, and any other error for one that was not.
	Check(token string, now time.Time) (notify.Grant, error)
}

// Bus carries publications between nodes.
type Bus interface {
	// Publish hands publications to all other nodes.
	Publish(ctx context.Context, ps []notify.Publication) error
	// Listen delivers what other nodes publish, in the order of each node, never what this node published, until ctx
	// ends or it fails. It calls gap when it listens again after it may have missed something. Deliver and gap are not
	// called concurrently, and keep nothing of their arguments.
	Listen(ctx context.Context, deliver func([]notify.Publication), gap func()) error
}

// Hub holds the open sockets of this node. It is an http.Handler that upgrades, and a notify.Live that publishes.
//
// Run turns the wheel of pings and deadlines and listens to the bus; without it sockets are served but never pinged or
// timed out.
type Hub struct {
	cfg     Config
	origins map[string]bool
	tokens  Tokens
	bus     Bus
	log     *slog.Logger

	seed   maphash.Seed
	shards [64]shard // by customer
	wheel  wheel     // every open socket
	came   arrivals
	pace   pace

	closing chan struct{} // closed with the hub

	mu      sync.Mutex
	open    int                // sockets, and upgrades under way
	from    map[netip.Addr]int // of them, by address
	warned  time.Time          // when the log was last told of an address that has too many
	closed  bool               // no more of them
	running sync.WaitGroup
}

// New makes a Hub. A nil bus means that this is the only node.
func New(cfg Config, tokens Tokens, bus Bus, log *slog.Logger) *Hub {
	h := &Hub{cfg: cfg.withDefaults(), tokens: tokens, bus: bus, log: log, seed: maphash.MakeSeed(), origins: map[string]bool{},
		from: map[netip.Addr]int{}, pace: newPace(), closing: make(chan struct{})}
	for _, o := range cfg.Origins {
		h.origins[strings.ToLower(originHost(o))] = true
	}
	for i := range h.shards {
		h.shards[i].customers = make(map[string][]*socket)
	}
	h.came.bell = make(chan struct{}, 1)
	h.wheel.tick = h.cfg.tick()
	h.wheel.start = time.Now()
	return h
}

// Count is how many sockets are open.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// Publish shows publications, in order, to the sockets of their customers: to those of this node at once and, through
// the bus, to those of other nodes. An error is that of the bus: this node's sockets have been served. It never waits for
// a socket.
func (h *Hub) Publish(ctx context.Context, ps []notify.Publication) error {
	h.deliver(ps)
	if h.bus == nil || len(ps) == 0 {
		return nil
	}
	if err := h.bus.Publish(ctx, ps); err != nil {
		return fmt.Errorf("publish %d messages to other nodes: %w", len(ps), err)
	}
	return nil
}

// deliver queues all publications first and starts the writers then: what one socket gets of a batch leaves in one write.
func (h *Hub) deliver(ps []notify.Publication) {
	list := socketLists.Get().(*[]*socket)
	idle, now := (*list)[:0], time.Now()
	for i := range ps {
		idle = h.shard(ps[i].Customer).publish(&ps[i], now, idle)
	}
	for _, s := range idle {
		go s.write()
	}
	clear(idle)
	*list = idle
	socketLists.Put(list)
}

var socketLists = sync.Pool{New: func() any { return new([]*socket) }}

// gap closes all sockets: nobody knows what they missed, so they come back and load over REST.
func (h *Hub) gap() {
	for _, s := range h.wheel.all() {
		s.disconnect(insufficient)
	}
}

func (h *Hub) shard(customer string) *shard {
	return &h.shards[maphash.String(h.seed, customer)%uint64(len(h.shards))]
}
