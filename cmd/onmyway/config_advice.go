package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"onmyway/channels/webpush"
)

// advice is something that serve takes and production should not.
type advice struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// embedded names the engines that serve would run itself.
func (c *Config) embedded() (names []string) {
	for _, e := range []struct {
		name string
		off  bool
	}{{"Kafka", len(c.Kafka.Brokers) == 0}, {"Redis", c.Redis.URL == ""}, {"SQL (a SQLite file)", c.Database.URL == ""}} {
		if e.off {
			names = append(names, e.name)
		}
	}
	return names
}

// warnings is what production still needs.
func (c *Config) warnings() (list []advice) {
	warn := func(when bool, key, text string) {
		if when {
			list = append(list, advice{key, text})
		}
	}
	public, _ := url.Parse(c.HTTP.PublicURL) // check has refused what is no URL
	warn(len(c.Kafka.Brokers) == 0, "kafka.brokers", "is not set: Kafka runs embedded, for one process")
	warn(c.Redis.URL == "", "redis.url", "is not set: Redis runs embedded, for one process")
	warn(c.Database.URL == "", "database.url", "is not set: everything is kept in a SQLite file, for one process")
	warn(c.HTTP.PublicURL == "", "http.public_url",
		"is not set: messages can't link to the live page, and Twilio can neither report on texts nor hand on a STOP")
	warn(public != nil && public.Scheme == "http" && !local(public.Hostname()), "http.public_url",
		"begins with http: browsers allow push over https only, and tokens could be read on the way")
	warn(c.Auth.BootstrapKey == "", "auth.bootstrap_key", "is not set: REST takes only keys that are in SQL already")
	warn(!c.smsOn(), "sms.twilio.account_sid", "is not set: nobody gets texts")
	warn(c.smsOn() && c.SMS.Twilio.AuthToken == "", "sms.twilio.auth_token",
		"is not set: it signs what Twilio reports and hands on, so every callback is refused")
	warn(c.SMS.Twilio.BaseURL != "", "sms.twilio.base_url", "is set: texts go to that address instead of Twilio's own")
	warn(!c.pushOn(), "push.vapid.private_key", "is not set: nobody gets pushes; make a pair with `onmyway vapid generate`")
	warn(c.Push.AllowInsecure, "push.allow_insecure_endpoints",
		"is on: whoever can subscribe makes this service call addresses of your own network")
	warn(c.Kafka.SASL.User != "" && !c.Kafka.TLS.Enabled, "kafka.tls.enabled", "is off: user and password travel unencrypted to Kafka")
	warn(len(c.Kafka.Brokers) > 0 && c.Kafka.CreateTopics && c.Kafka.Replication == 1, "kafka.replication",
		"is 1: topics that are made here are lost with one broker")
	warn(plainDatabase(c.Database.URL), "database.url", "allows an unencrypted connection to another host: add sslmode=verify-full")
	warn(!privateListener(c.Ops.Addr), "ops.addr", "listens on every address: keep its port away from the outside, profiles show memory")
	warn(c.Retention.Messages == 0, "retention.messages", "is 0: names, numbers and texts of customers stay for ever, and the tables grow")
	warn(strings.EqualFold(c.Log.Level, "debug"), "log.level", "is debug: good for a search, too much for every day")
	return list
}

// local tells that a host is this machine.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || host == "" || err == nil && ip.Unmap().IsLoopback()
}

// plainDatabase tells that the password may cross a network unencrypted: the driver's own default only prefers TLS.
func plainDatabase(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || local(u.Hostname()) {
		return false
	}
	switch u.Query().Get("sslmode") {
	case "require", "verify-ca", "verify-full":
		return false
	}
	return true
}

// privateListener tells that an address is one and not all of this machine's.
func privateListener(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return true // check has said so
	}
	ip, err := netip.ParseAddr(host)
	return host != "" && (err != nil || !ip.IsUnspecified())
}

// parts checks what serve finds out only when it builds itself: keys, files, texts. Engines and providers are left alone.
func (c *Config) parts() error {
	quiet := slog.New(slog.DiscardHandler)
	_, err := newLog(io.Discard, c.Log)
	errs := []error{err}
	if len(c.Kafka.Topics) > 0 {
		_, err = apiConfig(*c)
		errs = append(errs, err)
	}
	_, err = c.Kafka.TLS.load("kafka.tls")
	errs = append(errs, err)
	_, err = c.Redis.TLS.load("redis.tls")
	errs = append(errs, err)
	if c.Push.VAPID.PublicKey != "" && c.pushOn() {
		if s, err := webpush.New(pushConfig(*c), nil, quiet); err != nil {
			errs = append(errs, err)
		} else {
			errs = append(errs, s.Close())
		}
	}
	_, err = loadWords(*c)
	return errors.Join(append(errs, err)...)
}
