// Package channels is the list of the channels. A new channel is a folder beside this file, one line in Build, its
// templates, and a word in the routes; it is done when notifytest.TestSender passes.
package channels

import (
	"log/slog"

	"onmyway/channels/outhttp"
	"onmyway/channels/twilio"
	"onmyway/channels/webpush"
	"onmyway/notify"
)

// Config says which channels there are. A nil one is off.
type Config struct {
	Twilio  *twilio.Config
	WebPush *webpush.Config
}

// Channel is one way out.
type Channel struct {
	Name    notify.Channel
	Sender  notify.Sender
	Durable bool          // a repeat does harm: "sending" is in SQL before the request leaves
	Finder  notify.Finder // knows what became of a message; nil where nobody does
	Close   func() error  // when no Send runs any more
	Paused  func() int    // how many providers are left alone, where the Sender sees to that itself; nil: the dispatcher does
}

// Build makes the channels that are configured. The error names the setting that is wrong.
func Build(cfg Config, subs webpush.Subscriptions, log *slog.Logger) ([]Channel, error) {
	var list []Channel
	if cfg.Twilio != nil {
		// The operator's own address: a proxy or a test server may stand anywhere.
		transport := outhttp.Transport(outhttp.Guard{Private: true, Insecure: true})
		s, err := twilio.New(*cfg.Twilio, transport, log)
		if err != nil {
			return nil, err
		}
		list = append(list, Channel{Name: notify.SMS, Sender: s, Durable: smsDurable, Finder: s,
			Close: func() error { transport.CloseIdleConnections(); return nil }})
	}
	if cfg.WebPush != nil {
		s, err := webpush.New(*cfg.WebPush, subs, log)
		if err != nil {
			return nil, err
		}
		list = append(list, Channel{Name: notify.Push, Sender: s, Close: s.Close, Paused: s.Paused})
	}
	return list, nil
}
