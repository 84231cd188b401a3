package websocket_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"onmyway/channels/websocket"
)

func TestUpgradeAnswers(t *testing.T) {
	shops := websocket.Config{Origins: []string{"shop.example.com", "https://App.example.com:8443"}}
	for name, tt := range map[string]struct {
		cfg    websocket.Config
		header http.Header
		host   string
		want   int
	}{
		"no origin":             {websocket.Config{}, nil, "", 101},
		"own origin":            {websocket.Config{}, http.Header{"Origin": {"https://onmyway.example"}}, "onmyway.example", 101},
		"own origin, port":      {websocket.Config{}, http.Header{"Origin": {"http://Onmyway.example:8080"}}, "onmyway.example:8080", 101},
		"own origin, any list":  {shops, http.Header{"Origin": {"https://onmyway.example"}}, "onmyway.example", 101},
		"other port":            {websocket.Config{}, http.Header{"Origin": {"https://onmyway.example:1"}}, "onmyway.example", 403},
		"foreign origin":        {websocket.Config{}, http.Header{"Origin": {"https://evil.example"}}, "onmyway.example", 403},
		"listed":                {shops, http.Header{"Origin": {"https://shop.example.com"}}, "", 101},
		"listed with a port":    {shops, http.Header{"Origin": {"https://app.example.com:8443"}}, "", 101},
		"suffix of a listed":    {shops, http.Header{"Origin": {"https://evil-shop.example.com"}}, "", 403},
		"listed as a subdomain": {shops, http.Header{"Origin": {"https://shop.example.com.evil.example"}}, "", 403},
		"null":                  {shops, http.Header{"Origin": {"null"}}, "", 403},
		"empty":                 {shops, http.Header{"Origin": {""}}, "", 403},
		"bare host":             {shops, http.Header{"Origin": {"shop.example.com"}}, "", 403},
		"two origins":           {shops, http.Header{"Origin": {"https://shop.example.com", "https://evil.example"}}, "", 403},
		"not an upgrade":        {websocket.Config{}, http.Header{"Upgrade": nil}, "", 426},
		"old version":           {websocket.Config{}, http.Header{"Sec-Websocket-Version": {"8"}}, "", 426},
		"no key":                {websocket.Config{}, http.Header{"Sec-Websocket-Key": nil}, "", 400},
	} {
		t.Run(name, func(t *testing.T) {
			_, url := serve(t, tt.cfg, nil)
			req := upgradeRequest()
			for k, v := range tt.header {
				req.Header[k] = v
			}
			if tt.host != "" {
				req.Host = tt.host
			}
			conn, resp := exchange(t, url, req, "")
			defer conn.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("got %d, want %d", resp.StatusCode, tt.want)
			}
			if p := resp.Header.Get("Sec-WebSocket-Protocol"); p != "" {
				t.Errorf("selected the subprotocol %q", p)
			}
		})
	}
}

// exchange sends a request over a connection of its own, with more in the same packet, and reads the head of the answer.
func exchange(t *testing.T, url string, req *http.Request, more string) (net.Conn, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := req.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, b.String()+more); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(in) // what follows the answer
	return conn, resp
}

// A client that offers only the Protobuf framing must not be told that it has it: it gives up by itself.
func TestProtobufIsNotSelected(t *testing.T) {
	_, url := serve(t, websocket.Config{}, nil)
	conn, _, hs, err := ws.Dialer{Protocols: []string{"centrifuge-protobuf"}}.Dial(context.Background(), strings.Replace(url, "http", "ws", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if hs.Protocol != "" {
		t.Errorf("selected %q", hs.Protocol)
	}
}

// What comes in the same packet as the request is not lost in the buffers of net/http.
func TestFirstFrameComesWithTheRequest(t *testing.T) {
	_, url := serve(t, websocket.Config{}, nil)
	hello := fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token(t, "c-42", "", time.Hour))
	conn, resp := exchange(t, url, upgradeRequest(), string(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(hello))))))
	defer conn.Close()
	f, err := readFrame(resp.Body)
	if err != nil || !strings.HasPrefix(string(f.Payload), `{"id":1,"connect":{`) {
		t.Errorf("got %q, %v", f.Payload, err)
	}
}

func TestMaxSockets(t *testing.T) {
	hub, url := serve(t, websocket.Config{MaxSockets: 2}, nil)
	for range 2 {
		dial(t, url, ws.Dialer{}).listen()
	}
	conn, resp := exchange(t, url, upgradeRequest(), "")
	conn.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || hub.Count() != 2 {
		t.Errorf("got %d with %d sockets", resp.StatusCode, hub.Count())
	}
}

// One address can't take the places of all others. This machine, where proxies and tests are, is nobody.
func TestSocketsPerAddress(t *testing.T) {
	who := func(r *http.Request) netip.Addr {
		from, _ := netip.ParseAddr(r.Header.Get("From")) // none: an address that can't be told
		return from
	}
	hub, url := serve(t, websocket.Config{Address: who, PerAddress: 2}, nil)
	as := func(from string) ws.Dialer { return ws.Dialer{Header: ws.HandshakeHeaderHTTP{"From": {from}}} }
	first := dial(t, url, as("192.0.2.1")).listen()
	dial(t, url, as("192.0.2.1")).listen()
	refused := func() bool {
		req := upgradeRequest()
		req.Header.Set("From", "192.0.2.1")
		conn, resp := exchange(t, url, req, "")
		conn.Close()
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return resp.StatusCode == http.StatusTooManyRequests
	}
	if !refused() {
		t.Error("a third socket of an address is taken")
	}
	for _, from := range []string{"192.0.2.2", "", "", "", "127.0.0.1", "127.0.0.1", "::1", "::1", "::1"} {
		dial(t, url, as(from)).listen()
	}
	first.leave()
	for late := time.Now().Add(5 * time.Second); hub.Count() != 10; runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%d sockets, want 10", hub.Count())
		}
	}
	if refused() {
		t.Error("the place of a socket that left is not free")
	}
}

func TestNewestSocketTakesThePlaceOfTheOldest(t *testing.T) {
	_, url := serve(t, websocket.Config{PerCustomer: 2}, nil)
	var all []*client
	for range 3 {
		c := dial(t, url, ws.Dialer{}).listen()
		c.connect(token(t, "c-42", "", time.Hour))
		all = append(all, c)
	}
	all[0].wantClose(3504, "connection limit")
	other := dial(t, url, ws.Dialer{}).listen()
	other.connect(token(t, "c-1", "", time.Hour))
	for _, c := range append(all[1:], other) {
		c.say(`{"id":2,"rpc":{}}`)
		c.hear()
	}
	for _, c := range append(all, other) {
		c.leave()
	}
}

func TestOverTLS(t *testing.T) {
	hub := websocket.New(websocket.Config{}, tokens, nil, quietly)
	stop := run(t, hub)
	server := httptest.NewTLSServer(hub)
	defer server.Close()
	dialer := ws.Dialer{TLSConfig: server.Client().Transport.(*http.Transport).TLSClientConfig}
	c := dial(t, server.URL, dialer).listen()
	c.connect(token(t, "c-42", "", time.Hour))
	stop()
	c.wantClose(3001, "shutdown")
	c.leave()
}
