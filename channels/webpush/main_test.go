package webpush_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subscriptions is a store of subscriptions in memory.
type subscriptions map[string]notify.Subscription

func (s subscriptions) SubscriptionByID(_ context.Context, id string) (notify.Subscription, error) {
	sub, ok := s[id]
	if !ok {
		return notify.Subscription{}, notify.ErrNotFound
	}
	return sub, nil
}

// lab is a push service with one browser, and a Sender for it.
type lab struct {
	service *webpushtest.Server
	sub     notify.Subscription
	subs    subscriptions
	sender  *webpush.Sender
}

func newLab(t *testing.T, o webpushtest.Options, changes ...func(*webpush.Config)) *lab {
	t.Helper()
	cfg := config(t)
	cfg.AllowInsecure = true
	for _, change := range changes {
		change(&cfg)
	}
	o.VAPIDPublic = cfg.PublicKey
	service, err := webpushtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{service: service, subs: subscriptions{}}
	l.sub = l.subscribe(t)
	l.sender = newSender(t, cfg, l.subs)
	t.Cleanup(func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *lab) subscribe(t *testing.T) notify.Subscription {
	t.Helper()
	sub, err := l.service.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	sub.CustomerID = "c-42"
	l.subs[sub.ID] = sub
	return sub
}

// config is a good configuration with keys of its own.
func config(t *testing.T) webpush.Config {
	t.Helper()
	public, private, err := webpush.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return webpush.Config{PublicKey: public, PrivateKey: private, Subject: "mailto:ops@example.com", DefaultLink: "https://track.example.com/"}
}

func newSender(t *testing.T, cfg webpush.Config, subs webpush.Subscriptions) *webpush.Sender {
	t.Helper()
	s, err := webpush.New(cfg, subs, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// message is good for an hour from now.
func message(address string) *notify.Message {
	now := time.Now()
	return &notify.Message{
		ID: notify.NewID(now, "m"), OrderID: "CH-1001", CustomerID: "c-42", Line: notify.CarHaul, Sequence: 7,
		Milestone: "driver_en_route_to_pickup", Channel: notify.Push, Address: address,
		Title: "Your driver is on the way", Body: "Sam picks up your 2021 Honda Civic <today> at 14:30 – “be there”.",
		Link: "https://track.example.com/t/abc", Locale: "en", Urgency: notify.High, OccurredAt: now, ExpiresAt: now.Add(time.Hour),
	}
}
