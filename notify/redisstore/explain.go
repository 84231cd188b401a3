package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/redis/go-redis/v9"
)

var (
	errURL    = errors.New("this is not the URL of a Redis: write redis://user:password@host:6379/0, or rediss:// for TLS; percent-encode / @ : ? # in a password")
	errNotTLS = errors.New("TLS settings are given, but the URL says redis://, which is without TLS: write rediss://")
)

// explain adds to an error of the first contact what to do about it. Neither part holds a password.
func explain(err error, opts *redis.Options) error {
	return fmt.Errorf("reach redis at %s: %s: %w", opts.Addr, advice(err, opts.TLSConfig != nil), err)
}

func advice(err error, overTLS bool) string {
	var (
		noTLS     tls.RecordHeaderError
		alert     tls.AlertError
		untrusted *tls.CertificateVerificationError
		wrongName x509.HostnameError
		noHost    *net.DNSError
		timeout   net.Error
	)
	switch {
	case isReply(err):
		return adviceOnReply(err)
	case errors.As(err, &noTLS):
		return "it speaks no TLS there: write redis://, or use its TLS port"
	case errors.As(err, &wrongName):
		return "its certificate is for another host name: use that name in the URL"
	case errors.As(err, &untrusted):
		return "its certificate is not trusted: give the CA that signed it"
	case errors.As(err, &alert):
		return "it refuses our TLS: it may ask for a client certificate"
	case errors.As(err, &noHost):
		return "no such host: check the name in the URL"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start Redis, or check host and port"
	case errors.Is(err, context.Canceled):
		return "stopped waiting"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time: check host, port and firewall" + orTLS(overTLS)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "it closed the connection: it has too many clients or does not know this protocol" + orTLS(overTLS)
	}
	return "it does not answer as Redis does: check host and port" + orTLS(overTLS)
}

func orTLS(overTLS bool) string {
	if overTLS {
		return "; if it speaks no TLS there, write redis://"
	}
	return "; if it expects TLS, write rediss://"
}

// The library drops a leading "ERR " before it compares.
func adviceOnReply(err error) string {
	switch {
	case redis.HasErrorPrefix(err, "WRONGPASS"):
		return "wrong user or password: check both in the URL"
	case redis.HasErrorPrefix(err, "NOAUTH"):
		return "it wants a password: write redis://:password@host:port/0"
	case redis.HasErrorPrefix(err, "AUTH"), redis.HasErrorPrefix(err, "Client sent AUTH"):
		return "it has no password set, but the URL has one: remove it, or set one in Redis"
	case redis.HasErrorPrefix(err, "NOPERM"):
		return "the user lacks a permission: allow GET, SET, EVAL and PUBLISH on omw:*"
	case redis.HasErrorPrefix(err, "DB index"), redis.HasErrorPrefix(err, "invalid DB"):
		return "it has no database of that number: end the URL in /0"
	case redis.HasErrorPrefix(err, "LOADING"):
		return "it is still loading its data: try again in a while"
	case redis.HasErrorPrefix(err, "DENIED"):
		return "it is in protected mode: set a password there"
	case redis.HasErrorPrefix(err, "max number of clients"):
		return "it has too many clients: raise maxclients there"
	}
	return "it answered with an error"
}
