package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"onmyway/channels/outhttp"
)

// Account is what Check saw.
type Account struct {
	Status string        // active, suspended or closed; empty when the API key may send but not look at the account
	Trial  bool          // texts go to numbers only that the owner has verified
	Sender string        // "messaging service", "phone number" or what else sends
	Pool   bool          // the messaging service has a sender; true where there is none to ask
	Clock  time.Time     // Twilio's, to the second; zero when it did not say
	Took   time.Duration // of the first exchange
}

// The ways in which Check fails, beside a Twilio that does not answer.
var (
	ErrCredentials = errors.New("the credentials are refused by Twilio: check sms.twilio.api_key and api_secret, or auth_token, and that they belong to sms.twilio.account_sid")
	ErrNoService   = errors.New("the account has no such messaging service: check sms.twilio.messaging_service_sid")
	ErrNoNumber    = errors.New("the account has no such phone number: check sms.twilio.from")
	ErrNoSMS       = errors.New("the phone number in sms.twilio.from can't send texts: take one with the capability SMS")
)

// Check asks Twilio whether texts can be sent, and sends none. The error holds no secret and no number. What was seen
// until then is returned with it.
func (s *Sender) Check(ctx context.Context) (a Account, err error) {
	a.Pool = true
	began := time.Now()
	var account struct{ Status, Type string }
	status, err := s.look(ctx, s.base, "/2010-04-01/Accounts/"+s.cfg.AccountSID+".json", nil, &account, &a.Clock)
	a.Took = time.Since(began)
	switch {
	case err != nil:
		return a, err
	case status == http.StatusOK:
		a.Status, a.Trial = account.Status, account.Type == "Trial"
	case s.cfg.APIKey != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		// Only main API keys may look at the account. Any that can send can list.
		if err := s.mayList(ctx); err != nil {
			return a, err
		}
	default:
		return a, whyNot(status, ErrCredentials)
	}
	return a, s.checkFrom(ctx, &a)
}

func (s *Sender) mayList(ctx context.Context) error {
	one := url.Values{"PageSize": {"1"}}
	status, err := s.look(ctx, s.base, "/2010-04-01/Accounts/"+s.cfg.AccountSID+"/Messages.json", one, nil, nil)
	if err == nil && status != http.StatusOK {
		err = whyNot(status, ErrCredentials)
	}
	return err
}

// checkFrom looks at what the texts come from.
func (s *Sender) checkFrom(ctx context.Context, a *Account) error {
	switch {
	case s.cfg.MessagingServiceSID != "":
		a.Sender = "messaging service"
		return s.checkService(ctx, a)
	case strings.HasPrefix(s.cfg.From, "+"):
		a.Sender = "phone number"
		return s.checkNumber(ctx)
	}
	a.Sender = "short code or sender name" // which Twilio has no call for
	return nil
}

func (s *Sender) checkNumber(ctx context.Context) error {
	var list struct {
		Numbers []struct {
			Capabilities struct {
				SMS bool `json:"sms"`
			} `json:"capabilities"`
		} `json:"incoming_phone_numbers"`
	}
	query := url.Values{"PhoneNumber": {s.cfg.From}, "PageSize": {"1"}}
	status, err := s.look(ctx, s.base, "/2010-04-01/Accounts/"+s.cfg.AccountSID+"/IncomingPhoneNumbers.json", query, &list, nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return whyNot(status, ErrCredentials)
	case len(list.Numbers) == 0:
		return ErrNoNumber
	case !list.Numbers[0].Capabilities.SMS:
		return ErrNoSMS
	}
	return nil
}

func (s *Sender) checkService(ctx context.Context, a *Account) error {
	base, path := messagingBase(s.base), "/v1/Services/"+s.cfg.MessagingServiceSID
	status, err := s.look(ctx, base, path, nil, nil, nil)
	switch {
	case err != nil:
		return err
	case status == http.StatusNotFound:
		return ErrNoService
	case status != http.StatusOK:
		return whyNot(status, ErrCredentials)
	}
	a.Pool = false
	for _, kind := range []struct{ path, list string }{
		{"/PhoneNumbers", "phone_numbers"}, {"/ShortCodes", "short_codes"}, {"/AlphaSenders", "alpha_senders"},
	} {
		var page map[string]json.RawMessage
		status, err := s.look(ctx, base, path+kind.path, url.Values{"PageSize": {"1"}}, &page, nil)
		if err != nil {
			return err
		}
		var senders []json.RawMessage
		if status == http.StatusOK && json.Unmarshal(page[kind.list], &senders) == nil && len(senders) > 0 {
			a.Pool = true
			return nil
		}
	}
	return nil
}

// messagingBase is where Twilio's messaging services are: another host than that of texts, in the same region. A proxy
// or a simulated Twilio has them on its own.
func messagingBase(base *url.URL) *url.URL {
	host := base.Host
	if rest, ok := strings.CutPrefix(host, "api."); ok && strings.HasSuffix(host, "twilio.com") {
		moved := *base
		moved.Host = "messaging." + rest
		return &moved
	}
	return base
}

func whyNot(status int, denied error) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return denied
	}
	return fmt.Errorf("answer %d from Twilio: try again, or see sms.twilio.base_url", status)
}

// look makes one GET and reads a JSON answer of 200 into v, and the time at the other side into clock. Both may be nil.
func (s *Sender) look(ctx context.Context, base *url.URL, path string, query url.Values, v any, clock *time.Time) (status int, err error) {
	to := *base
	to.Path = strings.TrimSuffix(to.Path, "/") + path
	to.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return 0, errors.New("the request to Twilio could not be made: see sms.twilio.base_url")
	}
	req.SetBasicAuth(s.cfg.credentials())
	resp, err := (&http.Client{Transport: s.transport, CheckRedirect: stay}).Do(req)
	if err != nil {
		return 0, fmt.Errorf("reach Twilio: %s", outhttp.Describe(err)) // its own words hold the account and the number
	}
	defer outhttp.Drain(resp)
	if clock != nil {
		*clock, _ = http.ParseTime(resp.Header.Get("Date")) // zero when it is none
	}
	if resp.StatusCode != http.StatusOK || v == nil {
		return resp.StatusCode, nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v); err != nil {
		return resp.StatusCode, errors.New("what answers is not Twilio: see sms.twilio.base_url")
	}
	return resp.StatusCode, nil
}
