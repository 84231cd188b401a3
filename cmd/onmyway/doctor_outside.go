package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"onmyway/channels/outhttp"
	"onmyway/channels/twilio"
	"onmyway/channels/webpush"
)

func (d *doctor) twilio(ctx context.Context) []finding {
	a := area{name: "SMS"}
	if !d.cfg.smsOn() {
		a.warn("account", "sms.twilio.account_sid is not set: nobody gets texts", "set sms.twilio.account_sid, api_key, api_secret, auth_token and messaging_service_sid")
		return a.list
	}
	transport := outhttp.Transport(outhttp.Guard{Private: true, Insecure: true})
	defer transport.CloseIdleConnections()
	sender, err := twilio.New(d.cfg.SMS.Twilio.sender(d.cfg.HTTP.PublicURL), transport, slog.New(slog.DiscardHandler))
	if err != nil {
		a.fail("account", err.Error(), "correct the keys under sms.twilio")
		return a.list
	}
	seen, err := sender.Check(ctx)
	a.account(seen, err, d.now())
	return a.list
}

// account judges what was seen of Twilio.
func (a *area) account(v twilio.Account, err error, now time.Time) {
	switch {
	case errors.Is(err, twilio.ErrCredentials):
		a.fail("account", "Twilio refuses the credentials", err.Error())
		return
	case err != nil && v.Sender == "":
		a.fail("account", err.Error(), "see that this machine reaches Twilio, and sms.twilio.base_url")
		return
	case v.Status != "" && v.Status != "active":
		a.fail("account", "is "+v.Status, "settle it in Twilio's console: texts are refused")
	case v.Trial:
		a.warn("account", "is a trial: only numbers that you have verified get texts", "upgrade the account in Twilio's console")
	case v.Status == "":
		a.ok("account", "takes this API key, which may send and list (it may not see the account)")
	default:
		a.ok("account", "active, answers in %s", v.Took.Round(time.Millisecond))
	}
	switch {
	case errors.Is(err, twilio.ErrNoService), errors.Is(err, twilio.ErrNoNumber), errors.Is(err, twilio.ErrNoSMS):
		a.fail("sender", "texts can't be sent from what is configured", err.Error())
	case err != nil:
		a.fail("sender", err.Error(), "run doctor again")
	case !v.Pool:
		a.fail("sender", "the messaging service has no sender", "add a phone number to it in Twilio's console")
	default:
		a.ok("sender", "%s", v.Sender)
	}
	if !v.Clock.IsZero() {
		a.clock(now, v.Clock, v.Took+time.Second) // it tells whole seconds
	}
}

func (d *doctor) push(context.Context) []finding {
	a := area{name: "Push"}
	if !d.cfg.pushOn() {
		a.warn("VAPID pair", "push.vapid is not set: nobody gets pushes", "make a pair with `onmyway vapid generate`, once")
		return a.list
	}
	sender, err := webpush.New(pushConfig(d.cfg), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		a.fail("VAPID pair", err.Error(), "correct the keys under push.vapid; a new pair loses all subscriptions")
		return a.list
	}
	_ = sender.Close() // it has no connection yet
	a.ok("VAPID pair", "both halves belong together, and the subject can be written to")
	if d.cfg.Push.AllowInsecure {
		a.warn("endpoints", "push.allow_insecure_endpoints is on: whoever subscribes makes this service call your own network", "turn it off in production")
	}
	return a.list
}

func (d *doctor) publicURL(ctx context.Context) []finding {
	a := area{name: "Public URL"}
	u, err := url.Parse(d.cfg.HTTP.PublicURL)
	if d.cfg.HTTP.PublicURL == "" || err != nil || u.Host == "" {
		a.warn("address", "http.public_url is not set: messages can't link to the live page, and Twilio can neither report on texts nor hand on a STOP",
			"set it to how the outside reaches this service, such as https://notify.example.com")
		return a.list
	}
	if u.Scheme != "https" && !local(u.Hostname()) {
		a.warn("address", "begins with http: browsers allow push over https only, and tokens could be read on the way", "put a proxy with a certificate in front")
	} else {
		a.ok("address", "%s", u.Redacted())
	}
	if _, err := net.DefaultResolver.LookupHost(ctx, u.Hostname()); err != nil {
		a.fail("name", fmt.Sprintf("%s does not resolve", u.Hostname()), "make a DNS record for it")
		return a.list
	}
	client := outhttp.Client(outhttp.Guard{Private: true, Insecure: true}, d.limit)
	defer client.CloseIdleConnections()
	a.answers(ctx, client, strings.TrimSuffix(u.String(), "/"))
	return a.list
}

// answers asks the public URL what it is: our own document has a title.
func (a *area) answers(ctx context.Context, client *http.Client, base string) {
	const check, start = "answer", "start serve, see that the proxy leads to http.addr, and run doctor again"
	var doc struct{ Info struct{ Title string } }
	status, err := getJSON(ctx, client, base+"/openapi.json", &doc)
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		a.fail(check, "its certificate is not trusted: "+untrusted.Err.Error(), "renew the certificate, for this name")
	case err != nil && status == 0:
		a.warn(check, "nobody answers there: "+outhttp.Describe(err), start)
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		a.warn(check, fmt.Sprintf("the proxy answers %d", status), start)
	case err != nil || doc.Info.Title != "Onmyway":
		a.fail(check, fmt.Sprintf("something else answers there (%d)", status), "let the proxy lead every path of this host to http.addr")
	default:
		a.healthy(ctx, client, base)
	}
}

func (a *area) healthy(ctx context.Context, client *http.Client, base string) {
	var health struct{ Status string }
	status, err := getJSON(ctx, client, base+"/readyz", &health)
	if err != nil || status != http.StatusOK {
		a.warn("answer", "Onmyway answers there and is not ready", "see its log: /readyz names the engine that it misses")
		return
	}
	a.ok("answer", "Onmyway answers there and is ready")
}

// getJSON reads the JSON of one answer. status is 0 when none came.
func getJSON(ctx context.Context, client *http.Client, url string, v any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer outhttp.Drain(resp)
	return resp.StatusCode, json.NewDecoder(io.LimitReader(resp.Body, 8<<20)).Decode(v)
}
