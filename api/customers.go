package api

import (
	"context"
	"fmt"
	"time"

	"onmyway/notify"
)

// Customers is where customers are kept.
type Customers interface {
	// Customer returns ErrNotFound, or a Version of 0, for a customer who is not stored.
	Customer(ctx context.Context, id string) (notify.Profile, error)
	// EditCustomer changes what is stored in one transaction, and writes who did it. Of a customer who is not stored c has
	// only the ID. An error of edit stores nothing and comes back as it is; edit may be called again.
	EditCustomer(ctx context.Context, act notify.Act, id string, edit func(c *notify.Customer) error) (notify.Customer, error)
}

// CustomerPath is the part of the path that names a customer. It is exported because huma looks only into such fields.
type CustomerPath struct {
	ID string `path:"id" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]+$" patternDescription:"printable" doc:"The customer's id in your own systems" example:"c-42"`
}

type getCustomerInput struct{ CustomerPath }

type putCustomerInput struct {
	CustomerPath
	Conditions
	Body customerBody
}

type patchCustomerInput struct {
	CustomerPath
	Conditions
	Body customerPatch
}

// customerOutput is a customer as stored. The number is masked: who needs it whole has it already.
type customerOutput struct {
	ETag string `header:"ETag" doc:"The version: send it as If-Match to write only when nobody else wrote meanwhile" example:"\"7\""`
	Body customerShown
}

type customerShown struct {
	ID          string           `json:"id" example:"c-42"`
	Name        string           `json:"name" example:"Dana Reyes"`
	Phone       string           `json:"phone" doc:"Masked; empty when none is known" example:"+1415•••0123"`
	Locale      string           `json:"locale" example:"en-US"`
	TimeZone    string           `json:"time_zone" example:"America/Los_Angeles"`
	Preferences preferencesShown `json:"preferences"`
	Consents    consentsShown    `json:"consents,omitempty" doc:"What they last said about being told, by channel; absent: nothing"`
	Stopped     *NumberStopped   `json:"number_stopped,omitempty" doc:"Why the number gets no texts; absent: it does"`
	CreatedAt   time.Time        `json:"created_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
}

func (s *server) getCustomer(ctx context.Context, in *getCustomerInput) (*customerOutput, error) {
	p, err := s.customer(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.showCustomer(ctx, &p.Customer)
}

// customer reads a customer who must be there.
func (s *server) customer(ctx context.Context, id string) (notify.Profile, error) {
	p, err := s.Customers.Customer(ctx, id)
	if err == nil && p.Version == 0 || isNotFound(err) {
		return p, notFound("there is no customer with this id")
	}
	if err != nil {
		return p, fmt.Errorf("read customer: %w", err)
	}
	return p, nil
}

func (s *server) putCustomer(ctx context.Context, in *putCustomerInput) (*customerOutput, error) {
	return s.writeCustomer(ctx, in.ID, &in.Conditions, func(c *notify.Customer) error { return in.Body.write(c) })
}

func (s *server) patchCustomer(ctx context.Context, in *patchCustomerInput) (*customerOutput, error) {
	return s.writeCustomer(ctx, in.ID, &in.Conditions, func(c *notify.Customer) error {
		if c.Version == 0 {
			return notFound("there is no customer with this id: PUT writes a new one")
		}
		return in.Body.write(c, s.Phone)
	})
}

// writeCustomer edits what is stored. What the caller read and what an event changed meanwhile can't get lost: edit sees
// what is stored now.
func (s *server) writeCustomer(ctx context.Context, id string, only *Conditions, edit func(c *notify.Customer) error) (*customerOutput, error) {
	stored, err := s.Customers.EditCustomer(ctx, act(ctx), id, func(c *notify.Customer) error {
		if err := only.check(c.Version); err != nil {
			return err
		}
		return edit(c)
	})
	if err != nil {
		return nil, fmt.Errorf("write customer: %w", err)
	}
	s.remember(ctx, id)
	return s.showCustomer(ctx, &stored)
}

// remember refreshes the cache after a write, also when the caller does not wait for the answer. It is best effort: the
// write is in SQL, and a failure here is not the caller's.
func (s *server) remember(ctx context.Context, id string) {
	if s.Remember == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	p, err := s.Customers.Customer(ctx, id)
	if err != nil {
		if !isNotFound(err) {
			s.log.WarnContext(ctx, "profile not refreshed in the cache", "error", err, "request_id", requestOf(ctx).id)
		}
		return
	}
	s.Remember(ctx, p)
}

func (s *server) showCustomer(ctx context.Context, c *notify.Customer) (*customerOutput, error) {
	why, err := s.stopped(ctx, c.Phone)
	if err != nil {
		return nil, err
	}
	return &customerOutput{ETag: etag(c.Version), Body: customerShown{
		ID: c.ID, Name: c.Name, Phone: masked(c.Phone), Locale: c.Locale, TimeZone: c.TimeZone,
		Preferences: showPreferences(&c.Preferences), Consents: showConsents(c.Consents), Stopped: why,
		CreatedAt: shown(c.CreatedAt), UpdatedAt: shown(c.UpdatedAt),
	}}, nil
}

// shown is a time as answers carry it: UTC, to the millisecond, which is what is stored.
func shown(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
