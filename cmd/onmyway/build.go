package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"onmyway/api"
	"onmyway/channels"
	"onmyway/channels/webpush"
	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

// channelConfig says which channels are on.
func channelConfig(cfg Config, tokens notify.Tokens) channels.Config {
	var c channels.Config
	if cfg.smsOn() {
		sms := cfg.SMS.Twilio.sender(cfg.HTTP.PublicURL)
		c.Twilio = &sms
	}
	if cfg.pushOn() {
		push := pushConfig(cfg)
		if at := strings.TrimSuffix(cfg.HTTP.PublicURL, "/"); at != "" { // else browsers don't know whom to tell
			push.Shown = func(id notify.ID) string { return at + api.ShownPath + tokens.SignShown(id) }
		}
		c.WebPush = &push
	}
	return c
}

func pushConfig(cfg Config) webpush.Config {
	return webpush.Config{
		PublicKey: cfg.Push.VAPID.PublicKey, PrivateKey: cfg.Push.VAPID.PrivateKey, Subject: cfg.Push.VAPID.Subject,
		AllowedHosts: cfg.Push.AllowedHosts, AllowInsecure: cfg.Push.AllowInsecure, DefaultLink: cfg.HTTP.PublicURL,
		Breaker: cfg.Push.Breaker,
	}
}

// kafkaConfig is how Kafka is reached.
func kafkaConfig(cfg Config) (kafkasource.Config, error) {
	k := cfg.Kafka
	c := kafkasource.Config{
		Brokers: k.Brokers, Topics: k.Topics, Group: k.Group, DeadTopic: k.DeadTopic,
		Create: k.CreateTopics, Partitions: k.Partitions, Replication: k.Replication,
	}
	if k.SASL.Mechanism != "" {
		c.SASL = &kafkasource.SASL{Mechanism: k.SASL.Mechanism, User: k.SASL.User, Password: k.SASL.Password}
	}
	var err error
	c.TLS, err = k.TLS.load("kafka.tls")
	return c, err
}

// apiConfig is the part of the configuration that REST needs.
func apiConfig(cfg Config) (api.Config, error) {
	c := api.Config{Topic: cfg.Kafka.Topics[0], PublicURL: cfg.HTTP.PublicURL, RatePerMinute: cfg.HTTP.RatePerMinute,
		Bootstrap: api.BootstrapKey(cfg.Auth.BootstrapKey)}
	var errs []error
	for _, p := range cfg.HTTP.TrustedProxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("http.trusted_proxies: %q is no network: write it like 10.0.0.0/8", p))
		}
		c.TrustedProxies = append(c.TrustedProxies, prefix)
	}
	return c, errors.Join(errs...)
}
