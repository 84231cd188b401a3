package websocket_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

func TestWhoSeesWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
		stop := run(t, hub)
		open := func(customer, order string) *client {
			c := pipe(t, hub).listen()
			c.connect(token(t, customer, order, time.Hour))
			return c
		}
		all, one, other, odd := open("c-42", ""), open("c-42", "CH-2"), open("c-1", ""), open("Zoë \"Z\"\n", "")
		publish(t, hub,
			notify.Publication{Customer: "c-42", OrderID: "CH-1", Data: []byte(`{"n":1}`)},
			notify.Publication{Customer: "c-42", OrderID: "CH-2", Data: []byte("{\r\n\"n\":2}")},
			notify.Publication{Customer: "c-1", OrderID: "CH-2", Data: []byte(`{"n":3}`)},
			notify.Publication{Customer: "nobody", Data: []byte(`{"n":4}`)},
			notify.Publication{Customer: "Zoë \"Z\"\n", Data: []byte(`{"n":5}`)},
		)
		publish(t, hub)
		for _, tt := range []struct {
			name string
			c    *client
			want []string
		}{
			{"all orders", all, []string{pub("c-42", `{"n":1}`), pub("c-42", `{  "n":2}`)}},
			{"one order", one, []string{pub("c-42", `{  "n":2}`)}},
			{"another customer", other, []string{pub("c-1", `{"n":3}`)}},
			{"an odd id", odd, []string{pub(`Zoë \"Z\"\n`, `{"n":5}`)}},
		} {
			for _, want := range tt.want {
				if got := tt.c.hear(); got != want {
					t.Errorf("%s: got %s, want %s", tt.name, got, want)
				}
			}
			synctest.Wait()
			if n := len(tt.c.frames); n != 0 {
				t.Errorf("%s: %d more", tt.name, n)
			}
			tt.c.leave()
		}
		stop()
	})
}

func TestFrameSizes(t *testing.T) {
	inBubble(t, websocket.Config{QueueBytes: 1 << 20}, func(t *testing.T, hub *websocket.Hub, c *client) {
		c.connect(token(t, "c-42", "", time.Hour))
		for _, n := range []int{1, 60, 70, 80, 1000, 16 << 10, 65_400, 65_535, 70_000, 300_000, 3} {
			data := fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", n))
			publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(data)})
			publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(`{"between":1}`)})
			if got, want := c.hear(), pub("c-42", data); got != want {
				t.Errorf("%d: got %d bytes, want %d", n, len(got), len(want))
			}
			if got, want := c.hear(), pub("c-42", `{"between":1}`); got != want {
				t.Errorf("after %d: got %s, want %s", n, got, want)
			}
		}
	})
}

// A client that does not read is cut when its queue is full, and the customer's other sockets see everything.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(websocket.Config{QueueBytes: 10_000}, tokens, nil, quietly)
		stop := run(t, hub)
		hello := fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token(t, "c-42", "", time.Hour))
		asleep, dead, awake := pipe(t, hub), pipe(t, hub), pipe(t, hub).listen()
		for _, c := range []*client{asleep, dead, awake} {
			c.say(hello)
		}
		awake.hear()
		synctest.Wait() // until all three have joined
		const many = 200
		for i := range many {
			publish(t, hub, notify.Publication{Customer: "c-42", Data: fmt.Appendf(nil, `{"n":%d,"text":%q}`, i, strings.Repeat("x", 100))})
			if got := awake.hear(); !strings.Contains(got, fmt.Sprintf(`{"n":%d,`, i)) {
				t.Fatalf("%d: got %s", i, got)
			}
		}
		asleep.listen().wantClose(3008, "slow") // it wakes before the write times out
		asleep.leave()
		time.Sleep(6 * time.Second) // of the bubble: the write to the dead one times out
		synctest.Wait()
		if hub.Count() != 1 {
			t.Errorf("%d sockets are left, want 1", hub.Count())
		}
		dead.conn.Close()
		awake.leave()
		stop()
	})
}

func TestSlowReaderOverLoopback(t *testing.T) {
	hub, url := serve(t, websocket.Config{WriteTimeout: 200 * time.Millisecond, QueueBytes: 50_000}, nil)
	dialer := ws.Dialer{NetDial: smallBuffers}
	deaf := dial(t, url, dialer)
	deaf.say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token(t, "c-42", "", time.Hour)))
	awake := dial(t, url, ws.Dialer{}).listen()
	defer deaf.conn.Close()
	defer awake.leave()
	awake.connect(token(t, "c-42", "", time.Hour))

	data := []byte(`{"text":"` + strings.Repeat("x", 1000) + `"}`)
	const many = 1000
	for range many {
		publish(t, hub, notify.Publication{Customer: "c-42", Data: data})
		if got := awake.hear(); got != pub("c-42", string(data)) {
			t.Fatalf("got %s", got)
		}
	}
	got := 0
	for range deaf.listen().frames { // ends when the write has timed out, or with the close frame
		got++
	}
	if got >= many {
		t.Errorf("the deaf one got %d frames", got)
	}
}

func TestThousandSockets(t *testing.T) {
	const sockets, customers, rounds = 1000, 100, 20
	hub, url := serve(t, websocket.Config{}, nil)
	signed := make([]string, customers)
	for i := range signed {
		signed[i] = token(t, fmt.Sprint("c-", i), "", time.Hour)
	}
	var ready, heard sync.WaitGroup
	ready.Add(sockets)
	for i := range sockets {
		heard.Go(func() {
			c := dial(t, url, ws.Dialer{}).listen()
			defer c.leave()
			c.connect(signed[i%customers])
			ready.Done()
			for n := range rounds {
				if got, want := c.hear(), pub(fmt.Sprint("c-", i%customers), fmt.Sprintf(`{"n":%d}`, n)); got != want {
					t.Errorf("got %s, want %s", got, want)
					return
				}
			}
		})
	}
	ready.Wait()
	if n := hub.Count(); n != sockets {
		t.Errorf("%d sockets", n)
	}
	for n := range rounds {
		var batch []notify.Publication
		for i := range customers {
			batch = append(batch, notify.Publication{Customer: fmt.Sprint("c-", i), Data: fmt.Appendf(nil, `{"n":%d}`, n)})
		}
		publish(t, hub, batch...)
	}
	heard.Wait()
}

// Clients come, go, are pinged, evicted and refresh while others publish: for the race detector.
func TestTraffic(t *testing.T) {
	hub, url := serve(t, websocket.Config{PingInterval: 20 * time.Millisecond, PerCustomer: 3}, nil)
	signed := token(t, "c-42", "", time.Hour)
	end := make(chan struct{})
	var publishing, visiting sync.WaitGroup
	for range 2 {
		publishing.Go(func() {
			for {
				select {
				case <-end:
					return
				case <-time.After(100 * time.Microsecond):
				}
				publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(`{"n":1}`)})
			}
		})
	}
	for range 8 {
		visiting.Go(func() {
			for i := range 20 {
				c := dial(t, url, ws.Dialer{}).listen()
				c.say(fmt.Sprintf(`{"id":1,"connect":{"token":%[1]q}}`+"\n"+`{"id":2,"refresh":{"token":%[1]q}}`, signed))
				for range i % 5 {
					<-c.frames // or it ends: evicted, or too slow to answer a ping
				}
				if i%3 == 0 {
					c.write(ws.NewCloseFrame(nil))
				}
				c.leave()
			}
		})
	}
	visiting.Wait()
	close(end)
	publishing.Wait()
}

// Publishing to one customer out of 1,000, each with one open socket, in batches of 100.
func BenchmarkPublish(b *testing.B) {
	const sockets, size = 1000, 100
	hub, url := serve(b, websocket.Config{}, nil)
	var batch []notify.Publication
	for i := range sockets {
		customer := fmt.Sprint("c-", i)
		c := dial(b, url, ws.Dialer{})
		c.say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token(b, customer, "", time.Hour)))
		if _, err := c.read(); err != nil {
			b.Fatal(err)
		}
		go func() { // reads without looking
			defer c.conn.Close()
			p := make([]byte, 4096)
			for {
				if _, err := c.conn.Read(p); err != nil {
					return
				}
			}
		}()
		batch = append(batch, notify.Publication{Customer: customer, Data: []byte(`{"text":"` + strings.Repeat("x", 300) + `"}`)})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i * size % sockets
		publish(b, hub, batch[at:at+size]...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/publication")
}

func smallBuffers(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(4096)
	}
	return conn, err
}

// News is shown before it is stored. A page that opens in between gets it once more, and only what it may see; older news is in
// what the page loads.
func TestNewcomersGetWhatWasJustPublished(t *testing.T) {
	for name, tt := range map[string]struct {
		order string        // of the newcomer's token
		after time.Duration // how long after the publications it comes
		want  []string
	}{
		"all orders":     {"", time.Second, []string{`{"n":1}`, `{"n":2}`}},
		"one order":      {"CH-2", time.Second, []string{`{"n":2}`}},
		"a minute later": {"", time.Minute, nil}, // half a minute is between the two
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
				defer run(t, hub)()
				publish(t, hub, notify.Publication{Customer: "c-42", OrderID: "CH-1", Data: []byte(`{"n":1}`)},
					notify.Publication{Customer: "c-1", OrderID: "CH-9", Data: []byte(`{"n":9}`)})
				time.Sleep(tt.after / 2)
				publish(t, hub, notify.Publication{Customer: "c-42", OrderID: "CH-2", Data: []byte(`{"n":2}`)})
				time.Sleep(tt.after)
				c := pipe(t, hub).listen()
				c.connect(token(t, "c-42", tt.order, time.Hour))
				publish(t, hub, notify.Publication{Customer: "c-42", OrderID: "CH-2", Data: []byte(`{"n":3}`)})
				for _, want := range append(tt.want, `{"n":3}`) {
					if got := c.hear(); got != pub("c-42", want) {
						t.Errorf("got %s, want %s", got, want)
					}
				}
				c.leave()
			})
		})
	}
}

// What is remembered is bounded, and the newest of it stays.
func TestRecentIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(websocket.Config{QueueBytes: 4 << 20}, tokens, nil, quietly)
		defer run(t, hub)()
		const all = 2000
		long := strings.Repeat("x", 1000)
		for n := range all {
			publish(t, hub, notify.Publication{Customer: "c-42", Data: fmt.Appendf(nil, `{"n":%d,"long":%q}`, n, long)})
		}
		c := pipe(t, hub).listen()
		c.connect(token(t, "c-42", "", time.Hour))
		publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(`{"end":true}`)})
		got, last := 0, ""
		for f := c.hear(); f != pub("c-42", `{"end":true}`); f = c.hear() {
			got, last = got+1, f
		}
		if got == 0 || got > 600 || !strings.Contains(last, fmt.Sprintf(`"n":%d,`, all-1)) {
			t.Errorf("%d of %d publications came, the last is %.60s", got, all, last)
		}
		c.leave()
	})
}
