package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/text/language"

	"onmyway/channels/twilio"
	"onmyway/notify"
)

// defaultConfig is what holds where nothing is said.
func defaultConfig() Config {
	return Config{
		Kafka: KafkaConfig{
			Topics: []string{"order-events"}, Group: "onmyway", DeadTopic: "order-events.dead",
			CreateTopics: true, Partitions: 6, Replication: -1,
		},
		HTTP:      HTTPConfig{Addr: ":8080", RatePerMinute: 6000, MaxSockets: 10_000, SocketsPerAddress: 100},
		Ops:       OpsConfig{Addr: "127.0.0.1:9090"},
		SMS:       SMSConfig{Consent: consentImplied, ScreenFirst: true, Breaker: 0.5, PerHour: 6, Lanes: 128, Queue: 8192, Timeout: 10 * time.Second, VerifyGrace: time.Minute, UnknownAfter: 15 * time.Minute},
		Push:      PushConfig{Breaker: 0.5, Lanes: 64, Queue: 8192, Timeout: 10 * time.Second},
		Defaults:  DefaultsConfig{Locale: "en-US", TimeZone: "America/New_York"},
		ETA:       ETAConfig{Threshold: 30 * time.Minute},
		Orders:    OrdersConfig{Settle: 2 * time.Second},
		Retention: RetentionConfig{Messages: 400 * 24 * time.Hour, DeadLetters: 90 * 24 * time.Hour, Idempotency: 7 * 24 * time.Hour},
		Migrate:   MigrateConfig{Auto: true},
		Log:       LogConfig{Level: "info", Format: "auto"},
		Embedded:  EmbeddedConfig{DataDir: "./onmyway-data", KafkaAddr: "127.0.0.1:9092"},
	}
}

// The words of sms.consent.
const (
	consentImplied  = "implied_by_order"
	consentExplicit = "explicit"
)

// smsOn and pushOn tell whether the operator has set a channel up.
func (c *Config) smsOn() bool  { return c.SMS.Twilio.AccountSID != "" }
func (c *Config) pushOn() bool { return c.Push.VAPID.PrivateKey != "" }

func (c *TwilioConfig) sender(publicURL string) twilio.Config {
	return twilio.Config{
		AccountSID: c.AccountSID, APIKey: c.APIKey, APISecret: c.APISecret, AuthToken: c.AuthToken, AuthTokenOld: c.AuthTokenOld,
		MessagingServiceSID: c.MessagingServiceSID, From: c.From, BaseURL: c.BaseURL, PublicURL: publicURL,
	}
}

// check names everything that is wrong, at once.
func (c *Config) check() error {
	var errs []error
	bad := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New(text))
		}
	}
	bad(len(c.Kafka.Topics) == 0, "kafka.topics is empty: name at least one topic")
	bad(c.Kafka.Group == "", "kafka.group is empty: name the consumer group")
	bad(c.Kafka.DeadTopic == "", "kafka.dead_topic is empty: name the topic for records that can't be understood")
	bad(c.Kafka.Partitions < 1, "kafka.partitions must be 1 or more")
	bad(c.SMS.Lanes < 1 || c.SMS.Queue < c.SMS.Lanes, "sms.lanes must be 1 or more, and sms.queue at least sms.lanes")
	bad(c.SMS.PerHour < 0, "sms.per_hour must be 1 or more, or 0 for no limit")
	bad(c.SMS.Consent != consentImplied && c.SMS.Consent != consentExplicit,
		fmt.Sprintf("sms.consent: %q is unknown: use %s or %s", c.SMS.Consent, consentImplied, consentExplicit))
	bad(c.Push.Lanes < 1 || c.Push.Queue < c.Push.Lanes, "push.lanes must be 1 or more, and push.queue at least push.lanes")
	for _, t := range []struct {
		key string
		d   time.Duration
	}{{"sms.timeout", c.SMS.Timeout}, {"push.timeout", c.Push.Timeout}} {
		bad(t.d < time.Second || t.d > 15*time.Second, t.key+" must be from 1s to 15s: a stop waits for it")
	}
	bad(c.SMS.VerifyGrace < c.SMS.Timeout, "sms.verify_grace must be at least sms.timeout: a request under way could still arrive")
	bad(c.SMS.UnknownAfter < c.SMS.VerifyGrace, "sms.unknown_after must be at least sms.verify_grace")
	bad(c.ETA.Threshold < 0, "eta.threshold must not be negative")
	bad(c.Orders.Settle < 0 || c.Orders.Settle > time.Minute, "orders.settle must be from 0s, for never, to 1m: the news waits for it")
	for _, l := range []struct{ key, addr string }{{"http.addr", c.HTTP.Addr}, {"ops.addr", c.Ops.Addr}} {
		_, _, err := net.SplitHostPort(l.addr)
		bad(err != nil, fmt.Sprintf("%s: %q is not host:port, such as :8080 or 127.0.0.1:8080", l.key, l.addr))
	}
	_, err := language.Parse(c.Defaults.Locale)
	bad(err != nil, fmt.Sprintf("defaults.locale: %q is no language, such as en-US", c.Defaults.Locale))
	bad(c.HTTP.MaxSockets < 1, "http.max_sockets must be 1 or more")
	bad(c.HTTP.SocketsPerAddress < 0, "http.sockets_per_address must be 0, for no limit, or more")
	bad(c.Kafka.TLS.Enabled && len(c.Kafka.Brokers) == 0, "kafka.tls.enabled is set but kafka.brokers is missing: the embedded Kafka speaks no TLS")
	bad(c.Redis.TLS.Enabled && c.Redis.URL == "", "redis.tls.enabled is set but redis.url is missing: the embedded Redis speaks no TLS")
	for _, p := range []struct{ a, b, av, bv string }{
		{"kafka.tls.cert_file", "kafka.tls.key_file", c.Kafka.TLS.CertFile, c.Kafka.TLS.KeyFile},
		{"redis.tls.cert_file", "redis.tls.key_file", c.Redis.TLS.CertFile, c.Redis.TLS.KeyFile},
		{"kafka.sasl.user", "kafka.sasl.password", c.Kafka.SASL.User, c.Kafka.SASL.Password},
		{"push.vapid.public_key", "push.vapid.private_key", c.Push.VAPID.PublicKey, c.Push.VAPID.PrivateKey},
	} {
		bad(p.av != "" && p.bv == "", fmt.Sprintf("%s is set but %s is missing: they go together", p.a, p.b))
		bad(p.av == "" && p.bv != "", fmt.Sprintf("%s is set but %s is missing: they go together", p.b, p.a))
	}
	switch m := c.Kafka.SASL.Mechanism; m {
	case "", "plain", "scram-sha-256", "scram-sha-512":
		bad(m == "" && c.Kafka.SASL.User != "", "kafka.sasl.user is set but kafka.sasl.mechanism is missing: plain, scram-sha-256 or scram-sha-512")
		bad(m != "" && c.Kafka.SASL.User == "", "kafka.sasl.mechanism is set but kafka.sasl.user is missing")
	default:
		bad(true, fmt.Sprintf("kafka.sasl.mechanism: %q is unknown: use plain, scram-sha-256 or scram-sha-512", m))
	}
	if c.smsOn() || c.SMS.Twilio != (TwilioConfig{BaseURL: c.SMS.Twilio.BaseURL}) {
		sender := c.SMS.Twilio.sender(c.HTTP.PublicURL)
		errs = append(errs, sender.Validate())
	}
	bad(c.Auth.BootstrapKey != "" && len(c.Auth.BootstrapKey) < 16, "auth.bootstrap_key is shorter than 16 characters: make one with `openssl rand -hex 24`")
	bad(c.Auth.TokenSecret != "" && len(c.Auth.TokenSecret) < 32, "auth.token_secret is shorter than 32 characters: make one with `openssl rand -hex 32`")
	if _, err := time.LoadLocation(c.Defaults.TimeZone); err != nil || c.Defaults.TimeZone == "" {
		bad(true, fmt.Sprintf("defaults.time_zone: %q is no IANA time zone, such as America/New_York", c.Defaults.TimeZone))
	}
	if _, err := c.Defaults.off(); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, c.Retention.check(), c.Tracing.check(), c.SMS.limits().check("sms"), c.Push.limits().check("push"))
	if _, err := notify.CompileRoutes(c.Routes); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
