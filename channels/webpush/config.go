package webpush

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

// DefaultHosts are the push services of Chrome and Edge, Firefox, Windows and Safari.
var DefaultHosts = []string{
	"fcm.googleapis.com", "android.googleapis.com", "*.push.services.mozilla.com", "*.notify.windows.com", "*.push.apple.com",
}

// Config is what the operator says about Web Push, under push.* in the configuration.
type Config struct {
	PublicKey     string   // push.vapid.public_key: base64url of the uncompressed P-256 point, 65 bytes
	PrivateKey    string   // push.vapid.private_key: base64url of 32 bytes
	Subject       string   // push.vapid.subject: whom push services write to; an e-mail address or an https URL
	AllowedHosts  []string // push.allowed_hosts: see outhttp.Guard; empty: DefaultHosts
	AllowInsecure bool     // push.allow_insecure_endpoints: http, any port and own network; with no AllowedHosts any host
	DefaultLink   string   // where a tap leads when the message names no link: http.public_url
	Breaker       float64  // push.breaker: the share of failures at which a push service is left alone; 0: never
	// Shown is the address that a service worker calls (POST) once it shows a message; nil: none is told. It is a secret of
	// that browser.
	Shown func(id notify.ID) string
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

// Guard says which endpoints may be called.
func (c Config) Guard() outhttp.Guard {
	hosts := c.AllowedHosts
	if len(hosts) == 0 && !c.AllowInsecure {
		hosts = DefaultHosts
	}
	return outhttp.Guard{Hosts: hosts, Private: c.AllowInsecure, Insecure: c.AllowInsecure}
}

// LogValue leaves the private key out.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("public_key", c.PublicKey), slog.String("private_key", outhttp.Mask(c.PrivateKey)),
		slog.String("subject", c.Subject), slog.Any("allowed_hosts", c.Guard().Hosts), slog.Bool("allow_insecure", c.AllowInsecure))
}

// String leaves the private key out.
func (c Config) String() string { return c.LogValue().String() }

// subject brings the VAPID subject into the form that the library wants: an https URL, or an e-mail address without
// "mailto:", which the library puts in front whatever it gets. Apple answers 403 to a subject that nobody could write to.
func subject(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", errors.New("push.vapid.subject: missing: push services want an e-mail address or https URL of the operator")
	}
	if u, err := url.Parse(s); err == nil && strings.EqualFold(u.Scheme, "https") {
		if err := reachable(u.Hostname()); err != nil {
			return "", err
		}
		return u.String(), nil
	}
	for len(s) >= 7 && strings.EqualFold(s[:7], "mailto:") {
		s = strings.TrimSpace(s[7:])
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return "", errors.New("push.vapid.subject: neither an e-mail address nor an https URL")
	}
	return s, reachable(s[strings.LastIndexByte(s, '@')+1:])
}

func reachable(domain string) error {
	d := strings.ToLower(strings.TrimSuffix(domain, "."))
	if !strings.Contains(d, ".") || strings.HasSuffix(d, ".local") || strings.HasSuffix(d, ".localhost") || net.ParseIP(d) != nil || d[0] == '[' {
		return fmt.Errorf("push.vapid.subject: %q is not a public domain: Apple refuses every message with it", domain)
	}
	return nil
}
