package kafkasource_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"onmyway/notify/kafkasource"
)

func TestLogin(t *testing.T) {
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		t.Run(mechanism, func(t *testing.T) {
			c := fake(t, kfake.EnableSASL(), kfake.Superuser(strings.ToUpper(mechanism), "onmyway", "right"))
			cfg := configOf(t, c.ListenAddrs()...)
			cfg.SASL = &kafkasource.SASL{Mechanism: mechanism, User: "onmyway", Password: "right"}
			k := open(t, cfg)
			produce(t, k, cfg.Topics[0], orders(0, 20))
			r := read(t, k)
			r.until(t, "twenty", func() bool { return len(r.seen) == 20 })

			cfg.SASL = &kafkasource.SASL{Mechanism: mechanism, User: "onmyway", Password: "wrong"}
			refused(t, cfg, "refuses the user or the password")
			cfg.SASL = nil
			refused(t, cfg, "wants SASL")
		})
	}
}

func TestEncryption(t *testing.T) {
	pair, trusted := certificate(t)
	c := fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	cfg := configOf(t, c.ListenAddrs()...)
	cfg.TLS = &tls.Config{RootCAs: trusted}
	k := open(t, cfg)
	produce(t, k, cfg.Topics[0], orders(0, 20))
	r := read(t, k)
	r.until(t, "twenty", func() bool { return len(r.seen) == 20 })
	if err := k.Ping(t.Context()); err != nil {
		t.Error(err)
	}

	cfg.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	refused(t, cfg, "not trusted")
	cfg.TLS = nil
	refused(t, cfg, "kafka.tls")
	cfg = configOf(t, fake(t).ListenAddrs()...)
	cfg.TLS = &tls.Config{RootCAs: trusted}
	refused(t, cfg, "TLS")
}

// refused expects that Open fails, soon, with words that help and without the password.
func refused(t *testing.T, cfg kafkasource.Config, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	k, err := kafkasource.Open(ctx, cfg, quiet())
	if err == nil {
		_ = k.Close()
		t.Fatalf("Open succeeded, want an error with %q", words)
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("error %q, want it to say %q", err, words)
	}
	if cfg.SASL != nil && cfg.SASL.Password != "" && strings.Contains(err.Error(), cfg.SASL.Password) {
		t.Errorf("the error has the password: %v", err)
	}
}

// certificate borrows the one of net/http/httptest, which is good for 127.0.0.1.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

func TestABrokerThatSaysNothing(t *testing.T) {
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
			go func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }()
		}
	}()
	defer func() { _ = ln.Close(); <-done }()
	cfg := configOf(t, ln.Addr().String())
	began := time.Now()
	refused(t, cfg, ln.Addr().String())
	cfg.SASL = &kafkasource.SASL{Mechanism: "plain", User: "u", Password: "secret"}
	refused(t, cfg, ln.Addr().String())
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("two tries of 2 s took %s", took)
	}
}

func TestWrongConfigurations(t *testing.T) {
	good := func() kafkasource.Config { return configOf(t, "127.0.0.1:1") }
	tests := map[string]struct {
		spoil func(*kafkasource.Config)
		words string
	}{
		"no broker":         {func(c *kafkasource.Config) { c.Brokers = nil }, "kafka.brokers"},
		"broker, no port":   {func(c *kafkasource.Config) { c.Brokers = []string{"kafka"} }, "host:port"},
		"no topic":          {func(c *kafkasource.Config) { c.Topics = nil }, "kafka.topics"},
		"no group":          {func(c *kafkasource.Config) { c.Group = "" }, "kafka.group"},
		"eats its dead":     {func(c *kafkasource.Config) { c.DeadTopic = c.Topics[0] }, "dead letters"},
		"unknown mechanism": {func(c *kafkasource.Config) { c.SASL = &kafkasource.SASL{Mechanism: "gssapi"} }, "scram-sha-512"},
		"nobody listens":    {func(*kafkasource.Config) {}, "127.0.0.1:1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := good()
			test.spoil(&cfg)
			refused(t, cfg, test.words)
		})
	}
}

func portOf(t *testing.T, addr string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func addPartitions(t *testing.T, cfg kafkasource.Config, n int32) {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	c := kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: transport}
	res, err := c.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: cfg.Topics[0], Count: n}},
	})
	if err == nil {
		err = res.Errors[cfg.Topics[0]]
	}
	if err != nil {
		t.Fatal(err)
	}
}
