package kafkasource

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"onmyway/notify"
)

// Config says where Kafka is and what is read from it.
type Config struct {
	Brokers     []string    // host:port; one that answers is enough
	Topics      []string    // that are read
	Group       string      // all processes with the same group share the partitions
	Member      string      // names this process among them, for Dismiss; empty for none
	TLS         *tls.Config // nil for none
	SASL        *SASL       // nil for none
	DeadTopic   string      // where Bury writes; empty: DefaultDeadTopic
	Create      bool        // make topics that do not exist
	Partitions  int         // of the topics that are made; 0: DefaultPartitions
	Replication int         // of the topics that are made; 0 or -1: what the broker has as its default

	// Outage keeps the log quiet while Kafka is down; nil makes one that logs to Open's logger.
	Outage *notify.Outage
	// OnGap is called when Kafka had deleted records [from, to) of a partition before they were read; nil for nothing.
	OnGap func(topic string, partition int, from, to int64)
}

// SASL is how this process says who it is.
type SASL struct {
	Mechanism string // plain, scram-sha-256 or scram-sha-512
	User      string
	Password  string
}

// What Config's zero values stand for.
const (
	DefaultDeadTopic  = "order-events.dead"
	DefaultPartitions = 6
)

// The limits of talking to Kafka.
const (
	clientID       = "onmyway"
	dialTimeout    = 5 * time.Second
	answerTimeout  = 10 * time.Second       // a request that says no deadline of its own
	fetchWait      = 500 * time.Millisecond // how long a broker holds a fetch that finds nothing
	fetchBytes     = 4 << 20                // of one response; some 10,000 events
	produceLinger  = time.Millisecond       // Writer's wait for more records; its default of 1 s is for bulk loads
	heartbeat      = time.Second            // a rebalance is noticed after that
	sessionTimeout = 6 * time.Second        // a member that died loses its partitions after that: the least that brokers take
	drainTimeout   = 20 * time.Second       // a member may take so long to finish its batches in a rebalance
	joinBackoff    = 250 * time.Millisecond
	topicsInterval = 3 * time.Second // how often new partitions are looked for, in what the transport has heard
	metadataTTL    = 2 * time.Second // how old that may be: until then writes go to where a partition was led before
	firstWait      = 50 * time.Millisecond
	lastWait       = time.Second // engines come back, and what waits for them must notice soon
)

// withDefaults checks the configuration and fills it up.
func (c Config) withDefaults() (Config, error) {
	switch {
	case len(c.Brokers) == 0:
		return c, errors.New("no Kafka broker: set kafka.brokers")
	case len(c.Topics) == 0:
		return c, errors.New("no Kafka topic: set kafka.topics")
	case c.Group == "":
		return c, errors.New("no Kafka group: set kafka.group")
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			return c, fmt.Errorf("kafka.brokers: %q is not host:port", b)
		}
	}
	if c.DeadTopic == "" {
		c.DeadTopic = DefaultDeadTopic
	}
	for _, t := range c.Topics {
		if t == c.DeadTopic {
			return c, fmt.Errorf("kafka.topics: %s is where dead letters go; reading it would bury them again for ever", t)
		}
	}
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	if c.Replication == 0 {
		c.Replication = -1
	}
	return c, nil
}

// mechanism is nil when there is no SASL.
func (c Config) mechanism() (sasl.Mechanism, error) {
	if c.SASL == nil {
		return nil, nil
	}
	switch strings.ToLower(c.SASL.Mechanism) {
	case "plain":
		return plain.Mechanism{Username: c.SASL.User, Password: c.SASL.Password}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, c.SASL.User, c.SASL.Password)
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, c.SASL.User, c.SASL.Password)
	}
	return nil, fmt.Errorf("kafka.sasl.mechanism: %q is none of plain, scram-sha-256, scram-sha-512", c.SASL.Mechanism)
}

// dialer is for groups and fetching, transport for producing and asking: kafka-go takes TLS and SASL separately for each.
func (c Config) dialer(m sasl.Mechanism) *kafka.Dialer {
	return &kafka.Dialer{ClientID: clientOf(c.Member), Timeout: dialTimeout, DialFunc: dialBounded, TLS: c.TLS, SASLMechanism: m}
}

func (c Config) transport(m sasl.Mechanism) *kafka.Transport {
	return &kafka.Transport{
		ClientID: clientID, DialTimeout: dialTimeout, MetadataTTL: metadataTTL, TLS: c.TLS, SASL: m,
		Dial:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MetadataTopics: append([]string{c.DeadTopic}, c.Topics...), // else it asks for every topic of the cluster
	}
}
