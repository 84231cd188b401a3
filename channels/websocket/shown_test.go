package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

// screens notes what pages say that they show.
type screens struct {
	mu   sync.Mutex
	seen []string
}

func (s *screens) shown(customer string, id notify.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, customer+" "+id.String())
}

func TestShown(t *testing.T) {
	const id, hello = "0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10", `{"id":1,"connect":{"token":"TOKEN"}}` + "\n"
	const done, bad = `{"id":3,"rpc":{"data":{}}}`, `{"id":3,"error":{"code":107,"message":"bad request"}}`
	for name, tt := range map[string]struct {
		rpc, want string
		seen      []string
	}{
		"a message":          {`{"method":"shown","data":{"id":"` + id + `"}}`, done, []string{"c-42 " + id}},
		"more than it needs": {`{"method":"shown","data":{"id":"` + id + `","at":"now"}}`, done, []string{"c-42 " + id}},
		"upper case":         {`{"method":"shown","data":{"id":"` + strings.ToUpper(id) + `"}}`, done, []string{"c-42 " + id}},
		"no id":              {`{"method":"shown","data":{}}`, bad, nil},
		"not an id":          {`{"method":"shown","data":{"id":"evt-1"}}`, bad, nil},
		"a number":           {`{"method":"shown","data":{"id":7}}`, bad, nil},
		"a list":             {`{"method":"shown","data":["` + id + `"]}`, bad, nil},
		"null":               {`{"method":"shown","data":null}`, bad, nil},
		"no data":            {`{"method":"shown"}`, bad, nil},
		"another method":     {`{"method":"seen","data":{"id":"` + id + `"}}`, `{"id":3,"error":{"code":104,"message":"method not found"}}`, nil},
		"no method":          {`{"data":{"id":"` + id + `"}}`, `{"id":3,"error":{"code":104,"message":"method not found"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &screens{}
			inBubble(t, websocket.Config{Shown: s.shown}, func(t *testing.T, _ *websocket.Hub, c *client) {
				c.say(withTokens(t, hello+`{"id":3,"rpc":`+tt.rpc+`}`))
				c.hear() // the welcome
				if got := c.hear(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				synctest.Wait()
			})
			if diff := cmp.Diff(tt.seen, s.seen); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShownIsLimited(t *testing.T) {
	s := &screens{}
	inBubble(t, websocket.Config{Shown: s.shown}, func(t *testing.T, _ *websocket.Hub, c *client) {
		line := `{"id":2,"rpc":{"method":"shown","data":{"id":"0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10"}}}` + "\n"
		c.say(withTokens(t, `{"id":1,"connect":{"token":"TOKEN"}}`+"\n"+strings.Repeat(line, 300)))
		for range c.frames { // until it is closed
		}
	})
	if n := len(s.seen); n == 0 || n > 250 {
		t.Errorf("%d showings were taken of 300 at once", n)
	}
}

// roll is a Presence that notes who is named, and when.
type roll struct {
	mu    sync.Mutex
	start time.Time
	calls []string
	fail  error
}

func (r *roll) Here(_ context.Context, customers []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, fmt.Sprintf("%s %s", time.Since(r.start).Round(time.Second), strings.Join(customers, " ")))
	return r.fail
}

func TestPresence(t *testing.T) {
	for name, fail := range map[string]error{"told": nil, "nobody can be told": errors.New("redis is down")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &roll{start: time.Now(), fail: fail}
				hub := websocket.New(websocket.Config{Presence: r}, tokens, nil, quietly)
				stop := run(t, hub)
				stays := pipe(t, hub).listen()
				time.Sleep(5 * time.Second)
				stays.connect(token(t, "c-42", "", time.Hour))
				time.Sleep(20 * time.Second) // at 20 s it is said again
				goes := pipe(t, hub).listen()
				goes.connect(token(t, "c-1", "", time.Hour))
				time.Sleep(2 * time.Second)
				goes.leave()
				time.Sleep(14 * time.Second)
				stays.leave()
				time.Sleep(time.Minute)
				stop()
				if diff := cmp.Diff([]string{"5s c-42", "20s c-42", "25s c-1", "40s c-42"}, r.calls); diff != "" {
					t.Errorf("named (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSDKSaysWhatItShows(t *testing.T) {
	sdk(t)
	s := &screens{}
	_, url := serve(t, websocket.Config{Shown: s.shown}, nil)
	c := startSDK(t, strings.TrimPrefix(url, "http://"), token(t, "c-42", "", time.Hour))
	c.want(`["connecting",0,"connect called"]`, `["connected",true]`, `["subscribed","customer:c-42",false]`)
	c.say(`{"method":"shown","data":{"id":"0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10"}}`)
	c.want(`["answer",{}]`)
	c.say(`{"method":"seen","data":{}}`)
	c.want(`["refused",104,"method not found"]`)
	c.say(`{"method":"shown"}`)
	c.want(`["refused",107,"bad request"]`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff([]string{"c-42 0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10"}, s.seen); diff != "" {
		t.Error(diff)
	}
}
