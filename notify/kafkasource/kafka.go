package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

// Kafka is the connection to one cluster. It is safe for concurrent use.
type Kafka struct {
	cfg       Config
	log       *slog.Logger
	outage    *notify.Outage
	dialer    *kafka.Dialer
	transport *kafka.Transport
	client    *kafka.Client
	writer    *kafka.Writer
}

// Open finds out whether Kafka can be used, waiting for it until ctx ends, and makes missing topics if it may. The error
// says what to do. The caller closes what Open returns.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Kafka, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := cfg.mechanism()
	if err != nil {
		return nil, err
	}
	if cfg.SASL != nil && cfg.TLS == nil {
		log.Warn("Kafka is given user and password without TLS: anybody on the way can read them")
	}
	k := &Kafka{cfg: cfg, log: log, outage: cfg.Outage, dialer: cfg.dialer(m), transport: cfg.transport(m)}
	if k.outage == nil {
		k.outage = &notify.Outage{Engine: "Kafka", Log: log}
	}
	addr := kafka.TCP(cfg.Brokers...)
	k.client = &kafka.Client{Addr: addr, Transport: k.transport, Timeout: answerTimeout}
	k.writer = &kafka.Writer{
		Addr: addr, Transport: k.transport,
		Balancer:     kafka.Murmur2Balancer{}, // the same partition for a key as Java's producer
		RequiredAcks: kafka.RequireAll,
		BatchTimeout: produceLinger, BatchSize: 1000, BatchBytes: produceBytes,
	}
	if err := k.reach(ctx); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	if err := k.prepareTopics(ctx); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// Ping tells whether a broker answers.
func (k *Kafka) Ping(ctx context.Context) error {
	var last error
	for _, b := range k.cfg.Brokers {
		if last = k.answers(ctx, b); last == nil {
			return nil
		}
	}
	return fmt.Errorf("ping Kafka: %w", last)
}

// Close waits for records that are being written and closes idle connections. Run must have returned.
func (k *Kafka) Close() error {
	err := k.writer.Close()
	k.transport.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("close Kafka's writer: %w", err)
	}
	return nil
}
