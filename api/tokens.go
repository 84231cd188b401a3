package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Signer makes tokens; notify.Tokens is one.
type Signer interface {
	Sign(g notify.Grant) (string, error)
}

// Recorder writes into the audit what is done and writes nothing else.
type Recorder interface {
	Record(ctx context.Context, act notify.Act, did, object string, detail any) error
}

const (
	defaultTTL = 24 * time.Hour
	maxTTL     = 90 * 24 * time.Hour
)

type makeTokenInput struct {
	CustomerPath
	Body *tokenBody
}

type tokenBody struct {
	OrderID string `json:"order_id,omitempty" nullable:"true" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" doc:"Only this order; absent: all orders of the customer" example:"CH-1001"`
	TTL     string `json:"ttl,omitempty" nullable:"true" pattern:"^$|^[0-9]{1,8}d?$|^([0-9]{1,8}(ms|s|m|h))+$" patternDescription:"a time such as 30m, 12h or 7d" doc:"How long it is good: seconds, or with units such as 30m, 12h, 7d; at most 90d. Absent: 24h" example:"12h"`

	ttl time.Duration
}

// Resolve reads the time to live.
func (b *tokenBody) Resolve(huma.Context) []error {
	ttl, ok := readTTL(b.TTL)
	if !ok {
		return []error{&wrong{Problem: notify.Problem{Field: "ttl", Detail: "not a time between 1s and 90d: write seconds, or 30m, 12h, 7d"}}}
	}
	b.ttl = ttl
	return nil
}

// readTTL reads seconds, a Go duration or days; empty is the default.
func readTTL(s string) (time.Duration, bool) {
	if s == "" {
		return defaultTTL, true
	}
	ttl, err := time.ParseDuration(s)
	if err != nil {
		number, days := strings.CutSuffix(s, "d")
		n, err := strconv.ParseUint(number, 10, 24) // seven months in seconds: no product overflows
		if err != nil {
			return 0, false
		}
		ttl = time.Duration(n) * time.Second
		if days {
			ttl = time.Duration(n) * 24 * time.Hour
		}
	}
	return ttl, ttl >= time.Second && ttl <= maxTTL
}

type makeTokenOutput struct {
	Body struct {
		Token      string    `json:"token" doc:"Opens the WebSocket and the tracker page"`
		TrackerURL string    `json:"tracker_url"`
		ExpiresAt  time.Time `json:"expires_at"`
	}
}

func (s *server) makeToken(ctx context.Context, in *makeTokenInput) (*makeTokenOutput, error) {
	g := notify.Grant{CustomerID: in.ID}
	ttl := defaultTTL
	if in.Body != nil {
		g.OrderID, ttl = in.Body.OrderID, in.Body.ttl
	}
	g.Expires = time.Now().Add(ttl).UTC().Truncate(time.Second)
	token, err := s.Signer.Sign(g)
	if err != nil {
		return nil, fmt.Errorf("sign token: %w", err)
	}
	detail := map[string]any{"expires_at": g.Expires}
	if g.OrderID != "" {
		detail["order_id"] = g.OrderID
	}
	if err := s.Recorder.Record(ctx, act(ctx), notify.DidMakeToken, notify.CustomerObject(in.ID), detail); err != nil {
		return nil, fmt.Errorf("record the token: %w", err)
	}
	out := &makeTokenOutput{}
	out.Body.Token, out.Body.ExpiresAt = token, g.Expires
	out.Body.TrackerURL = s.PublicURL + "/t/" + token
	return out, nil
}
