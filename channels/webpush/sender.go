package webpush

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

const (
	timeout = 15 * time.Second // one exchange; push services answer in well under a second
	maxTTL  = 28 * 24 * 3600   // seconds; push services cut or refuse longer ones
	fresh   = time.Second      // how long a message that waits may trust the subscription that it was decided on
	maxSaid = 4 << 10          // bytes of an error body that are read for its explanation
	framing = 16 + 4 + 1 + 65  // bytes of salt, record size, key length and key (RFC 8188, 2.1)
	sealing = framing + 1 + 16 // and of delimiter and tag
)

// records are the sizes of encrypted bodies. The library pads every body to the record size, so that the length tells
// nothing; a few sizes tell hardly more and spare three quarters of the bytes, and make a short form short on the wire.
var records = []int{512, 1024, 2048, maxPayload + sealing}

// Sender is the channel "push". It implements notify.Sender.
type Sender struct {
	public, private, subject string

	guard   outhttp.Guard
	link    string
	shown   func(id notify.ID) string
	subs    Subscriptions
	client  *http.Client
	tokens  tokens
	origins origins
	now     func() time.Time
}

// New makes a Sender, or says what is wrong with the configuration, by the names that the operator knows. The caller
// closes it when no Send runs any more.
func New(cfg Config, subs Subscriptions, log *slog.Logger) (*Sender, error) {
	public, private, err := checkKeys(cfg.PublicKey, cfg.PrivateKey)
	if err != nil {
		return nil, err
	}
	sub, err := subject(cfg.Subject)
	if err != nil {
		return nil, err
	}
	s := &Sender{
		public: public, private: private, subject: sub,
		guard: cfg.Guard(), link: cfg.DefaultLink, shown: cfg.Shown, subs: subs, now: cfg.Now,
		origins: origins{share: cfg.Breaker},
	}
	s.client = outhttp.Client(s.guard, timeout)
	if s.now == nil {
		s.now = time.Now
	}
	log.Info("push goes out", "webpush", cfg)
	return s, nil
}

// Close gives idle connections back.
func (s *Sender) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Send posts m to the browser that m.Address names. A push service that finds it too large gets the short form, once.
// Every end that proves nothing is NotTaken: a repeat replaces what came before it.
func (s *Sender) Send(ctx context.Context, m *notify.Message) notify.Answer {
	ttl := s.ttl(m)
	if ttl < 1 {
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.Expired, Detail: "less than a second of its validity is left"}
	}
	sub, err := s.subscription(ctx, m)
	switch {
	case errors.Is(err, notify.ErrNotFound):
		return notify.Answer{Verdict: notify.Gone, Reason: notify.BadAddress, Detail: "the subscription was removed"}
	case err != nil:
		return notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable, Detail: "the subscription could not be read"}
	case sub.CustomerID != m.CustomerID:
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.BadAddress, Detail: "the browser belongs to another customer now"}
	}
	if err := CheckSubscription(s.guard, sub); err != nil {
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.Refused, Detail: err.Error()}
	}
	b := s.origins.of(sub.Endpoint)
	pass, ok := b.Ask(s.now())
	if !ok {
		return skipped(b, s.now())
	}
	a, asked := s.sendFitting(ctx, m, sub, ttl)
	if asked {
		b.Answered(pass, a, s.now())
	} else {
		b.Unasked(pass)
	}
	return a
}

// Paused is how many push services are left alone, because they fail.
func (s *Sender) Paused() int { return s.origins.open(s.now()) }

func (s *Sender) subscription(ctx context.Context, m *notify.Message) (notify.Subscription, error) {
	if m.Device != nil && s.now().Sub(m.CreatedAt) < fresh {
		return *m.Device, nil
	}
	return s.subs.SubscriptionByID(ctx, m.Address)
}

// sendFitting tells also whether the push service was asked at all.
func (s *Sender) sendFitting(ctx context.Context, m *notify.Message, sub notify.Subscription, ttl int) (a notify.Answer, asked bool) {
	p := newPayload(m, s.link)
	if s.shown != nil {
		p.Shown = s.shown(m.ID)
	}
	text, ok := p.fit(maxPayload)
	if !ok {
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.BadContent, Detail: "ids and link leave no room for words"}, false
	}
	a, asked = s.post(ctx, m, sub, text, ttl)
	if a.Status != http.StatusRequestEntityTooLarge {
		return a, asked
	}
	if text, ok = p.short(); !ok {
		return a, asked
	}
	return s.post(ctx, m, sub, text, ttl)
}

// ttl is how many whole seconds of m's validity are left, at most 28 days. A message without an end has all of them.
func (s *Sender) ttl(m *notify.Message) int {
	if m.ExpiresAt.IsZero() {
		return maxTTL
	}
	return int(min(m.ExpiresAt.Sub(s.now())/time.Second, maxTTL))
}

func (s *Sender) post(ctx context.Context, m *notify.Message, sub notify.Subscription, text []byte, ttl int) (a notify.Answer, asked bool) {
	x := &exchange{sender: s}
	resp, err := webpush.SendNotificationWithContext(ctx, text, forLibrary(sub), &webpush.Options{
		HTTPClient: x, RecordSize: recordSize(len(text)),
		TTL: ttl, Topic: topic(m), Urgency: urgency(m.Urgency),
		Subscriber: s.subject, VAPIDPublicKey: s.public, VAPIDPrivateKey: s.private,
	})
	if err != nil {
		return broken(x.asked, err), x.asked
	}
	defer outhttp.Drain(resp)
	var said []byte
	if resp.StatusCode >= 400 {
		said, _ = io.ReadAll(io.LimitReader(resp.Body, maxSaid))
	}
	a = answerOf(resp.StatusCode, resp.Header, said, s.now())
	if a.Reason == notify.Misconfigured {
		s.tokens.forget(x.origin)
	}
	return a, true
}

// broken says what an exchange without an answer proves.
func broken(asked bool, err error) notify.Answer {
	switch {
	case !asked:
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.Refused, Detail: "the message could not be encrypted for this browser"}
	case errors.Is(err, outhttp.ErrForbidden):
		return notify.Answer{Verdict: notify.Permanent, Reason: notify.Refused, Detail: "the endpoint leads to an address that must not be called"}
	case outhttp.Unsent(err):
		return notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable, Detail: outhttp.Describe(err)}
	}
	return notify.Answer{Verdict: notify.NotTaken, Reason: notify.UnclearEnd, Detail: outhttp.Describe(err)}
}

// forLibrary writes the keys in the one base64 that the library reads without guessing.
func forLibrary(sub notify.Subscription) *webpush.Subscription {
	p256dh, _ := decode(sub.P256dh) // CheckSubscription has read both
	auth, _ := decode(sub.Auth)
	return &webpush.Subscription{Endpoint: sub.Endpoint, Keys: webpush.Keys{P256dh: encode(p256dh), Auth: encode(auth)}}
}

func recordSize(text int) uint32 {
	for _, size := range records {
		if text+sealing <= size {
			return uint32(size)
		}
	}
	return webpush.MaxRecordSize
}

// urgency gives the library only words that it knows: it drops others without a sound.
func urgency(u notify.Urgency) webpush.Urgency {
	switch u {
	case notify.Low, notify.High:
		return webpush.Urgency(u)
	}
	return webpush.UrgencyNormal
}
