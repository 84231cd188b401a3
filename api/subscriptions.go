package api

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"onmyway/notify"
)

// Subscriptions is where the browsers of customers are kept.
type Subscriptions interface {
	Subscribe(ctx context.Context, act notify.Act, sub notify.Subscription) error
	// Unsubscribe returns ErrNotFound for one that the customer does not have.
	Unsubscribe(ctx context.Context, act notify.Act, customerID, id string) error
	Subscriptions(ctx context.Context, customerID string) ([]notify.Subscription, error)
}

type addSubscriptionInput struct {
	CustomerPath
	Body subscriptionBody
}

// subscriptionBody is what PushSubscription.toJSON() of a browser gives. Browsers may add fields.
type subscriptionBody struct {
	_        struct{} `additionalProperties:"true"`
	Endpoint string   `json:"endpoint" maxLength:"2048" example:"https://fcm.googleapis.com/fcm/send/dXJsLXNhZmU"`
	Keys     struct {
		_      struct{} `additionalProperties:"true"`
		P256dh string   `json:"p256dh" maxLength:"200" doc:"The browser's public key, base64url" example:"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"`
		Auth   string   `json:"auth" maxLength:"200" doc:"The shared secret, base64url" example:"BTBZMqHH6r4Tts7J_aSIgg"`
	} `json:"keys"`
}

// subscriptionShown is a subscription without what would let somebody else use it.
type subscriptionShown struct {
	ID        string    `json:"id" example:"9f86d081884c7d65"`
	Service   string    `json:"service" doc:"The host of the browser's push service" example:"fcm.googleapis.com"`
	CreatedAt time.Time `json:"created_at"`
}

type addSubscriptionOutput struct {
	Location string `header:"Location"`
	Body     subscriptionShown
}

func (s *server) addSubscription(ctx context.Context, in *addSubscriptionInput) (*addSubscriptionOutput, error) {
	sub := notify.Subscription{
		CustomerID: in.ID, Endpoint: in.Body.Endpoint,
		P256dh: in.Body.Keys.P256dh, Auth: in.Body.Keys.Auth, CreatedAt: shown(time.Now()),
	}
	if err := s.CheckSubscription(&sub); err != nil {
		return nil, fmt.Errorf("check subscription: %w", err)
	}
	if err := s.Subscriptions.Subscribe(ctx, act(ctx), sub); err != nil {
		return nil, fmt.Errorf("add subscription: %w", err)
	}
	s.remember(ctx, in.ID)
	out := &addSubscriptionOutput{Body: showSubscription(sub)}
	out.Location = "/v1/customers/" + url.PathEscape(in.ID) + "/push-subscriptions/" + url.PathEscape(sub.ID)
	return out, nil
}

type listSubscriptionsInput struct{ CustomerPath }

type listSubscriptionsOutput struct {
	Body struct {
		Items []subscriptionShown `json:"items" nullable:"false"`
	}
}

func (s *server) listSubscriptions(ctx context.Context, in *listSubscriptionsInput) (*listSubscriptionsOutput, error) {
	subs, err := s.Subscriptions.Subscriptions(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	out := &listSubscriptionsOutput{}
	out.Body.Items = make([]subscriptionShown, len(subs))
	for i, sub := range subs {
		out.Body.Items[i] = showSubscription(sub)
	}
	return out, nil
}

type removeSubscriptionInput struct {
	CustomerPath
	SID string `path:"sid" maxLength:"128" pattern:"^[0-9A-Za-z_-]+$" patternDescription:"an id as the list shows it"`
}

func (s *server) removeSubscription(ctx context.Context, in *removeSubscriptionInput) (*struct{}, error) {
	if err := s.Subscriptions.Unsubscribe(ctx, act(ctx), in.ID, in.SID); err != nil {
		return nil, fmt.Errorf("remove subscription: %w", err)
	}
	s.remember(ctx, in.ID)
	return nil, nil
}

func showSubscription(sub notify.Subscription) subscriptionShown {
	shows := subscriptionShown{ID: sub.ID, CreatedAt: shown(sub.CreatedAt)}
	if u, err := url.Parse(sub.Endpoint); err == nil {
		shows.Service = u.Hostname()
	}
	return shows
}
