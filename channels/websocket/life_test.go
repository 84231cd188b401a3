package websocket_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

func TestDeadlines(t *testing.T) {
	for name, tt := range map[string]struct {
		mute   bool
		ttl    time.Duration // 0: does not connect
		code   ws.StatusCode
		reason string
		after  time.Duration // at the earliest
		within time.Duration // of that
	}{
		"never connects":      {code: 3502, reason: "stale", after: 15 * time.Second, within: time.Second},
		"answers no ping":     {mute: true, ttl: time.Hour, code: 3012, reason: "no pong", after: 22 * time.Second, within: 16 * time.Second},
		"token expires":       {ttl: 20 * time.Second, code: 3005, reason: "connection expired", after: 45 * time.Second, within: time.Second},
		"token expires later": {ttl: 10 * time.Minute, code: 3005, reason: "connection expired", after: 625 * time.Second, within: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
				stop := run(t, hub)
				c := pipe(t, hub)
				c.mute = tt.mute
				c.listen()
				begin := time.Now()
				if tt.ttl > 0 {
					c.connect(token(t, "c-42", "", tt.ttl))
				}
				<-c.end
				took := time.Since(begin)
				c.wantClose(tt.code, tt.reason)
				if took < tt.after || took > tt.after+tt.within {
					t.Errorf("closed after %v, want %v to %v", took, tt.after, tt.after+tt.within)
				}
				c.leave()
				stop()
			})
		})
	}
}

func TestPingsComeInTime(t *testing.T) {
	inBubble(t, websocket.Config{}, func(t *testing.T, hub *websocket.Hub, c *client) {
		c.connect(token(t, "c-42", "", time.Hour))
		last := time.Now()
		for i := range 20 {
			publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(`{}`)}) // must not put the ping off
			for f := range c.frames {
				if f.text == "{}" {
					break
				}
			}
			gap := time.Since(last)
			if i == 0 && gap < 12*time.Second || gap > 27*time.Second {
				t.Errorf("ping %d came after %v", i, gap)
			}
			last = time.Now()
		}
	})
}

func TestRefreshProlongs(t *testing.T) {
	inBubble(t, websocket.Config{}, func(t *testing.T, hub *websocket.Hub, c *client) {
		c.connect(token(t, "c-42", "", time.Minute))
		time.Sleep(70 * time.Second) // of the bubble: within the grace
		c.say(withTokens(t, `{"id":2,"refresh":{"token":"TOKEN"}}`))
		if got, want := c.hear(), `{"id":2,"refresh":{"expires":true,"ttl":3600}}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		if hub.Count() != 1 {
			t.Error("the socket is gone")
		}
	})
}

func TestCloseSaysGoodbyeToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
		stop := run(t, hub)
		var all []*client
		for range 200 {
			c := pipe(t, hub).listen()
			all = append(all, c)
			if len(all)%2 == 0 {
				c.connect(token(t, "c-42", "", time.Hour))
			}
		}
		begin := time.Now()
		stop()
		if took := time.Since(begin); took < 100*time.Millisecond || took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		shut := 0
		for _, c := range all {
			<-c.end
			for f := range c.frames {
				if f.status == 3001 && f.text == "shutdown" {
					shut++
				}
			}
			c.leave()
		}
		if shut != 20+100 { // 80 of those that connected had given their place to a newer one
			t.Errorf("%d were told", shut)
		}
		w := httptest.NewRecorder()
		hub.ServeHTTP(w, upgradeRequest())
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("a late upgrade is answered with %d", w.Code)
		}
	})
}

func TestCloseCutsWhoDoesNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
		c := pipe(t, hub) // reads nothing
		defer c.conn.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := hub.Close(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 cut off") {
			t.Errorf("got %v", err)
		}
		if hub.Count() != 0 {
			t.Error("the socket is still there")
		}
	})
}

// bus is a Bus whose other nodes are the test.
type bus struct {
	published [][]notify.Publication
	err       error
	listening chan listener
}

type listener struct {
	deliver func([]notify.Publication)
	gap     func()
	end     chan error
}

func (b *bus) Publish(_ context.Context, ps []notify.Publication) error {
	b.published = append(b.published, ps)
	return b.err
}

func (b *bus) Listen(ctx context.Context, deliver func([]notify.Publication), gap func()) error {
	l := listener{deliver, gap, make(chan error)}
	select {
	case b.listening <- l:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-l.end:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{listening: make(chan listener)}
		hub := websocket.New(websocket.Config{}, tokens, b, quietly)
		stop := run(t, hub)
		first := <-b.listening
		connect := func() *client {
			c := pipe(t, hub).listen()
			c.connect(token(t, "c-42", "", time.Hour))
			return c
		}

		c := connect()
		first.deliver([]notify.Publication{{Customer: "c-42", Data: []byte(`{"from":"afar"}`)}})
		if got, want := c.hear(), pub("c-42", `{"from":"afar"}`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		b.err = errors.New("the bus is down")
		err := hub.Publish(t.Context(), []notify.Publication{{Customer: "c-42", Data: []byte(`{"from":"here"}`)}})
		if !errors.Is(err, b.err) || len(b.published) != 1 {
			t.Errorf("got %v after %d publishes", err, len(b.published))
		}
		if got, want := c.hear(), pub("c-42", `{"from":"here"}`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		first.gap()
		c.wantClose(3010, "insufficient state")
		c.leave()

		for _, err := range []error{errors.New("connection reset"), nil} {
			c = connect()
			first.end <- err
			c.wantClose(3010, "insufficient state")
			c.leave()
			begin := time.Now()
			first = <-b.listening
			if took := time.Since(begin); took < 50*time.Millisecond || took > 200*time.Millisecond {
				t.Errorf("listens again after %v", took)
			}
		}
		stop()
	})
}
