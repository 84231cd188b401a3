package twilio

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"

	"onmyway/channels/outhttp"
)

// DefaultBaseURL is where requests go when Config.BaseURL is empty: the US1 region.
const DefaultBaseURL = "https://api.twilio.com"

// Config is how we speak to Twilio. The names in the comments are those of the configuration.
type Config struct {
	AccountSID          string // sms.twilio.account_sid: "AC…"
	APIKey              string // sms.twilio.api_key: "SK…"; preferred over the auth token, it can be revoked alone
	APISecret           string // sms.twilio.api_secret
	AuthToken           string // sms.twilio.auth_token: signs Twilio's callbacks; sends too where there is no API key
	AuthTokenOld        string // sms.twilio.auth_token_old: signs them too while the auth token is being changed
	MessagingServiceSID string // sms.twilio.messaging_service_sid: "MG…", a pool of senders; or else From
	From                string // sms.twilio.from: E.164, short code or sender name
	// BaseURL (sms.twilio.base_url) replaces scheme and host of every request, for another region
	// ("https://api.dublin.ie1.twilio.com"), a proxy or a simulated Twilio. A path is put before Twilio's own. The
	// variables TWILIO_REGION and TWILIO_EDGE have no effect.
	BaseURL string
	// PublicURL (http.public_url) is where Twilio reaches us with status callbacks; empty for none.
	PublicURL string
}

// Validate tells everything that is wrong, in the names of the configuration. It never quotes a secret.
func (c Config) Validate() error {
	return errors.Join(
		c.checkAccount(),
		c.checkCredentials(),
		c.checkSender(),
		checkURL("sms.twilio.base_url", c.BaseURL),
		checkURL("http.public_url", c.PublicURL),
	)
}

// alphanumeric is what twilio-go accepts as user name and password: anything else it refuses on every request.
var alphanumeric = regexp.MustCompile(`^[0-9A-Za-z]+$`)

func (c Config) checkAccount() error {
	switch {
	case c.AccountSID == "":
		return errors.New("sms.twilio.account_sid is missing")
	case !strings.HasPrefix(c.AccountSID, "AC") || !alphanumeric.MatchString(c.AccountSID):
		return errors.New(`sms.twilio.account_sid is not an account SID: they begin with "AC"`)
	}
	return nil
}

func (c Config) checkCredentials() error {
	switch {
	case c.APIKey != "" && c.APISecret == "":
		return errors.New("sms.twilio.api_secret is missing: sms.twilio.api_key needs it")
	case c.APIKey == "" && c.APISecret != "":
		return errors.New("sms.twilio.api_key is missing: sms.twilio.api_secret needs it")
	case c.APIKey == "" && c.AuthToken == "":
		return errors.New("set sms.twilio.api_key and sms.twilio.api_secret, or sms.twilio.auth_token")
	}
	var errs []error
	if c.AuthTokenOld != "" && c.AuthToken == "" {
		errs = append(errs, errors.New("sms.twilio.auth_token is missing: sms.twilio.auth_token_old is only kept beside it"))
	}
	for _, f := range []struct{ key, value string }{
		{"sms.twilio.api_key", c.APIKey}, {"sms.twilio.api_secret", c.APISecret}, {"sms.twilio.auth_token", c.AuthToken},
		{"sms.twilio.auth_token_old", c.AuthTokenOld},
	} {
		if f.value != "" && !alphanumeric.MatchString(f.value) {
			errs = append(errs, fmt.Errorf("%s has characters other than letters and digits", f.key))
		}
	}
	return errors.Join(errs...)
}

func (c Config) checkSender() error {
	switch {
	case c.MessagingServiceSID == "" && c.From == "":
		return errors.New("set sms.twilio.messaging_service_sid or sms.twilio.from")
	case c.MessagingServiceSID != "" && c.From != "":
		return errors.New("set only one of sms.twilio.messaging_service_sid and sms.twilio.from")
	case c.From == "" && !strings.HasPrefix(c.MessagingServiceSID, "MG"):
		return errors.New(`sms.twilio.messaging_service_sid is not a messaging service SID: they begin with "MG"`)
	}
	return nil
}

// checkURL accepts an absolute http or https URL, or nothing. The message does not quote the value: it may hold a password.
func checkURL(key, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return fmt.Errorf(`%s is not a URL: write "https://host"`, key)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s must have no user name, query or fragment", key)
	}
	return nil
}

// credentials are user name and password of a request.
func (c Config) credentials() (user, password string) {
	if c.APIKey != "" {
		return c.APIKey, c.APISecret
	}
	return c.AccountSID, c.AuthToken
}

// String shows the configuration without secrets and without phone numbers.
func (c Config) String() string { return c.LogValue().String() }

// GoString is String, so that %#v keeps the secrets too.
func (c Config) GoString() string { return c.String() }

// LogValue shows the configuration without secrets and without phone numbers.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("account_sid", c.AccountSID),
		slog.String("api_key", c.APIKey),
		slog.String("api_secret", outhttp.Mask(c.APISecret)),
		slog.String("auth_token", outhttp.Mask(c.AuthToken)),
		slog.String("auth_token_old", outhttp.Mask(c.AuthTokenOld)),
		slog.String("messaging_service_sid", c.MessagingServiceSID),
		slog.String("from", outhttp.Mask(c.From)),
		slog.String("base_url", c.BaseURL),
		slog.String("public_url", c.PublicURL),
	)
}
