package outhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const handshake = "TLS handshake"

// Unsent tells that an error of a client proves that nothing of the request was written: the name was not found, the
// connection was refused or not made in time, the TLS handshake failed, or the Guard said no. Everything else, a
// cancelled context among it, proves nothing.
func Unsent(err error) bool {
	var (
		own  *unsentError
		op   *net.OpError
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		head tls.RecordHeaderError
	)
	switch {
	case err == nil:
		return false
	case errors.As(err, &own), errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &head):
		return true
	case errors.As(err, &op):
		return op.Op == "dial"
	}
	return errors.Is(err, ErrForbidden)
}

// Describe says in a few fixed words what broke an exchange off. It never holds a URL, a host or an address, which the
// errors of net/http do, so it may be shown and logged.
func Describe(err error) string {
	var (
		own     *unsentError
		dns     *net.DNSError
		timeout interface{ Timeout() bool }
	)
	late := errors.As(err, &timeout) && timeout.Timeout()
	switch {
	case errors.Is(err, ErrForbidden):
		return ErrForbidden.Error()
	case errors.Is(err, context.Canceled):
		return "given up on our side"
	case errors.As(err, &dns):
		return "the host name was not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.As(err, &own) && own.step == handshake:
		return "the TLS handshake failed"
	case errors.As(err, &own) && late:
		return "no connection in time"
	case late:
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was cut"
	}
	return "the exchange broke off"
}

// RetryAfter reads the header of that name (RFC 9110, 10.2.3): seconds or a date. It is 0 when there is none, when it
// cannot be read or lies in the past, and never more than limit.
func RetryAfter(h http.Header, now time.Time, limit time.Duration) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, limit)
	} else if errors.Is(err, strconv.ErrRange) {
		return limit
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), limit)
}
