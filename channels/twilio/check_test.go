package twilio_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"onmyway/channels/outhttp"
	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
)

// TestCheck asks about accounts of many kinds. Nothing may be sent.
func TestCheck(t *testing.T) {
	const from, service = "+15005550001", "MG00000000000000000000000000000001"
	token := twilio.Config{AccountSID: twiliotest.AccountSID, AuthToken: twiliotest.AuthToken, From: from}
	key := twilio.Config{AccountSID: twiliotest.AccountSID, APIKey: "SK1", APISecret: "secret1", MessagingServiceSID: service}
	withKey := func(o twiliotest.Options) twiliotest.Options { o.APIKey, o.APISecret = "SK1", "secret1"; return o }
	tests := []struct {
		name string
		opt  twiliotest.Options
		cfg  twilio.Config
		want twilio.Account
		err  error
	}{
		{name: "token and number", cfg: token, want: twilio.Account{Status: "active", Sender: "phone number", Pool: true}},
		{name: "trial", opt: twiliotest.Options{Trial: true}, cfg: token,
			want: twilio.Account{Status: "active", Trial: true, Sender: "phone number", Pool: true}},
		{name: "suspended", opt: twiliotest.Options{AccountStatus: "suspended"}, cfg: token,
			want: twilio.Account{Status: "suspended", Sender: "phone number", Pool: true}},
		{name: "restricted key", opt: withKey(twiliotest.Options{}), cfg: key,
			want: twilio.Account{Sender: "messaging service", Pool: true}},
		{name: "main key", opt: withKey(twiliotest.Options{MainKey: true}), cfg: key,
			want: twilio.Account{Status: "active", Sender: "messaging service", Pool: true}},
		{name: "empty pool", opt: withKey(twiliotest.Options{EmptyPool: true}), cfg: key,
			want: twilio.Account{Sender: "messaging service"}},
		{name: "wrong key", cfg: key, want: twilio.Account{Pool: true}, err: twilio.ErrCredentials},
		{name: "wrong token", opt: twiliotest.Options{AuthToken: "other"}, cfg: token, want: twilio.Account{Pool: true}, err: twilio.ErrCredentials},
		{name: "no such service", opt: withKey(twiliotest.Options{Services: []string{"MGother"}}), cfg: key,
			want: twilio.Account{Sender: "messaging service", Pool: true}, err: twilio.ErrNoService},
		{name: "no such number", opt: twiliotest.Options{Numbers: []string{"+15005550009"}}, cfg: token,
			want: twilio.Account{Status: "active", Sender: "phone number", Pool: true}, err: twilio.ErrNoNumber},
		{name: "number for calls only", opt: twiliotest.Options{VoiceOnly: true}, cfg: token,
			want: twilio.Account{Status: "active", Sender: "phone number", Pool: true}, err: twilio.ErrNoSMS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clock := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
			tt.opt.Now = func() time.Time { return clock }
			server := twiliotest.New(tt.opt)
			defer func() { _ = server.Close() }()
			got, err := check(t, server, tt.cfg)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if got.Status != "" && !got.Clock.Equal(clock) {
				t.Errorf("Twilio's clock shows %s, read %s", clock, got.Clock)
			}
			if got.Took <= 0 {
				t.Error("it took no time")
			}
			got.Clock, got.Took = time.Time{}, 0
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if server.Requests() != 0 {
				t.Error("a text was sent")
			}
		})
	}
}

// TestCheckNobody: an error of the network names neither account nor number.
func TestCheckNobody(t *testing.T) {
	server := twiliotest.New(twiliotest.Options{})
	url, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := twilio.Config{AccountSID: twiliotest.AccountSID, AuthToken: twiliotest.AuthToken, From: "+15005550001", BaseURL: url}
	s := sender(t, cfg)
	_, err = s.Check(t.Context())
	if err == nil {
		t.Fatal("nobody answers, and there is no error")
	}
	for _, secret := range []string{cfg.AccountSID, cfg.AuthToken, cfg.From, "5005550001"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("it shows %q: %v", secret, err)
		}
	}
}

func check(t *testing.T, server *twiliotest.Server, cfg twilio.Config) (twilio.Account, error) {
	t.Helper()
	var err error
	if cfg.BaseURL, err = server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return sender(t, cfg).Check(t.Context())
}

func sender(t *testing.T, cfg twilio.Config) *twilio.Sender {
	t.Helper()
	transport := outhttp.Transport(outhttp.Guard{Private: true, Insecure: true})
	t.Cleanup(transport.CloseIdleConnections)
	s, err := twilio.New(cfg, transport, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCheckAsksTwilio: where requests go when no other address is configured, and in another region.
func TestCheckAsksTwilio(t *testing.T) {
	for base, want := range map[string][2]string{
		"":                                   {"api.twilio.com", "messaging.twilio.com"},
		"https://api.dublin.ie1.twilio.com":  {"api.dublin.ie1.twilio.com", "messaging.dublin.ie1.twilio.com"},
		"https://proxy.example.com/outbound": {"proxy.example.com", "proxy.example.com"},
	} {
		asked := map[string]bool{}
		answer := roundTrip(func(r *http.Request) (*http.Response, error) {
			asked[r.URL.Host] = true
			if user, password, _ := r.BasicAuth(); user != "SK1" || password != "secret1" {
				t.Error("the request has other credentials")
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"status":"active","phone_numbers":[{}]}`))}, nil
		})
		cfg := twilio.Config{AccountSID: twiliotest.AccountSID, APIKey: "SK1", APISecret: "secret1", MessagingServiceSID: "MG1", BaseURL: base}
		s, err := twilio.New(cfg, answer, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(t.Context()); err != nil {
			t.Errorf("%q: %v", base, err)
		}
		if !asked[want[0]] || !asked[want[1]] {
			t.Errorf("%q: asked %v, want %v", base, asked, want)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
