package websocket_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"onmyway/channels/websocket"
	"onmyway/notify"
)

// script is a connection over which a client says what it is made of, and that keeps what it is told.
type script struct {
	in   io.Reader
	mu   sync.Mutex
	out  bytes.Buffer
	shut bool
}

func (s *script) Read(p []byte) (int, error) { return s.in.Read(p) }

func (s *script) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return 0, net.ErrClosed
	}
	return s.out.Write(p)
}

func (s *script) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	return nil
}

func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// allow takes any token but "" and "old".
type allow struct{}

func (allow) Check(token string, now time.Time) (notify.Grant, error) {
	switch token {
	case "":
		return notify.Grant{}, notify.ErrTokenInvalid
	case "old":
		return notify.Grant{}, notify.ErrTokenExpired
	}
	return notify.Grant{CustomerID: token, Expires: now.Add(time.Hour)}, nil
}

// FuzzCommands says anything to a socket, as frames of a kind (text) or as raw bytes of the connection. What comes back is
// valid frames, each with one line of JSON, the welcome first and a close frame with a reason last.
func FuzzCommands(f *testing.F) {
	const hello = `{"id":1,"connect":{"token":"c-42"}}`
	for _, s := range []string{hello, hello + "\n{}", hello + "\n" + `{"id":2,"subscribe":{"channel":"customer:c-42"}}`,
		`{"id":1,"connect":{"token":"old"}}`, `{"send":{"data":1}}`, "\r\n", `{"id":1e3,"rpc":null}`,
		hello + "\n" + `{"id":2,"refresh":{"token":"c-42"}}` + "\n" + `{"id":3,"unsubscribe":{"channel":"\ud800"}}`} {
		f.Add([]byte(s), true)
		f.Add(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(s)))), false)
	}
	f.Add([]byte{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, false)
	f.Add([]byte{0x89, 0x80, 1, 2, 3, 4, 0x88, 0x80, 1, 2, 3, 4}, false)
	f.Fuzz(func(t *testing.T, said []byte, text bool) {
		if text {
			said = ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame(said)))
		}
		conn := &script{in: bytes.NewReader(said)}
		hub := websocket.New(websocket.Config{}, allow{}, nil, quietly)
		hub.ServeHTTP(hijacked{httptest.NewRecorder(), conn}, upgradeRequest())
		if err := hub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, frames, ok := bytes.Cut(conn.out.Bytes(), []byte("\r\n\r\n"))
		if !ok {
			t.Fatalf("not upgraded: %q", conn.out.Bytes())
		}
		checkFrames(t, bytes.NewReader(frames))
	})
}

func checkFrames(t *testing.T, in *bytes.Reader) {
	for in.Len() > 0 {
		f, err := readFrame(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.CheckHeader(f.Header, ws.StateClientSide); err != nil {
			t.Fatal(err)
		}
		switch f.Header.OpCode {
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(f.Payload)
			if ws.CheckCloseFrameData(code, reason) != nil || reason == "" || json.Valid([]byte(reason)) || in.Len() > 0 {
				t.Errorf("closed with %d %q and %d bytes after it", code, reason, in.Len())
			}
		case ws.OpText:
			var line struct {
				ID                          uint32
				Connect, Refresh, Error     *struct{}
				Unsubscribe                 *struct{}
				Push, Subscribe, RPC, Other json.RawMessage
			}
			if err := json.Unmarshal(f.Payload, &line); err != nil || bytes.ContainsAny(f.Payload, "\r\n") || line.ID == 0 {
				t.Errorf("not a reply: %q", f.Payload)
			}
		case ws.OpPong:
		default:
			t.Errorf("unexpected frame %v", f.Header)
		}
	}
}
