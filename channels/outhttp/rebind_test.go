package outhttp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"onmyway/channels/outhttp"
)

// A name with a good reputation may lead anywhere once DNS answers: the connected address is what counts.
func TestNameThatLeadsInside(t *testing.T) {
	addr, hits := canary(t)
	_, port, _ := net.SplitHostPort(addr)
	answers := []string{
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "10.1.2.3", "169.254.169.254", "100.64.0.1", "64:ff9b::7f00:1",
		"2002:7f00:1::", "fd00:ec2::254", "fe80::1", "192.168.1.1", "168.63.129.16",
	}
	for _, a := range answers {
		t.Run(a, func(t *testing.T) {
			answerDNS(t, netip.MustParseAddr(a))
			for _, g := range []outhttp.Guard{{}, {Insecure: true}, {Insecure: true, Hosts: []string{"*.example.com"}}} {
				c := outhttp.Client(g, 2*time.Second)
				resp, err := c.Post("http://cdn.example.com:"+port+"/", "text/plain", strings.NewReader("x"))
				c.CloseIdleConnections()
				if err == nil {
					outhttp.Drain(resp)
					t.Fatal("got an answer")
				}
				if !errors.Is(err, outhttp.ErrForbidden) || !outhttp.Unsent(err) {
					t.Errorf("error %v, want ErrForbidden", err)
				}
			}
		})
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the canary saw %d connections, want 0", n)
	}
}

// A private Guard opens the operator's own network, but not the place where clouds hand out credentials.
func TestPrivateGuardKeepsMetadataClosed(t *testing.T) {
	for _, a := range []string{"169.254.169.254", "fd00:ec2::254", "168.63.129.16", "::ffff:169.254.169.254"} {
		answerDNS(t, netip.MustParseAddr(a))
		c := outhttp.Client(outhttp.Guard{Private: true, Insecure: true}, time.Second)
		_, err := c.Get("http://meta.example.com/")
		c.CloseIdleConnections()
		if !errors.Is(err, outhttp.ErrForbidden) {
			t.Errorf("%s: error %v, want ErrForbidden", a, err)
		}
	}
	addr, hits := canary(t)
	_, port, _ := net.SplitHostPort(addr)
	answerDNS(t, netip.MustParseAddr("127.0.0.1"))
	c := outhttp.Client(outhttp.Guard{Private: true, Insecure: true}, time.Second)
	_, err := c.Get("http://own.example.com:" + port + "/")
	c.CloseIdleConnections()
	if err == nil || hits.Load() != 1 {
		t.Errorf("error %v and %d connections, want one connection that is cut", err, hits.Load())
	}
}

// answerDNS makes every name lead to one address until the test ends.
func answerDNS(t *testing.T, a netip.Addr) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(dnsAnswer(buf[:n], a), from)
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; _ = conn.Close(); <-done })
}

// dnsAnswer answers one question (RFC 1035, section 4): with the address when the type fits it, else with nothing.
func dnsAnswer(query []byte, a netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // root label, type, class
	kind := query[end-3]
	msg := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end]...)
	if (kind == 1) == a.Is4() && (kind == 1 || kind == 28) {
		msg[7] = 1
		data := a.AsSlice()
		msg = append(msg, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
		msg = append(msg, data...)
	}
	return msg
}
