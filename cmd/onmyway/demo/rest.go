package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"onmyway/notify"
)

// rest calls the service as an operator's systems do.
type rest struct {
	base   string
	key    string
	client *http.Client
}

// message is what the demo reads of a message.
type message struct {
	ID        string         `json:"id"`
	OrderID   string         `json:"order_id"`
	Line      notify.Line    `json:"line"`
	Milestone string         `json:"milestone"`
	Sequence  int64          `json:"sequence"`
	Channel   notify.Channel `json:"channel"`
	State     notify.State   `json:"state"`
	Reason    notify.Reason  `json:"reason"`
	Title     string         `json:"title"`
	Body      string         `json:"body"`
	CreatedAt time.Time      `json:"created_at"`
	DueAt     time.Time      `json:"due_at"`
	ResendNo  int            `json:"resend_no"`
	Lineage   struct {
		EventID string `json:"event_id"`
	} `json:"lineage"`
	NotSent []notify.NotSent `json:"not_sent"`
}

// messagePage is one page of a list, newest first.
type messagePage struct {
	Items []message `json:"items"`
	Next  string    `json:"next"`
}

// mostPages bounds how far back a list is read: 20,000 messages, far more than any customer or outage of the demo has.
const mostPages = 200

// messages reads a list page by page, newest first, until more is false or the list ends.
func (r *rest) messages(ctx context.Context, query url.Values, more func([]message) bool) error {
	query.Set("limit", "100")
	for range mostPages {
		var p messagePage
		if err := r.call(ctx, http.MethodGet, "/v1/messages?"+query.Encode(), nil, &p); err != nil {
			return err
		}
		if !more(p.Items) || p.Next == "" {
			return nil
		}
		query.Set("cursor", p.Next)
	}
	return nil
}

func (r *rest) putCustomer(ctx context.Context, b *buyer, now time.Time) error {
	preferences := map[string]any{}
	if b.NoTexts {
		preferences["channels"] = map[string]bool{"sms": false}
	}
	if b.Quiet {
		start, end := b.quietHours(now)
		preferences["quiet_hours"] = map[string]string{"start": start, "end": end}
	}
	return r.call(ctx, http.MethodPut, "/v1/customers/"+url.PathEscape(b.ID), map[string]any{
		"name": b.Name, "phone": b.Phone, "locale": b.Locale, "time_zone": b.Zone, "preferences": preferences,
	}, nil)
}

// subscribe hands in what a browser's PushSubscription.toJSON() gives.
func (r *rest) subscribe(ctx context.Context, customer string, sub notify.Subscription) error {
	return r.call(ctx, http.MethodPost, "/v1/customers/"+url.PathEscape(customer)+"/push-subscriptions", map[string]any{
		"endpoint": sub.Endpoint, "keys": map[string]string{"p256dh": sub.P256dh, "auth": sub.Auth},
	}, nil)
}

// token opens the live page of a customer.
func (r *rest) token(ctx context.Context, customer string) (string, error) {
	var out struct {
		Token string `json:"token"`
	}
	err := r.call(ctx, http.MethodPost, "/v1/customers/"+url.PathEscape(customer)+"/tokens", map[string]string{"ttl": "12h"}, &out)
	return out.Token, err
}

// call makes one call. in and out may be nil.
func (r *rest) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write the body of %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return fmt.Errorf("call %s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("call the service: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	case res.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s answered %s: %s", method, path, strconv.Itoa(res.StatusCode), bytes.TrimSpace(answer))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	}
	return nil
}
