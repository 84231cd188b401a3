package redisstore_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"onmyway/notify/redisstore"
)

const secret = "hunter2"

// certificate is one for 127.0.0.1 and example.com, and the settings of a client that trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.StartTLS()
	defer web.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	return &tls.Config{Certificates: web.TLS.Certificates}, &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
}

// answering is a server that says the same to everybody, or nothing at all.
func answering(t *testing.T, words string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			c.Write([]byte(words))
			open = append(open, c)
		}
		for _, c := range open {
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

func TestOpenSaysWhatToDo(t *testing.T) {
	plain := miniredis.RunT(t)
	locked := miniredis.RunT(t)
	locked.RequireUserAuth("dana", secret)
	serverTLS, clientTLS := certificate(t)
	secured := miniredis.NewMiniRedis()
	if err := secured.StartTLS(serverTLS); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secured.Close)
	stopped := miniredis.RunT(t)
	gone := stopped.Addr()
	stopped.Close()

	for _, tt := range []struct {
		name string
		cfg  redisstore.Config
		want string
	}{
		{"empty", redisstore.Config{}, "not the URL of a Redis"},
		{"another scheme", redisstore.Config{URL: "http://x:" + secret + "@localhost"}, "write redis://"},
		{"a slash in the password", redisstore.Config{URL: "redis://x:1/" + secret + "@localhost:6379"}, "percent-encode"},
		{"a percent in the password", redisstore.Config{URL: "redis://x:" + secret + "%zz@localhost:6379"}, "percent-encode"},
		{"an option that does not exist", redisstore.Config{URL: "redis://localhost?password2=" + secret}, "not the URL"},
		{"TLS settings for a plain URL", redisstore.Config{URL: "redis://" + plain.Addr(), TLS: clientTLS}, "write rediss://"},
		{"nothing listens", redisstore.Config{URL: "redis://:" + secret + "@" + gone}, "nothing listens there"},
		{"wrong password", redisstore.Config{URL: "redis://dana:not" + secret + "@" + locked.Addr()}, "wrong user or password"},
		{"no password", redisstore.Config{URL: "redis://" + locked.Addr()}, "wants a password"},
		{"a password too many", redisstore.Config{URL: "redis://:" + secret + "@" + answering(t, strings.Repeat("-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n", 3))}, "has no password set"},
		{"TLS to a plain port", redisstore.Config{URL: "rediss://" + plain.Addr(), TLS: clientTLS}, "write redis://"},
		{"plain to a TLS port", redisstore.Config{URL: "redis://" + secured.Addr()}, "write rediss://"},
		{"unknown CA", redisstore.Config{URL: "rediss://" + secured.Addr()}, "not trusted"},
		{"another name", redisstore.Config{URL: "rediss://" + secured.Addr(), TLS: &tls.Config{RootCAs: clientTLS.RootCAs, ServerName: "other.test"}}, "another host name"},
		{"silence", redisstore.Config{URL: "redis://:" + secret + "@" + answering(t, "")}, "no answer in time"},
		{"a web server", redisstore.Config{URL: "redis://" + answering(t, "HTTP/1.1 400 Bad Request\r\n\r\n")}, "not answer as Redis"},
		{"loading", redisstore.Config{URL: "redis://" + answering(t, strings.Repeat("-LOADING Redis is loading the dataset in memory\r\n", 3))}, "still loading"},
		{"protected", redisstore.Config{URL: "redis://" + answering(t, strings.Repeat("-DENIED Redis is running in protected mode\r\n", 3))}, "protected mode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			start := time.Now()
			s, err := redisstore.Open(ctx, tt.cfg, "epoch", discard)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the password: %q", err)
			}
			if took := time.Since(start); took > patient/2 {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestOpenOverTLS(t *testing.T) {
	serverTLS, clientTLS := certificate(t)
	m := miniredis.NewMiniRedis()
	if err := m.StartTLS(serverTLS); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.RequireUserAuth("dana", secret+"@/")
	s := open(t, redisstore.Config{URL: "rediss://dana:" + secret + "%40%2F@" + m.Addr() + "/2", TLS: clientTLS, Timeout: patient})
	markSample(t, s)
	if n := len(m.DB(2).Keys()); n != 3 {
		t.Errorf("database 2 has %d keys, want 3", n)
	}
}
