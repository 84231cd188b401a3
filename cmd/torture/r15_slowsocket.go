package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

var slowSocketScenario = scenario{
	id: "R15", events: 2_000, within: 6 * time.Minute, full: true,
	promise: "pages that never read cost the others nothing",
	faults:  "1,000 of 10,000 sockets never read",
	knobs:   knobs{},
	run:     runSlowSockets,
}

// crowd is a number of sockets of a few customers.
type crowd struct {
	world     *world
	reading   sync.WaitGroup
	conns     []net.Conn
	heard     atomic.Int64
	mu        sync.Mutex
	latencies []time.Duration
}

func runSlowSockets(ctx context.Context, w *world) error {
	nodes, err := w.up(ctx, 1)
	if err != nil {
		return err
	}
	const customers, rounds = 50, 40
	sockets := w.scaled(10_000, 500)
	c := &crowd{world: w}
	defer c.close()
	if err := c.open(ctx, nodes[0], sockets, customers); err != nil {
		return err
	}
	events := make([]event, 0, customers*rounds)
	for i := range customers * rounds {
		e := onTheWay(i, 1, customers)
		e.Data["vehicle"] = "2021 Honda Civic " + strings.Repeat("x", 60)
		e.Data["note"] = strings.Repeat("n", 800)
		events = append(events, e)
	}
	if err := w.pour(ctx, events, rounds*500*time.Millisecond); err != nil {
		return err
	}
	w.result.Faults = sockets / 10
	readers := sockets - sockets/10
	wanted := int64(readers) * rounds
	err = until(ctx, 30*time.Second, func() error {
		if got := c.heard.Load(); got < wanted {
			return fmt.Errorf("%d of %d publications arrived at those who read", got, wanted)
		}
		return nil
	})
	if err != nil {
		w.fail("%v", err)
	}
	c.mu.Lock()
	slices.Sort(c.latencies)
	if n := len(c.latencies); n > 0 {
		p99 := c.latencies[n*99/100]
		w.count("p99_seconds_of_readers", p99.Seconds())
		if p99 > time.Second && w.options.scale >= 0.5 {
			w.fail("the p99 of those who read is %s, want 1s", p99)
		}
	}
	c.mu.Unlock()
	rss := nodes[0].metric(ctx, resident)
	w.count("rss_megabytes", float64(int(rss)>>20))
	if rss > 700<<20 {
		w.fail("the process has %.0f MB", rss/(1<<20))
	}
	w.count("publications", float64(c.heard.Load()))
	return nil
}

// open opens sockets, every tenth of which never reads.
func (c *crowd) open(ctx context.Context, n *node, sockets, customers int) error {
	tokens := make([]string, customers)
	for i := range tokens {
		var grant struct{ Token string }
		if err := c.world.rest.call(ctx, http.StatusCreated, &grant, http.MethodPost, "/v1/customers/"+customerID(i)+"/tokens", nil); err != nil {
			return err
		}
		tokens[i] = grant.Token
	}
	for i := range sockets {
		deaf := i%10 == 9
		dialer := ws.Dialer{Timeout: 10 * time.Second, NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if t, ok := conn.(*net.TCPConn); ok && deaf {
				_ = t.SetReadBuffer(4096)
			}
			return conn, err
		}}
		s, err := openSocket(ctx, dialer, n.address(), tokens[i%customers])
		if err != nil {
			return fmt.Errorf("open socket %d: %w", i, err)
		}
		c.conns = append(c.conns, s.conn)
		if !deaf {
			c.reading.Go(func() { _ = s.listen(c.hear) })
		}
	}
	return nil
}

// hear counts publications, and times a sample of them.
func (c *crowd) hear(line string) error {
	var said struct {
		Push *struct {
			Pub struct {
				Data struct {
					OccurredAt time.Time `json:"occurred_at"`
				}
			}
		}
	}
	if json.Unmarshal([]byte(line), &said) != nil || said.Push == nil {
		return nil
	}
	if c.heard.Add(1)%100 == 0 {
		c.mu.Lock()
		c.latencies = append(c.latencies, time.Since(said.Push.Pub.Data.OccurredAt))
		c.mu.Unlock()
	}
	return nil
}

func (c *crowd) close() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.reading.Wait()
}
