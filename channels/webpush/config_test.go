package webpush_test

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	good, other := config(t), config(t)
	rows := []struct {
		name   string
		change func(*webpush.Config)
		want   string // in the error; empty for none
	}{
		{"good", func(*webpush.Config) {}, ""},
		{"padded keys", func(c *webpush.Config) { c.PublicKey, c.PrivateKey = c.PublicKey+"=", c.PrivateKey+"=" }, ""},
		{"no keys", func(c *webpush.Config) { c.PublicKey, c.PrivateKey = "", "" }, "push.vapid.public_key and push.vapid.private_key"},
		{"no private key", func(c *webpush.Config) { c.PrivateKey = "" }, "push.vapid.private_key"},
		{"public key that is text", func(c *webpush.Config) { c.PublicKey = "!!" }, "push.vapid.public_key"},
		{"public key that is short", func(c *webpush.Config) { c.PublicKey = "AAAA" }, "push.vapid.public_key"},
		{"private key that is short", func(c *webpush.Config) { c.PrivateKey = "AAAA" }, "push.vapid.private_key"},
		{"private key that is zero", func(c *webpush.Config) { c.PrivateKey = strings.Repeat("A", 43) }, "push.vapid.private_key"},
		{"halves of two pairs", func(c *webpush.Config) { c.PrivateKey = other.PrivateKey }, "does not belong"},
		{"halves swapped", func(c *webpush.Config) { c.PublicKey, c.PrivateKey = c.PrivateKey, c.PublicKey }, "push.vapid.public_key"},
		{"subject without mailto", func(c *webpush.Config) { c.Subject = "ops@example.com" }, ""},
		{"subject with mailto twice", func(c *webpush.Config) { c.Subject = " MAILTO:mailto:ops@example.com" }, ""},
		{"subject by https", func(c *webpush.Config) { c.Subject = "https://example.com/contact" }, ""},
		{"no subject", func(c *webpush.Config) { c.Subject = " " }, "push.vapid.subject"},
		{"subject by http", func(c *webpush.Config) { c.Subject = "http://example.com" }, "push.vapid.subject"},
		{"subject at localhost", func(c *webpush.Config) { c.Subject = "mailto:ops@localhost" }, "push.vapid.subject"},
		{"subject at .local", func(c *webpush.Config) { c.Subject = "ops@printer.local" }, "push.vapid.subject"},
		{"subject by https at localhost", func(c *webpush.Config) { c.Subject = "https://localhost/" }, "push.vapid.subject"},
		{"subject by https at an address", func(c *webpush.Config) { c.Subject = "https://10.0.0.1/" }, "push.vapid.subject"},
		{"subject with a name", func(c *webpush.Config) { c.Subject = "Ops <ops@example.com>" }, "push.vapid.subject"},
		{"subject that is a word", func(c *webpush.Config) { c.Subject = "ops" }, "push.vapid.subject"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			cfg := good
			r.change(&cfg)
			s, err := webpush.New(cfg, subscriptions{}, slog.New(slog.DiscardHandler))
			if r.want == "" && err != nil || r.want != "" && (err == nil || !strings.Contains(err.Error(), r.want)) {
				t.Fatalf("error %v, want one with %q", err, r.want)
			}
			if err != nil && strings.Contains(err.Error(), good.PrivateKey) {
				t.Error("the error holds the private key")
			}
			if s != nil {
				_ = s.Close()
			}
		})
	}
}

// However the subject is written, a strict push service takes it.
func TestSubjectIsTaken(t *testing.T) {
	for _, subject := range []string{"ops@example.com", "mailto:ops@example.com", "mailto:mailto:ops@example.com", "https://example.com/x", "HTTPS://example.com"} {
		l := newLab(t, webpushtest.Options{}, func(c *webpush.Config) { c.Subject = subject })
		if a := l.sender.Send(t.Context(), message(l.sub.ID)); a.Verdict != notify.Took {
			t.Errorf("%s: answer %+v", subject, a)
		}
	}
}

func TestConfigHidesThePrivateKey(t *testing.T) {
	cfg := config(t)
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("configured", "push", cfg)
	if s := b.String() + cfg.String() + fmt.Sprintf("%v %+v %s", cfg, cfg, cfg); strings.Contains(s, cfg.PrivateKey) || !strings.Contains(s, cfg.PublicKey) {
		t.Errorf("private key shown or public key missing: %s", s)
	}
}

func TestGenerateKeys(t *testing.T) {
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	d, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdh.P256().NewPrivateKey(d)
	if err != nil || base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()) != public {
		t.Errorf("the halves do not belong together: %v", err)
	}
}

func TestSubscriptionID(t *testing.T) {
	if got, want := webpush.SubscriptionID("https://fcm.googleapis.com/fcm/send/abc"), "4e9bdab8bbe7189c00aebb0922fc49fe"; got != want {
		t.Errorf("SubscriptionID = %q, want %q", got, want)
	}
}

func TestCheckSubscription(t *testing.T) {
	l := newLab(t, webpushtest.Options{})
	good := l.sub
	good.Endpoint = "https://updates.push.services.mozilla.com/wpush/v2/abc"
	std := func(s string) string { return strings.NewReplacer("-", "+", "_", "/").Replace(s) }
	point := []byte(strings.Repeat("\x04", 65))
	rows := []struct {
		name   string
		change func(*notify.Subscription)
		fields []string
	}{
		{"good", func(*notify.Subscription) {}, nil},
		{"padded", func(s *notify.Subscription) { s.P256dh += "="; s.Auth += "==" }, nil},
		{"ordinary base64", func(s *notify.Subscription) { s.P256dh, s.Auth = std(s.P256dh), std(s.Auth) }, nil},
		{"empty", func(s *notify.Subscription) { *s = notify.Subscription{} }, []string{"endpoint", "keys.p256dh", "keys.auth"}},
		{"other host", func(s *notify.Subscription) { s.Endpoint = "https://example.com/" }, []string{"endpoint"}},
		{"http", func(s *notify.Subscription) { s.Endpoint = "http://fcm.googleapis.com/" }, []string{"endpoint"}},
		{"own network", func(s *notify.Subscription) { s.Endpoint = "https://192.168.1.1/" }, []string{"endpoint"}},
		{"control character", func(s *notify.Subscription) { s.Endpoint += "\n" }, []string{"endpoint"}},
		{"endless endpoint", func(s *notify.Subscription) { s.Endpoint += strings.Repeat("a", 2048) }, []string{"endpoint"}},
		{"key that is no base64", func(s *notify.Subscription) { s.P256dh = "*" }, []string{"keys.p256dh"}},
		{"key off the curve", func(s *notify.Subscription) { s.P256dh = base64.RawURLEncoding.EncodeToString(point) }, []string{"keys.p256dh"}},
		{"key of 64 bytes", func(s *notify.Subscription) { s.P256dh = base64.RawURLEncoding.EncodeToString(point[:64]) }, []string{"keys.p256dh"}},
		{"short secret", func(s *notify.Subscription) { s.Auth = "AAAA" }, []string{"keys.auth"}},
		{"secret that is no base64", func(s *notify.Subscription) { s.Auth = "a b" }, []string{"keys.auth"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			sub := good
			r.change(&sub)
			err := webpush.CheckSubscription(webpush.Config{}.Guard(), sub)
			var invalid *notify.Invalid
			var fields []string
			if errors.As(err, &invalid) {
				for _, p := range invalid.Problems {
					fields = append(fields, p.Field)
				}
			}
			if diff := cmp.Diff(r.fields, fields); diff != "" || (err == nil) != (r.fields == nil) {
				t.Errorf("error %v: %s", err, diff)
			}
		})
	}
}
