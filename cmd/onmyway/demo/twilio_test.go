package demo_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/cmd/onmyway/demo"
)

// TestTwilio: what it says leads to it, and what it is given it shows whole.
func TestTwilio(t *testing.T) {
	o := &output{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- demo.Twilio(ctx, "127.0.0.1:0", o) }()
	base := o.find(t, `BASE_URL=(http://\S+)`)
	account := o.find(t, `ACCOUNT_SID=(\S+)`)
	const text = "Your driver is on the way to pick up your 2021 Honda Civic, between 11:30 AM and 12:15 PM PST. Track: https://track.example.com/t/8fQ2"
	form := url.Values{"To": {"+14155550199"}, "From": {o.find(t, `FROM=(\S+)`)}, "Body": {text}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/2010-04-01/Accounts/"+account+"/Messages.json", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(account, o.find(t, `AUTH_TOKEN=(\S+)`))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated || account != twiliotest.AccountSID {
		t.Errorf("status %d, account %s", res.StatusCode, account)
	}
	o.find(t, `(?m)^\+14155550199  Your driver is .*/t/8fQ2$`)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}
