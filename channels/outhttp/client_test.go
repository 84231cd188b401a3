package outhttp_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/channels/outhttp"
)

// canary is a listener on loopback that counts who comes.
func canary(t *testing.T) (addr string, hits *atomic.Int32) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hits = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			hits.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String(), hits
}

// The dialer holds by itself, also for a caller that forgot CheckURL: nothing reaches loopback in any spelling, and not
// by a name that DNS sends there.
func TestTransportReachesNoPrivateAddress(t *testing.T) {
	addr, hits := canary(t)
	_, port, _ := net.SplitHostPort(addr)
	guards := map[string]outhttp.Guard{
		"any host":       {Insecure: true},
		"names it":       {Insecure: true, Hosts: []string{"localhost", "localhost.localdomain", "127.0.0.1"}},
		"only private":   {Private: true}, // loopback, but only port 443
		"nothing at all": {},
	}
	hosts := []string{
		"127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "0.0.0.0", "0", "[::]", "localhost.localdomain",
	}
	for name, g := range guards {
		c := outhttp.Client(g, 2*time.Second)
		for _, h := range hosts {
			req, err := http.NewRequest(http.MethodPost, "http://"+h+":"+port+"/secret", strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(req)
			if err == nil {
				outhttp.Drain(resp)
				t.Errorf("%s, %s: got an answer", name, h)
				continue
			}
			if !outhttp.Unsent(err) {
				t.Errorf("%s, %s: %v is not known as unsent", name, h, err)
			}
		}
		c.CloseIdleConnections()
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the canary saw %d connections, want 0", n)
	}
}

func TestClientFollowsNoRedirect(t *testing.T) {
	addr, hits := canary(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.RedirectHandler("http://"+addr+"/", status))
		c := outhttp.Client(outhttp.Guard{Private: true, Insecure: true}, time.Second)
		resp, err := c.Post(srv.URL, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		outhttp.Drain(resp)
		if resp.StatusCode != status {
			t.Errorf("status %d, want the %d itself", resp.StatusCode, status)
		}
		c.CloseIdleConnections()
		srv.Close()
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the canary saw %d connections, want 0", n)
	}
}

func TestTransportSpeaksHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	tr := outhttp.Transport(outhttp.Guard{Private: true, Insecure: true})
	defer tr.CloseIdleConnections()
	tr.TLSClientConfig.RootCAs = x509.NewCertPool()
	tr.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
	resp, err := (&http.Client{Transport: tr}).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer outhttp.Drain(resp)
	if body, _ := io.ReadAll(resp.Body); string(body) != "HTTP/2.0" {
		t.Errorf("the server was spoken to in %s", body)
	}
}

func TestUnsent(t *testing.T) {
	lab := outhttp.Guard{Private: true, Insecure: true}
	raw := func(serve func(net.Conn)) string { return "http://" + rawServer(t, serve) }
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	refused := "http://" + closed.Addr().String()
	_ = closed.Close()
	unknownCA := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknownCA.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknownCA.StartTLS()
	defer unknownCA.Close()

	rows := []struct {
		name  string
		guard outhttp.Guard
		url   string
		want  bool
		words string
	}{
		{"connection refused", lab, refused, true, "the connection was refused"},
		{"name not found", lab, "http://no-such-name.invalid/", true, "the host name was not found"},
		{"guard", outhttp.Guard{}, "https://localhost/", true, "not an address we may call"},
		{"unknown certificate", lab, unknownCA.URL, true, "the TLS handshake failed"},
		{"cut in the handshake", lab, "https" + strings.TrimPrefix(raw(func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }), "http"), true, "the TLS handshake failed"},
		{"no TLS there", lab, "https" + strings.TrimPrefix(raw(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }), "http"), true, "the TLS handshake failed"},
		{"cut after the request", lab, raw(func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }), false, "the connection was cut"},
		{"no answer", lab, raw(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), false, "no answer in time"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			timeout := time.Minute // longer than the limits of each step
			if r.name == "no answer" {
				timeout = 300 * time.Millisecond
			}
			c := outhttp.Client(r.guard, timeout)
			defer c.CloseIdleConnections()
			resp, err := c.Post(r.url+"/secret-path", "text/plain", strings.NewReader("x"))
			if err == nil {
				outhttp.Drain(resp)
				t.Fatal("no error")
			}
			if got := outhttp.Unsent(err); got != r.want {
				t.Errorf("Unsent(%v) = %v, want %v", err, got, r.want)
			}
			if got := outhttp.Describe(err); got != r.words {
				t.Errorf("Describe(%v) = %q, want %q", err, got, r.words)
			}
		})
	}
	if outhttp.Unsent(nil) || outhttp.Unsent(context.Canceled) || outhttp.Unsent(errors.New("x")) {
		t.Error("nothing is proven by no error, a cancelled context or an unknown error")
	}
	if got := outhttp.Describe(context.Canceled); got != "given up on our side" {
		t.Errorf("Describe(Canceled) = %q", got)
	}
}

// rawServer serves connections one after the other until the test ends.
func rawServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String()
}

func TestDrainIsBounded(t *testing.T) {
	src := &endless{}
	outhttp.Drain(&http.Response{Body: src})
	if src.read > 128<<10 || !src.closed {
		t.Errorf("read %d bytes, closed %v; want at most 128 kB and closed", src.read, src.closed)
	}
}

type endless struct {
	read   int
	closed bool
}

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { e.closed = true; return nil }

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	rows := map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 120 ": 2 * time.Minute, "999999": time.Hour, "99999999999999999999": time.Hour,
		"-5": 0, "1.5": 0, "soon": 0, "Sat, 21 Nov 2026 19:01:30 GMT": 90 * time.Second, "Sat, 21 Nov 2026 18:00:00 GMT": 0,
		"Sun, 22 Nov 2026 19:00:00 GMT": time.Hour,
	}
	for value, want := range rows {
		if got := outhttp.RetryAfter(http.Header{"Retry-After": {value}}, now, time.Hour); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}
