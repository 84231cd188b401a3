package twilio_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"onmyway/channels/twilio"
)

// good is a complete configuration.
func good() twilio.Config {
	return twilio.Config{
		AccountSID: "AC00000000000000000000000000000001", APIKey: "SK00000000000000000000000000000002",
		APISecret: "apisecret3", AuthToken: "authtoken4", MessagingServiceSID: "MG00000000000000000000000000000005",
	}
}

func TestConfigValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*twilio.Config)
		want   []string // parts of the message; none: valid
	}{
		{"API key and messaging service", func(c *twilio.Config) {}, nil},
		{"API key without auth token", func(c *twilio.Config) { c.AuthToken = "" }, nil},
		{"auth token only", func(c *twilio.Config) { c.APIKey, c.APISecret = "", "" }, nil},
		{"two tokens", func(c *twilio.Config) { c.AuthTokenOld = "authtoken6" }, nil},
		{
			"the old token alone", func(c *twilio.Config) { c.AuthToken, c.AuthTokenOld = "", "authtoken6" },
			[]string{"sms.twilio.auth_token is missing"},
		},
		{"old token with a blank", func(c *twilio.Config) { c.AuthTokenOld = "authtoken6 " }, []string{"sms.twilio.auth_token_old has"}},
		{"a number", func(c *twilio.Config) { c.MessagingServiceSID, c.From = "", "+14155550100" }, nil},
		{"URLs", func(c *twilio.Config) { c.BaseURL, c.PublicURL = "http://127.0.0.1:1/x", "https://x.example/" }, nil},
		{"no account", func(c *twilio.Config) { c.AccountSID = "" }, []string{"sms.twilio.account_sid is missing"}},
		{"account is an API key", func(c *twilio.Config) { c.AccountSID = c.APIKey }, []string{"sms.twilio.account_sid", "AC"}},
		{"no secret", func(c *twilio.Config) { c.APISecret = "" }, []string{"sms.twilio.api_secret is missing"}},
		{"no key", func(c *twilio.Config) { c.APIKey = "" }, []string{"sms.twilio.api_key is missing"}},
		{
			"no credentials", func(c *twilio.Config) { c.APIKey, c.APISecret, c.AuthToken = "", "", "" },
			[]string{"sms.twilio.api_key", "sms.twilio.api_secret", "sms.twilio.auth_token"},
		},
		{"secret with a line end", func(c *twilio.Config) { c.APISecret += "\n" }, []string{"sms.twilio.api_secret has"}},
		{"token with a blank", func(c *twilio.Config) { c.AuthToken += " " }, []string{"sms.twilio.auth_token has"}},
		{
			"no sender", func(c *twilio.Config) { c.MessagingServiceSID = "" },
			[]string{"set sms.twilio.messaging_service_sid or sms.twilio.from"},
		},
		{
			"two senders", func(c *twilio.Config) { c.From = "+14155550100" },
			[]string{"only one of sms.twilio.messaging_service_sid and sms.twilio.from"},
		},
		{
			"messaging service is another thing", func(c *twilio.Config) { c.MessagingServiceSID = "+14155550100" },
			[]string{"sms.twilio.messaging_service_sid is not"},
		},
		{"base URL without scheme", func(c *twilio.Config) { c.BaseURL = "api.twilio.com" }, []string{"sms.twilio.base_url"}},
		{"base URL of a file", func(c *twilio.Config) { c.BaseURL = "file:///x" }, []string{"sms.twilio.base_url"}},
		{"base URL with a password", func(c *twilio.Config) { c.BaseURL = "https://a:apisecret3@b" }, []string{"sms.twilio.base_url"}},
		{"public URL with a query", func(c *twilio.Config) { c.PublicURL = "https://b?x=1" }, []string{"http.public_url"}},
		{
			"everything", func(c *twilio.Config) { *c = twilio.Config{BaseURL: "%"} },
			[]string{"account_sid", "auth_token", "messaging_service_sid", "base_url"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			err := c.Validate()
			if (err != nil) != (len(tt.want) > 0) {
				t.Fatalf("got %v", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			noSecrets(t, fmt.Sprint(err))
			_, err = twilio.New(c, nil, slog.New(slog.DiscardHandler))
			if (err != nil) != (len(tt.want) > 0) {
				t.Errorf("New returned %v", err)
			}
		})
	}
}

func noSecrets(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"apisecret3", "authtoken4", "authtoken6", "+14155550100", "4155550123"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q holds %q", text, secret)
		}
	}
}

func TestConfigKeepsSecrets(t *testing.T) {
	c := good()
	c.From, c.AuthTokenOld = "+14155550100", "authtoken6"
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "twilio", c)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "twilio", c)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), (&c).String(), logged.String()} {
		noSecrets(t, text)
		if !strings.Contains(text, "***") || !strings.Contains(text, c.AccountSID) {
			t.Errorf("%q shows too little", text)
		}
	}
}
