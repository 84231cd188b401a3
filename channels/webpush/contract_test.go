package webpush_test

import (
	"context"
	"testing"

	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func TestSenderKeepsTheContract(t *testing.T) {
	browser := newLab(t, webpushtest.Options{})
	notifytest.TestSender(t, func(t *testing.T, url string) notify.Sender {
		cfg := config(t)
		cfg.AllowInsecure = true
		sub := browser.sub
		sub.Endpoint = url + "/push/one"
		return newSender(t, cfg, anyAddress{sub})
	})
}

// anyAddress leads every address to one browser.
type anyAddress struct{ sub notify.Subscription }

func (a anyAddress) SubscriptionByID(context.Context, string) (notify.Subscription, error) {
	return a.sub, nil
}
