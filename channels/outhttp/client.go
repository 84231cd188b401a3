package outhttp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// The limits of one exchange. A provider that is up answers in well under a second; these only bound the rest.
const (
	dialTimeout      = 3 * time.Second
	handshakeTimeout = 5 * time.Second
	headerTimeout    = 15 * time.Second
	idleTimeout      = 90 * time.Second
	pingAfter        = 15 * time.Second // an HTTP/2 connection that died in silence would swallow every request
	pingTimeout      = 5 * time.Second
	idlePerHost      = 256 // more than the lanes of a dispatcher: nobody dials under load
	idleInAll        = 1024
	maxHeader        = 64 << 10
	maxBody          = 64 << 10
)

// Transport makes the transport of one channel. It checks the name before and the address after DNS, uses no proxy,
// keeps connections and speaks HTTP/2 where the other side does. The caller closes its idle connections at the end.
func Transport(g Guard) *http.Transport {
	d := dialer{guard: g}
	d.net = net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: d.control}
	t := &http.Transport{
		DialContext:            d.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           idleInAll,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}
	// The handshake is made here and not by net/http, which returns a bare EOF for a handshake that was cut: nobody could
	// tell it from a request that was cut.
	t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return d.dialTLS(ctx, network, addr, t.TLSClientConfig.Clone())
	}
	return t
}

// Client makes a client over Transport. A redirect is returned as the answer that it is. The timeout is for the whole
// exchange with the body; 0 leaves it to the context.
func Client(g Guard, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport:     Transport(g),
		Timeout:       timeout,
		CheckRedirect: redirected,
	}
}

// Drain reads what is left of the body, at most 64 kB, and closes it, so that the connection can be used again.
func Drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxBody)
	_ = resp.Body.Close()
}

type dialer struct {
	guard Guard
	net   net.Dialer
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &unsentError{"connect", forbidden("the address is not host:port")}
	}
	if err := d.guard.checkHost(host); err != nil {
		return nil, &unsentError{"connect", err}
	}
	conn, err := d.net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, &unsentError{"connect", err}
	}
	return conn, nil
}

func (d *dialer) dialTLS(ctx context.Context, network, addr string, cfg *tls.Config) (net.Conn, error) {
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &unsentError{handshake, err}
	}
	return secured, nil
}

// control runs between DNS and connect: address is the IP address that will really be connected.
func (d *dialer) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return forbidden("the address cannot be read")
	}
	if !d.guard.Insecure && ap.Port() != 443 {
		return forbidden("the port must be 443")
	}
	if !d.guard.lets(ap.Addr()) {
		return forbidden("the name leads into a network that is not public")
	}
	return nil
}

// unsentError marks that the exchange ended before a request could be written.
type unsentError struct {
	step string
	err  error
}

func (e *unsentError) Error() string { return fmt.Sprintf("%s: %v", e.step, e.err) }
func (e *unsentError) Unwrap() error { return e.err }
