package webpush

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

// Subscriptions finds the browser that a message is for.
type Subscriptions interface {
	// SubscriptionByID returns notify.ErrNotFound when it is not stored any more.
	SubscriptionByID(ctx context.Context, id string) (notify.Subscription, error)
}

// maxEndpoint is far above the endpoints of today's push services, which have 150 to 500 bytes.
const maxEndpoint = 2048

// SubscriptionID names a subscription by its endpoint: 32 hex digits of its SHA-256. The endpoint itself is a secret,
// whoever has it may try to send.
func SubscriptionID(endpoint string) string {
	sum := sha256.Sum256([]byte(endpoint))
	return hex.EncodeToString(sum[:16])
}

// CheckSubscription tells what is wrong with a subscription that a browser or partner handed in. The error is a
// *notify.Invalid with reason invalid_subscription; its fields are those of the browser's JSON: endpoint, keys.p256dh,
// keys.auth.
func CheckSubscription(g outhttp.Guard, s notify.Subscription) error {
	var problems []notify.Problem
	wrong := func(field, detail string) { problems = append(problems, notify.Problem{Field: field, Detail: detail}) }

	if u, err := url.Parse(s.Endpoint); s.Endpoint == "" || err != nil {
		wrong("endpoint", "must be the URL that the browser's PushSubscription names")
	} else if err := outhttp.CheckURL(g, u); err != nil {
		wrong("endpoint", err.Error())
	} else if len(s.Endpoint) > maxEndpoint {
		wrong("endpoint", "must have at most 2048 bytes")
	}
	if p, err := decode(s.P256dh); err != nil {
		wrong("keys.p256dh", "must be base64url")
	} else if _, err := ecdh.P256().NewPublicKey(p); err != nil {
		wrong("keys.p256dh", "must be an uncompressed P-256 point of 65 bytes")
	}
	if a, err := decode(s.Auth); err != nil {
		wrong("keys.auth", "must be base64url")
	} else if len(a) != 16 {
		wrong("keys.auth", "must have 16 bytes")
	}
	if problems == nil {
		return nil
	}
	return &notify.Invalid{Reason: "invalid_subscription", Problems: problems}
}
