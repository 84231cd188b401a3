package kafkasource

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
)

// reach waits until a broker answers and can be used. What time does not mend is an error at once.
func (k *Kafka) reach(ctx context.Context) error {
	var last error
	for wait := firstWait; ; wait = min(wait*2, lastWait) {
		brokers, err := k.probeAny(ctx)
		if err == nil {
			err = k.probeAdvertised(ctx, brokers)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil { // the attempt that ctx cut off knows less than the one before
			last = err
		}
		var final *unusable
		if errors.As(last, &final) || !sleep(ctx, wait) {
			return fmt.Errorf("use Kafka: %w; check kafka.brokers and that the brokers run", last)
		}
	}
}

// unusable is an error that trying again does not mend.
type unusable struct{ error }

func (e *unusable) Unwrap() error { return e.error }

func (k *Kafka) probeAny(ctx context.Context) ([]kafka.Broker, error) {
	var failures []error
	for _, addr := range k.cfg.Brokers {
		brokers, err := k.probe(ctx, addr)
		if err == nil {
			return brokers, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", addr, err))
	}
	return nil, errors.Join(failures...)
}

// probeAdvertised tries the addresses that the cluster tells its clients to use: a broker that advertises a name that
// does not exist out here answers the first question and nothing else.
func (k *Kafka) probeAdvertised(ctx context.Context, brokers []kafka.Broker) error {
	if len(brokers) == 0 {
		return errors.New("the cluster names no broker yet")
	}
	var failures []error
	for _, b := range brokers {
		addr := net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
		if _, err := k.probe(ctx, addr); err != nil {
			failures = append(failures, fmt.Errorf("it answers, but tells its clients to use %s, which fails "+
				"(advertised.listeners of the broker?): %w", addr, err))
		}
	}
	if len(failures) == len(brokers) {
		return errors.Join(failures...)
	}
	for _, err := range failures {
		k.log.Warn("a Kafka broker can't be used", "error", err)
	}
	return nil
}

// probe asks one broker for its versions and for the brokers of the cluster. It goes step by step, because kafka-go says
// EOF to a wrong answer in any of them, and the step tells what is wrong.
func (k *Kafka) probe(ctx context.Context, addr string) ([]kafka.Broker, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	open := *k.dialer
	open.SASLMechanism = nil // versions may be asked for before
	conn, err := k.ask(ctx, &open, addr, func(c *kafka.Conn) error { _, err := c.ApiVersions(); return err })
	if err != nil {
		return nil, k.transportProblem(err)
	}
	_ = conn.Close()

	var brokers []kafka.Broker
	conn, err = k.ask(ctx, k.dialer, addr, func(c *kafka.Conn) (err error) { brokers, err = c.Brokers(); return err })
	if err != nil {
		return nil, k.loginProblem(err)
	}
	return brokers, conn.Close()
}

// answers asks one broker for the brokers of the cluster.
func (k *Kafka) answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := k.ask(ctx, k.dialer, addr, func(c *kafka.Conn) error { _, err := c.Brokers(); return err })
	if err != nil {
		return err
	}
	return conn.Close()
}

// ask dials and asks one question within the time that ctx has.
func (k *Kafka) ask(ctx context.Context, d *kafka.Dialer, addr string, question func(*kafka.Conn) error) (*kafka.Conn, error) {
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	err = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err == nil {
		err = question(conn)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// transportProblem explains why the first question got no answer.
func (k *Kafka) transportProblem(err error) error {
	var (
		notTLS  tls.RecordHeaderError
		badCert *tls.CertificateVerificationError
		badName x509.HostnameError
	)
	switch {
	case errors.As(err, &notTLS):
		return &unusable{fmt.Errorf("the broker does not speak TLS on this port: turn kafka.tls off or use its TLS port: %w", err)}
	case errors.As(err, &badCert), errors.As(err, &badName):
		return &unusable{fmt.Errorf("the broker's certificate is not trusted: set kafka.tls.ca_file: %w", err)}
	case k.cfg.TLS != nil && errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no TLS handshake in time: is this the broker's TLS port (kafka.tls)? %w", err)
	case dropped(err) && k.cfg.TLS == nil:
		return fmt.Errorf("the broker closed the connection: does it want TLS (kafka.tls)? %w", err)
	case dropped(err):
		return fmt.Errorf("the broker closed the connection: does it speak TLS on this port, and want a client certificate? %w", err)
	}
	return err
}

// loginProblem explains why a broker that answered the first question does not answer the second.
func (k *Kafka) loginProblem(err error) error {
	switch {
	case k.cfg.SASL == nil && dropped(err):
		return &unusable{fmt.Errorf("the broker closed the connection: it wants SASL, set kafka.sasl: %w", err)}
	case k.cfg.SASL == nil:
		return err
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return &unusable{fmt.Errorf("the broker does not offer SASL %s: see kafka.sasl.mechanism: %w", k.cfg.SASL.Mechanism, err)}
	case errors.Is(err, kafka.SASLAuthenticationFailed), dropped(err):
		return &unusable{fmt.Errorf("the broker refuses the user or the password (kafka.sasl, %s): %w", k.cfg.SASL.Mechanism, err)}
	}
	return err
}

// dropped tells that the other side ended the connection instead of answering, or answered what is no Kafka.
func dropped(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrNoProgress) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
