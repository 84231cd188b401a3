package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/SherClockHolmes/webpush-go"
	"github.com/twilio/twilio-go/client"
	twilio "github.com/twilio/twilio-go/rest/api/v2010"
	"golang.org/x/sync/errgroup"
)

// loopWorkers send at the same time, each one message after the other.
const loopWorkers = 64

type loopTask struct {
	URL   string // of the stub
	Count int

	Devices         []device // of the push loop
	Public, Private string   // VAPID keys
}

type loopAnswer struct{ Seconds float64 }

// device is a browser that takes push.
type device struct{ Endpoint, P256dh, Auth string }

// loop runs send for 0 to n-1.
func loop(ctx context.Context, n int, send func(i int) error) (loopAnswer, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(loopWorkers)
	began := time.Now()
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return send(i) })
	}
	err := g.Wait()
	return loopAnswer{time.Since(began).Seconds()}, err
}

// toStub sends the requests of Twilio's client, which knows one host only, to the stub.
type toStub struct {
	host string
	next http.RoundTripper
}

func (t toStub) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", t.host, t.host
	return t.next.RoundTrip(r)
}

// runTwilioLoop is the part that sends texts with twilio-go and keeps nothing. Its client keeps a connection for each
// worker.
func runTwilioLoop(ctx context.Context, l *line) error {
	var task loopTask
	l.hear(&task)
	at, err := url.Parse(task.URL)
	if err != nil {
		return fmt.Errorf("read the stub's address: %w", err)
	}
	c := &client.Client{
		Credentials: client.NewCredentials(stubAccount, stubToken),
		HTTPClient: &http.Client{Timeout: 10 * time.Second,
			Transport: toStub{at.Host, &http.Transport{MaxIdleConnsPerHost: loopWorkers}}},
	}
	c.SetAccountSid(stubAccount)
	api := twilio.NewApiService(&client.RequestHandler{Client: c})
	a, err := loop(ctx, task.Count, func(i int) error {
		p := &twilio.CreateMessageParams{}
		p.SetTo(phone(i)).SetFrom(stubSender).SetBody("Sam is on the way to pick up your 2021 Honda Civic and should arrive between 12 and 1 pm.")
		_, err := api.CreateMessage(p)
		return err
	})
	if err != nil {
		return fmt.Errorf("send texts: %w", err)
	}
	return l.say(a)
}

// runWebPushLoop is the part that sends pushes with webpush-go as its documents show it: with its own HTTP client.
func runWebPushLoop(ctx context.Context, l *line) error {
	var task loopTask
	l.hear(&task)
	text := []byte(`{"title":"Your driver is on the way","body":"Sam is on the way to pick up your 2021 Honda Civic and should arrive between 12 and 1 pm.","url":"https://onmyway.example/t/abc","tag":"CH-1001"}`)
	a, err := loop(ctx, len(task.Devices), func(i int) error {
		d := &task.Devices[i]
		resp, err := webpush.SendNotificationWithContext(ctx, text,
			&webpush.Subscription{Endpoint: d.Endpoint, Keys: webpush.Keys{P256dh: d.P256dh, Auth: d.Auth}},
			&webpush.Options{Subscriber: "bench@onmyway.example", VAPIDPublicKey: task.Public, VAPIDPrivateKey: task.Private, TTL: 60, Urgency: webpush.UrgencyHigh})
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusCreated {
			return errors.New("the push service answered " + resp.Status)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("send pushes: %w", err)
	}
	return l.say(a)
}
