package twilio

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"onmyway/notify"
)

// retryCallbacks asks Twilio to make a callback up to five times more when we are away or answer an error. By default it tries
// once more, and only when it finds no connection (twilio.com/docs/usage/webhooks/webhooks-connection-overrides). It stands
// behind a "#": it is neither sent nor signed.
const retryCallbacks = "#rc=5&rp=all"

// The validity period that Twilio accepts, in seconds (Messages API reference, ValidityPeriod).
const (
	minValidity = 1
	maxValidity = 36000 // 10 hours
)

// Sender sends texts through one Twilio account. It is safe for concurrent use.
type Sender struct {
	// Now tells what is left of a message's life. New sets it to time.Now; replace it before the first Send.
	Now func() time.Time

	cfg       Config
	base      *url.URL
	callback  string // what an attempt is appended to; empty for no callbacks
	transport http.RoundTripper
}

var _ notify.Sender = (*Sender)(nil)

// New makes a sender. All its requests go through transport, which should be shared, keep many idle connections per host
// and bound the time of a dial. It returns the error of Config.Validate.
func New(cfg Config, transport http.RoundTripper, log *slog.Logger) (*Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("set up SMS over Twilio: %w", err)
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("set up SMS over Twilio: %w", err)
	}
	s := &Sender{Now: time.Now, cfg: cfg, base: base, transport: transport}
	if cfg.PublicURL != "" {
		s.callback = strings.TrimSuffix(cfg.PublicURL, "/") + StatusPath
	} else {
		log.Warn("Twilio cannot report on texts: http.public_url is not set, so they end as accepted")
	}
	log.Info("texts go out over Twilio", "twilio", cfg)
	return s, nil
}

// Send makes one request for m, whose Address is E.164. A message with less than a second left is not sent; otherwise Twilio
// is told to drop it when what is left has passed.
func (s *Sender) Send(ctx context.Context, m *notify.Message) notify.Answer {
	validity := int(m.ExpiresAt.Sub(s.Now()) / time.Second)
	if validity < minValidity {
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.Expired, Detail: "not sent: it expired before the request"}
	}
	x := &exchange{ctx: ctx, next: s.transport, base: s.base}
	_, err := s.service(x).CreateMessage(s.form(m, min(validity, maxValidity)))
	return x.answer(err, s.Now())
}

// service is Twilio's generated client for one exchange. It is made per call because it has no other place for a context.
func (s *Sender) service(x *exchange) *api.ApiService {
	user, password := s.cfg.credentials()
	c := &client.Client{
		Credentials:         client.NewCredentials(user, password),
		HTTPClient:          &http.Client{Transport: x, CheckRedirect: stay},
		UserAgentExtensions: []string{"onmyway"},
	}
	c.SetAccountSid(s.cfg.AccountSID)
	// Not client.NewRequestHandler: that one reads TWILIO_REGION and TWILIO_EDGE.
	return api.NewApiService(&client.RequestHandler{Client: c})
}

// stay takes a redirect for the answer: following it would send text and number to an address that nobody configured.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (s *Sender) form(m *notify.Message, validity int) *api.CreateMessageParams {
	p := &api.CreateMessageParams{}
	p.SetTo(m.Address)
	p.SetBody(m.Body)
	p.SetValidityPeriod(validity)
	if s.cfg.MessagingServiceSID != "" {
		p.SetMessagingServiceSid(s.cfg.MessagingServiceSID)
	} else {
		p.SetFrom(s.cfg.From)
	}
	if s.callback != "" {
		p.SetStatusCallback(s.callback + attemptName(m.ID, m.Attempt) + retryCallbacks)
	}
	return p
}
