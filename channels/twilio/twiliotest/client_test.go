package twiliotest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"onmyway/channels/twilio/twiliotest"
)

// elsewhere sends the requests of Twilio's own client to the simulated Twilio.
type elsewhere struct {
	host string
	next *http.Transport
}

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", e.host, e.host
	return e.next.RoundTrip(r)
}

// newClient is Twilio's own client for a server that listens.
func newClient(t *testing.T, s *twiliotest.Server) *api.ApiService {
	t.Helper()
	base, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c := &client.Client{
		Credentials: client.NewCredentials(twiliotest.AccountSID, twiliotest.AuthToken),
		HTTPClient:  &http.Client{Transport: elsewhere{u.Host, transport}},
	}
	c.SetAccountSid(twiliotest.AccountSID)
	return api.NewApiService(&client.RequestHandler{Client: c})
}

func create(t *testing.T, c *api.ApiService, to, body string) *api.ApiV2010Message {
	t.Helper()
	p := &api.CreateMessageParams{}
	p.SetTo(to).SetFrom("+14155550100").SetBody(body).SetValidityPeriod(60)
	m, err := c.CreateMessage(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestClientCreatesAndFetches(t *testing.T) {
	c := newClient(t, newServer(t, twiliotest.Options{}))
	m := create(t, c, "+14155550123", "Your driver is on the way")
	if *m.Status != "queued" || *m.To != "+14155550123" || *m.Body != "Your driver is on the way" || m.ErrorCode != nil {
		t.Errorf("created %+v", m)
	}
	f, err := c.FetchMessage(*m.Sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *f.Sid != *m.Sid || *f.Status != "delivered" || f.DateSent == nil {
		t.Errorf("fetched %+v", f)
	}
	if _, err := c.FetchMessage("SM0", nil); err == nil {
		t.Error("a message that is not there was found")
	}
}

func TestClientLists(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	s := newServer(t, twiliotest.Options{Now: func() time.Time { return now }})
	c := newClient(t, s)
	var all []string // the newest first
	for i := range 25 {
		now = now.Add(12 * time.Hour)
		m := create(t, c, fmt.Sprintf("+1415555012%d", i%2), fmt.Sprint("text ", i))
		all = append([]string{*m.Sid}, all...)
	}
	sids := func(p *api.ListMessageParams) (out []string) {
		t.Helper()
		found, err := c.ListMessage(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			out = append(out, *m.Sid)
		}
		return out
	}
	check := func(what string, want, got []string) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	var even []string
	for i, sid := range all {
		if i%2 == 0 {
			even = append(even, sid)
		}
	}
	check("all on one page", all, sids(nil))
	check("pages of 4", all, sids((&api.ListMessageParams{}).SetPageSize(4)))
	check("pages of 25", all, sids((&api.ListMessageParams{}).SetPageSize(25)))
	check("the first 7, pages of 3", all[:7], sids((&api.ListMessageParams{}).SetPageSize(3).SetLimit(7)))
	check("to one number", even, sids((&api.ListMessageParams{}).SetTo("+14155550120").SetPageSize(5)))
	check("from ours", all, sids((&api.ListMessageParams{}).SetFrom("+14155550100")))
	check("from another", nil, sids((&api.ListMessageParams{}).SetFrom("+14155550199")))
	// The last is of 2026-12-04 07:00, and there are two a day, at 07:00 and 19:00.
	check("of one day", all[1:3], sids((&api.ListMessageParams{}).SetDateSent(now.Add(-15*time.Hour))))
	check("since", all[:3], sids((&api.ListMessageParams{}).SetDateSentAfter(now.Add(-24*time.Hour))))
	check("until", all[2:], sids((&api.ListMessageParams{}).SetDateSentBefore(now.Add(-24*time.Hour))))
	if _, err := c.ListMessage((&api.ListMessageParams{}).SetPageSize(1001)); err == nil {
		t.Error("a page of 1001 was given")
	}
}

// A message that was not sent yet has no date: who looks for it by date does not find it, at Twilio neither.
func TestListWithoutDate(t *testing.T) {
	hold := make(chan struct{})
	hook := hookServer(t, func(http.ResponseWriter, *http.Request) { <-hold })
	defer close(hold)
	s := newServer(t, twiliotest.Options{StatusCallbacks: true})
	c := newClient(t, s)
	p := &api.CreateMessageParams{}
	p.SetTo("+14155550123").SetFrom("+14155550100").SetBody("x").SetStatusCallback(hook)
	if _, err := c.CreateMessage(p); err != nil {
		t.Fatal(err)
	}
	for what, q := range map[string]*api.ListMessageParams{
		"by number": (&api.ListMessageParams{}).SetTo("+14155550123"),
		"by date":   (&api.ListMessageParams{}).SetDateSentAfter(time.Now().Add(-time.Hour)),
	} {
		found, err := c.ListMessage(q)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int{"by number": 1}[what]; len(found) != want {
			t.Errorf("%s: found %d, want %d", what, len(found), want)
		}
	}
}
