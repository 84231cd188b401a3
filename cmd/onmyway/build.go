package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"onmyway/api"
	"onmyway/channels"
	"onmyway/channels/webpush"
	"onmyway/notify"
	"onmyway/templates"
)

// newRules reads the routes and the texts.
func newRules(cfg Config) (*notify.Rules, error) {
	routes, err := notify.CompileRoutes(cfg.Routes)
	if err != nil {
		return nil, err
	}
	var dir fs.FS
	if cfg.Templates.Dir != "" {
		dir = os.DirFS(cfg.Templates.Dir)
	}
	words, err := templates.Load(dir)
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	zone, err := time.LoadLocation(cfg.Defaults.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("defaults.time_zone: %w", err)
	}
	return &notify.Rules{
		Routes: routes, Words: words, Locale: cfg.Defaults.Locale, Zone: zone, Zones: zones(),
		Channels: map[notify.Channel]bool{notify.SMS: cfg.smsOn(), notify.Push: cfg.pushOn(), notify.WebSocket: true},
	}, nil
}

// wordless names the milestones that a route sends out and that no template has words for.
func wordless(r *notify.Rules) (names []string) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			sent := slices.ContainsFunc(r.Routes[m].Channels, func(ch notify.Channel) bool { return ch != notify.WebSocket })
			if m.Visible && sent && r.Words.Lookup(string(line), m.Name, r.Locale) == nil {
				names = append(names, string(line)+"/"+m.Name)
			}
		}
	}
	return names
}

// zones finds time zones by name, each loaded once; nil for a name that is none. There are some 600 names, so the memory
// is bounded by itself.
func zones() func(name string) *time.Location {
	var known sync.Map
	return func(name string) *time.Location {
		if z, there := known.Load(name); there {
			return z.(*time.Location)
		}
		z, err := time.LoadLocation(name)
		if err != nil {
			return nil
		}
		known.Store(name, z)
		return z
	}
}

// channelConfig says which channels are on.
func channelConfig(cfg Config) channels.Config {
	var c channels.Config
	if cfg.smsOn() {
		sms := cfg.SMS.Twilio.sender(cfg.HTTP.PublicURL)
		c.Twilio = &sms
	}
	if cfg.pushOn() {
		push := pushConfig(cfg)
		c.WebPush = &push
	}
	return c
}

func pushConfig(cfg Config) webpush.Config {
	return webpush.Config{
		PublicKey: cfg.Push.VAPID.PublicKey, PrivateKey: cfg.Push.VAPID.PrivateKey, Subject: cfg.Push.VAPID.Subject,
		AllowedHosts: cfg.Push.AllowedHosts, AllowInsecure: cfg.Push.AllowInsecure, DefaultLink: cfg.HTTP.PublicURL,
	}
}

// apiConfig is the part of the configuration that REST needs.
func apiConfig(cfg Config) (api.Config, error) {
	c := api.Config{Topic: cfg.Kafka.Topics[0], PublicURL: cfg.HTTP.PublicURL, RatePerMinute: cfg.HTTP.RatePerMinute}
	if cfg.Auth.BootstrapKey != "" {
		c.Keys = []api.Key{{Name: "bootstrap", Hash: sha256.Sum256([]byte(cfg.Auth.BootstrapKey)), Scopes: []string{"*"}}}
	}
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
