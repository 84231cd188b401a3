package websocket_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/google/go-cmp/cmp"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

// inBubble runs a test with one client over a pipe and a clock of its own.
func inBubble(t *testing.T, cfg websocket.Config, f func(t *testing.T, hub *websocket.Hub, c *client)) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(cfg, tokens, nil, quietly)
		stop := run(t, hub)
		c := pipe(t, hub).listen()
		f(t, hub, c)
		c.leave()
		stop()
	})
}

func TestConnectTellsWhatTheClientNeeds(t *testing.T) {
	inBubble(t, websocket.Config{}, func(t *testing.T, hub *websocket.Hub, c *client) {
		var got map[string]any
		if err := json.Unmarshal([]byte(c.connect(token(t, "c-42", "", time.Hour))), &got); err != nil {
			t.Fatal(err)
		}
		connect := got["connect"].(map[string]any)
		if id, _ := connect["client"].(string); len(id) < 16 {
			t.Errorf("client id %q", id)
		}
		delete(connect, "client")
		want := map[string]any{"id": 1.0, "connect": map[string]any{
			"version": "onmyway", "expires": true, "ttl": 3600.0, "ping": 25.0, "pong": true,
			"subs": map[string]any{"customer:c-42": map[string]any{}},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if hub.Count() != 1 {
			t.Errorf("%d sockets", hub.Count())
		}
	})
}

func TestReplies(t *testing.T) {
	const hello = `{"id":1,"connect":{"token":"TOKEN"}}` + "\n"
	for name, tt := range map[string]struct{ say, want string }{
		"another channel":     {hello + `{"id":2,"subscribe":{"channel":"customer:c-1"}}`, `{"id":2,"error":{"code":103,"message":"permission denied"}}`},
		"own channel":         {hello + `{"id":2,"subscribe":{"channel":"customer:c-42","flag":1}}`, `{"id":2,"error":{"code":105,"message":"already subscribed"}}`},
		"unsubscribe":         {hello + `{"id":2,"unsubscribe":{"channel":"customer:c-1"}}`, `{"id":2,"unsubscribe":{}}`},
		"rpc, nobody listens": {hello + `{"id":2,"rpc":{"method":"shown","data":{"id":"x"}}}`, `{"id":2,"error":{"code":104,"message":"method not found"}}`},
		"publish":             {hello + `{"id":3,"publish":{"channel":"n","data":"hi"}}`, `{"id":3,"error":{"code":108,"message":"not available"}}`},
		"presence":            {hello + `{"id":3,"presence":{"channel":"n"}}`, `{"id":3,"error":{"code":108,"message":"not available"}}`},
		"presence stats":      {hello + `{"id":3,"presence_stats":{"channel":"n"}}`, `{"id":3,"error":{"code":108,"message":"not available"}}`},
		"history":             {hello + `{"id":3,"history":{"channel":"n","limit":9}}`, `{"id":3,"error":{"code":108,"message":"not available"}}`},
		"sub refresh":         {hello + `{"id":3,"sub_refresh":{"channel":"n","token":"x"}}`, `{"id":3,"error":{"code":108,"message":"not available"}}`},
		"refresh":             {hello + `{"id":4,"refresh":{"token":"TOKEN"}}`, `{"id":4,"refresh":{"expires":true,"ttl":3600}}`},
		"refresh, expired":    {hello + `{"id":4,"refresh":{"token":"EXPIRED"}}`, `{"id":4,"error":{"code":109,"message":"token expired"}}`},
		"trailing newline":    {hello + "\r\n" + `{"id":5,"rpc":{}}` + "\r\n", `{"id":5,"error":{"code":104,"message":"method not found"}}`},
		"connect, expired":    {"\n" + `{"id":7,"connect":{"token":"EXPIRED","name":"js"}}`, `{"id":7,"error":{"code":109,"message":"token expired"}}`},
		"ids keep growing":    {strings.Replace(hello, `"id":1`, `"id":7`, 1) + `{"id":4294967295,"rpc":{}}`, `{"id":4294967295,"error":{"code":104,"message":"method not found"}}`},
		"positions of before": {`{"id":1,"connect":{"token":"TOKEN","subs":{"x":{"recover":true}}}}` + "\n" + `{"id":2,"rpc":{}}`, `{"id":2,"error":{"code":104,"message":"method not found"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, websocket.Config{}, func(t *testing.T, _ *websocket.Hub, c *client) {
				c.say(withTokens(t, tt.say))
				got := c.hear()
				if strings.Contains(got, `"connect"`) {
					got = c.hear()
				}
				if got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func withTokens(t *testing.T, say string) string {
	return strings.NewReplacer("TOKEN", token(t, "c-42", "", time.Hour), "EXPIRED", token(t, "c-42", "", -time.Second),
		"FOREIGN", token(t, "c-1", "", time.Hour), "NARROWER", token(t, "c-42", "CH-1", time.Hour)).Replace(say)
}

func TestViolations(t *testing.T) {
	const hello = `{"id":1,"connect":{"token":"TOKEN"}}` + "\n"
	text := func(s string) []ws.Frame { return []ws.Frame{ws.NewTextFrame([]byte(s))} }
	fin := func(f ws.Frame, fin bool) ws.Frame { f.Header.Fin = fin; return f }
	for name, tt := range map[string]struct {
		frames []ws.Frame
		code   ws.StatusCode
		reason string
	}{
		"not JSON":                   {text(`hello`), 3501, "bad request"},
		"half an object":             {text(`{"id":1,"connect":{`), 3501, "bad request"},
		"two objects on a line":      {text(hello[:len(hello)-1] + `{"id":2,"rpc":{}}`), 3501, "bad request"},
		"an array":                   {text(`[` + hello + `]`), 3501, "bad request"},
		"nothing":                    {text(``), 3501, "bad request"},
		"a blank line":               {text("\n"), 3501, "bad request"},
		"id is a string":             {text(`{"id":"1","connect":{"token":"TOKEN"}}`), 3501, "bad request"},
		"id is negative":             {text(`{"id":-1,"connect":{"token":"TOKEN"}}`), 3501, "bad request"},
		"no id":                      {text(`{"connect":{"token":"TOKEN"}}`), 3501, "bad request"},
		"id 0":                       {text(hello + `{"id":0,"rpc":{}}`), 3501, "bad request"},
		"no request":                 {text(hello + `{"id":2}`), 3501, "bad request"},
		"unknown request":            {text(hello + `{"id":2,"fly":{}}`), 3501, "bad request"},
		"two requests":               {text(hello + `{"id":2,"rpc":{},"history":{}}`), 3501, "bad request"},
		"command before connect":     {text(`{"id":1,"rpc":{}}`), 3501, "bad request"},
		"send before connect":        {text(`{"send":{"data":1}}`), 3501, "bad request"},
		"second connect":             {text(hello + hello), 3501, "bad request"},
		"connect after an error":     {text(`{"id":1,"connect":{"token":"EXPIRED"}}` + "\n" + hello), 3501, "bad request"},
		"empty channel":              {text(hello + `{"id":2,"subscribe":{}}`), 3501, "bad request"},
		"unsubscribe from nothing":   {text(hello + `{"id":2,"unsubscribe":{}}`), 3501, "bad request"},
		"pong before connect":        {text(`{}`), 3501, "bad request"},
		"pong that nobody asked for": {text(hello + `{}`), 3501, "bad request"},
		"binary frame":               {[]ws.Frame{ws.NewBinaryFrame([]byte(hello))}, 3501, "bad request"},
		"no token":                   {text(`{"id":1,"connect":{}}`), 3500, "invalid token"},
		"wrong token":                {text(`{"id":1,"connect":{"token":"omw1.e30.e30"}}`), 3500, "invalid token"},
		"refresh, wrong token":       {text(hello + `{"id":2,"refresh":{"token":"x"}}`), 3500, "invalid token"},
		"refresh, other customer":    {text(hello + `{"id":2,"refresh":{"token":"FOREIGN"}}`), 3500, "invalid token"},
		"refresh, other order":       {text(hello + `{"id":2,"refresh":{"token":"NARROWER"}}`), 3500, "invalid token"},
		"send":                       {text(hello + `{"send":{"data":{"typing":true}}}`), 3508, "not available"},
		"too many commands":          {text(hello + strings.Repeat(`{"id":2,"rpc":{}}`+"\n", 300)), 3013, "too many requests"},

		"invalid UTF-8":           {text("{\"id\":1,\"connect\":{\"token\":\"\xff\"}}"), 1007, "invalid text"},
		"too big":                 {[]ws.Frame{ws.NewTextFrame(make([]byte, 65<<10))}, 1009, "message too big"},
		"too big in parts":        {[]ws.Frame{fin(ws.NewTextFrame(make([]byte, 40<<10)), false), ws.NewFrame(ws.OpContinuation, true, make([]byte, 40<<10))}, 1009, "message too big"},
		"reserved bit":            {[]ws.Frame{{Header: ws.Header{Fin: true, Rsv: 4, OpCode: ws.OpText}}}, 1002, "protocol error"},
		"reserved opcode":         {[]ws.Frame{ws.NewFrame(3, true, nil)}, 1002, "protocol error"},
		"continuation of nothing": {[]ws.Frame{ws.NewFrame(ws.OpContinuation, true, nil)}, 1002, "protocol error"},
		"text inside of text":     {[]ws.Frame{fin(ws.NewTextFrame([]byte("{")), false), ws.NewTextFrame(nil)}, 1002, "protocol error"},
		"ping in parts":           {[]ws.Frame{fin(ws.NewPingFrame(nil), false)}, 1002, "protocol error"},
		"large ping":              {[]ws.Frame{ws.NewPingFrame(make([]byte, 126))}, 1002, "protocol error"},

		"close":                     {[]ws.Frame{ws.NewCloseFrame(nil)}, 1000, "goodbye"},
		"close with a code":         {[]ws.Frame{ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "tab closed"))}, 1001, "goodbye"},
		"close with half a code":    {[]ws.Frame{ws.NewCloseFrame([]byte{3})}, 1002, "protocol error"},
		"close with a reserved one": {[]ws.Frame{ws.NewCloseFrame(ws.NewCloseFrameBody(1005, ""))}, 1002, "protocol error"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, websocket.Config{}, func(t *testing.T, hub *websocket.Hub, c *client) {
				for _, f := range tt.frames {
					if f.Header.OpCode == ws.OpText || f.Header.OpCode == ws.OpBinary {
						f.Payload = []byte(withTokens(t, string(f.Payload)))
						f.Header.Length = int64(len(f.Payload))
					}
					c.write(f)
				}
				c.wantClose(tt.code, tt.reason)
				c.leave()
				synctest.Wait()
				if n := hub.Count(); n != 0 {
					t.Errorf("%d sockets are left", n)
				}
			})
		})
	}
}

// A refused frame's payload may look like a frame that nobody can send. The client still learns why it is disconnected.
func TestRefusedPayloadIsNoFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
		defer run(t, hub)()
		c := pipe(t, hub)
		endless := []byte(strings.Repeat("\xff", 126))
		if err := ws.WriteFrame(c.conn, ws.MaskFrameInPlaceWith(ws.NewPingFrame(endless), [4]byte{})); err != nil {
			t.Fatal(err)
		}
		c.listen()
		c.wantClose(1002, "protocol error")
		c.leave()
	})
}

func TestUnmaskedFrame(t *testing.T) {
	inBubble(t, websocket.Config{}, func(t *testing.T, _ *websocket.Hub, c *client) {
		_ = ws.WriteFrame(c.conn, ws.NewTextFrame([]byte(`{}`)))
		c.wantClose(1002, "protocol error")
	})
}

func TestFragmentsAndPings(t *testing.T) {
	inBubble(t, websocket.Config{}, func(t *testing.T, hub *websocket.Hub, c *client) {
		hello := fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token(t, "c-42", "", time.Hour))
		c.write(ws.NewFrame(ws.OpText, false, []byte(hello[:9])))
		c.write(ws.NewPingFrame([]byte("are you there")))
		c.write(ws.NewFrame(ws.OpContinuation, false, nil))
		c.write(ws.NewPongFrame(nil))
		c.write(ws.NewFrame(ws.OpContinuation, true, []byte(hello[9:])))
		if f := c.next(); f.op != ws.OpPong || f.text != "are you there" {
			t.Errorf("got %v", f)
		}
		c.hear()
		publish(t, hub, notify.Publication{Customer: "c-42", Data: []byte(`{"n":1}`)})
		if got, want := c.hear(), pub("c-42", `{"n":1}`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
