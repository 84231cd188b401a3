package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Messages is where messages are found.
type Messages interface {
	Find(ctx context.Context, q notify.Query) ([]notify.Entry, error)
	Entry(ctx context.Context, id notify.ID) (notify.Entry, error) // ErrNotFound
}

func isNotFound(err error) bool { return errors.Is(err, notify.ErrNotFound) }

// Explainer says in words why messages are as they are; *notify.Explainer is one.
type Explainer interface {
	Explain(ctx context.Context, now time.Time, es []notify.Entry) ([]notify.Explanation, error)
}

// messageBody is a message in JSON. The text is as it was sent; a phone number is masked.
type messageBody struct {
	ID           string           `json:"id" example:"0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10"`
	OrderID      string           `json:"order_id" example:"CH-1001"`
	CustomerID   string           `json:"customer_id" example:"c-42"`
	Line         notify.Line      `json:"line" example:"car_haul"`
	Milestone    string           `json:"milestone" example:"driver_en_route_to_pickup"`
	Sequence     int64            `json:"sequence"`
	Channel      notify.Channel   `json:"channel" example:"sms"`
	State        notify.State     `json:"state" example:"delivered"`
	Reason       notify.Reason    `json:"reason" doc:"Why it was not sent, waits or failed: a code of /reasons; empty when there is nothing to explain" example:""`
	Why          string           `json:"why" doc:"Where it stands, in words" example:"Delivered at 11:02 in Los Angeles."`
	Address      string           `json:"address" doc:"A masked phone number, or the id of a push subscription" example:"+1415•••0123"`
	Title        string           `json:"title"`
	Body         string           `json:"body" doc:"The text as it was sent"`
	OccurredAt   time.Time        `json:"occurred_at" doc:"When the event happened"`
	CreatedAt    time.Time        `json:"created_at" doc:"When it was decided to send it"`
	DueAt        time.Time        `json:"due_at,omitzero" doc:"It leaves not before"`
	ExpiresAt    time.Time        `json:"expires_at,omitzero" doc:"It leaves not after"`
	UpdatedAt    time.Time        `json:"updated_at,omitzero"`
	ShownAt      time.Time        `json:"shown_at,omitzero" doc:"On the websocket message: when a page or browser of the customer first said that it shows the news; absent: none has"`
	Stopped      *NumberStopped   `json:"number_stopped,omitempty" doc:"On one text: why its number gets no texts now; absent: it does. Lists leave it out"`
	ResendOf     string           `json:"resend_of,omitempty" doc:"The message that staff asked to send again"`
	ResendNo     int              `json:"resend_no"`
	ResendBy     string           `json:"resend_by,omitempty" doc:"The name of the API key that asked"`
	ResendReason string           `json:"resend_reason,omitempty" doc:"Why, in their words"`
	Resends      []string         `json:"resends" nullable:"false" doc:"Messages that were made from this one"`
	Attempts     []notify.Attempt `json:"attempts" nullable:"false"`
	History      []step           `json:"history" nullable:"false" doc:"What became of it besides our attempts: what the provider reported, how an unclear text was settled, a STOP"`
	Lineage      lineage          `json:"lineage"`
	NotSent      []notSent        `json:"not_sent" nullable:"false" doc:"On the websocket message: the other channels that got no message, and why"`
}

// step is a change that no attempt of ours made.
type step struct {
	At     time.Time     `json:"at"`
	State  notify.State  `json:"state" example:"delivered"`
	Reason notify.Reason `json:"reason,omitempty"`
	Code   int           `json:"code,omitempty" doc:"The provider's own error code, see docs/sms-errors.md"`
	Detail string        `json:"detail,omitempty" doc:"In words"`
}

// notSent is a channel that got no message.
type notSent struct {
	Channel notify.Channel `json:"channel" example:"sms"`
	Reason  notify.Reason  `json:"reason" example:"opted_out"`
	Why     string         `json:"why" doc:"In words" example:"Not texted: Dana turned SMS off on 12 Nov."`
}

// lineage tells where a message comes from.
type lineage struct {
	Topic          string `json:"topic" example:"order-events"`
	Partition      int    `json:"partition"`
	Offset         int64  `json:"offset"`
	EventID        string `json:"event_id" doc:"The producer's id of the event, or ours where it has none" example:"evt-1"`
	Route          string `json:"route,omitempty" doc:"The route that takes the milestone, as routes are now"`
	Template       string `json:"template" doc:"Version of the words"`
	TemplateLocale string `json:"template_locale" doc:"The language that they are in" example:"es"`
	LocaleAsked    string `json:"locale_asked,omitempty" doc:"The customer's own language, where there are no words in it" example:"es-MX"`
	ProviderID     string `json:"provider_id,omitempty" doc:"The provider's name of the message"`
}

type listMessagesInput struct {
	OrderID    string    `query:"order_id" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" example:"CH-1001"`
	CustomerID string    `query:"customer_id" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" example:"c-42"`
	Phone      string    `query:"phone" minLength:"1" maxLength:"100" doc:"Messages that went to this number, in any usual spelling" example:"(415) 555-2671"`
	Channel    channel   `query:"channel"`
	State      state     `query:"state"`
	Milestone  string    `query:"milestone" minLength:"1" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" example:"picked_up"`
	Since      time.Time `query:"since" doc:"The event happened at or after; RFC 3339"`
	Until      time.Time `query:"until" doc:"The event happened before; RFC 3339"`
	Limit      int       `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor     string    `query:"cursor" minLength:"1" maxLength:"200" doc:"next of the page before, with the same filters"`

	before notify.ID
	e164   string
}

// Resolve reads the cursor and the number.
func (in *listMessagesInput) Resolve(ctx huma.Context) []error {
	var faults []error
	fault := func(field, detail string) {
		faults = append(faults, &wrong{Problem: notify.Problem{Field: field, Detail: detail}})
	}
	if in.Phone != "" {
		spelled := in.Phone
		if strings.HasPrefix(spelled, " ") { // a "+" that was not escaped in the query
			spelled = "+" + spelled[1:]
		}
		var ok bool
		if in.e164, ok = readPhone(ctx, spelled); !ok {
			fault("phone", notAPhone)
		}
	}
	if !in.Since.IsZero() && !in.Until.IsZero() && !in.Since.Before(in.Until) {
		fault("until", "is not after since")
	}
	if len(faults) > 0 || in.Cursor == "" {
		return faults
	}
	bad := readID(in.asked(), in.Cursor, &in.before)
	return whole(bad)
}

// asked is the query as a cursor names it.
func (in *listMessagesInput) asked() query {
	return queryOf("messages", in.OrderID, in.CustomerID, in.e164, string(in.Channel), string(in.State), in.Milestone,
		in.Since.UTC().String(), in.Until.UTC().String())
}

// readID reads a cursor whose place is an id.
func readID(q query, cursor string, dst *notify.ID) *problem {
	place, bad := q.read(cursor, len(dst))
	copy(dst[:], place)
	return bad
}

// whole is what a Resolve returns when the whole answer is known.
func whole(p *problem) []error {
	if p == nil {
		return nil
	}
	return []error{&wrong{whole: p}}
}

type listMessagesOutput struct {
	Body struct {
		Items []messageBody `json:"items" nullable:"false"`
		Next  string        `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *server) listMessages(ctx context.Context, in *listMessagesInput) (*listMessagesOutput, error) {
	found, err := s.Messages.Find(ctx, notify.Query{
		OrderID: in.OrderID, CustomerID: in.CustomerID, Phone: in.e164,
		Channel: notify.Channel(in.Channel), State: notify.State(in.State), Milestone: in.Milestone,
		Since: in.Since, Until: in.Until, Before: in.before, Limit: in.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("find messages: %w", err)
	}
	out := &listMessagesOutput{}
	if out.Body.Items, err = s.showMessages(ctx, found); err != nil {
		return nil, err
	}
	if len(found) == in.Limit {
		out.Body.Next = in.asked().cursor(found[len(found)-1].ID[:])
	}
	return out, nil
}

// MessagePath is the part of the path that names a message. It is exported because huma looks only into such fields.
type MessagePath struct {
	ID string `path:"id" doc:"The message's id" example:"0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10"`
}

// message reads the id. What is no id is no message.
func (p MessagePath) message() (notify.ID, error) {
	id, err := notify.ParseID(p.ID)
	if err != nil {
		return notify.ID{}, notFound("there is no message with this id")
	}
	return id, nil
}

type getMessageInput struct{ MessagePath }

type getMessageOutput struct{ Body messageBody }

func (s *server) getMessage(ctx context.Context, in *getMessageInput) (*getMessageOutput, error) {
	id, err := in.message()
	if err != nil {
		return nil, err
	}
	e, err := s.Messages.Entry(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read message %s: %w", id, err)
	}
	return s.oneMessage(ctx, &e)
}

func (s *server) oneMessage(ctx context.Context, e *notify.Entry) (*getMessageOutput, error) {
	shows, err := s.showMessages(ctx, []notify.Entry{*e})
	if err == nil && e.Channel == notify.SMS {
		shows[0].Stopped, err = s.stopped(ctx, e.Address)
	}
	if err != nil {
		return nil, err
	}
	return &getMessageOutput{Body: shows[0]}, nil
}

// showMessages shows messages with their explanations, for which it asks once.
func (s *server) showMessages(ctx context.Context, es []notify.Entry) ([]messageBody, error) {
	shows := make([]messageBody, len(es))
	if len(es) == 0 {
		return shows, nil
	}
	said, err := s.Explainer.Explain(ctx, time.Now(), es)
	if err != nil {
		return nil, fmt.Errorf("explain %d messages: %w", len(es), err)
	}
	routes := s.Rules().Routes
	for i := range es {
		shows[i] = showMessage(&es[i], &said[i])
		if r := routes[notify.MilestoneOf(es[i].Line, es[i].Milestone)]; r != nil {
			shows[i].Lineage.Route = r.Name
		}
	}
	return shows, nil
}

func showMessage(e *notify.Entry, said *notify.Explanation) messageBody {
	m := &e.Message
	b := messageBody{
		Why: said.Why, OccurredAt: shown(m.OccurredAt),
		ID: m.ID.String(), OrderID: m.OrderID, CustomerID: m.CustomerID, Line: m.Line, Milestone: m.Milestone,
		Sequence: m.Sequence, Channel: m.Channel, State: m.State, Reason: m.Reason, Address: m.Address,
		Title: m.Title, Body: m.Body, CreatedAt: shown(m.CreatedAt), DueAt: shown(m.DueAt),
		ExpiresAt: shown(m.ExpiresAt), UpdatedAt: shown(m.UpdatedAt), ShownAt: shown(e.ShownAt), ResendNo: m.ResendNo,
		ResendBy: e.By, ResendReason: e.Why,
		Resends: []string{}, Attempts: []notify.Attempt{}, History: []step{}, NotSent: showNotSent(e, said),
		Lineage: lineage{
			Topic: e.Origin.Topic, Partition: e.Origin.Partition, Offset: e.Origin.Offset, EventID: eventID(e),
			Template: m.Template, TemplateLocale: m.Locale, LocaleAsked: m.Asked, ProviderID: m.ProviderID,
		},
	}
	if m.Channel == notify.SMS {
		b.Address = masked(m.Address)
	}
	if !m.ResendOf.IsZero() {
		b.ResendOf = m.ResendOf.String()
	}
	for _, id := range e.Resends {
		b.Resends = append(b.Resends, id.String())
	}
	for _, a := range e.Attempts {
		a.StartedAt, a.FinishedAt = shown(a.StartedAt), shown(a.FinishedAt)
		b.Attempts = append(b.Attempts, a)
	}
	for _, h := range e.History {
		b.History = append(b.History, step{shown(h.At), h.State, h.Reason, h.Code, h.Detail})
	}
	return b
}

func showNotSent(e *notify.Entry, said *notify.Explanation) []notSent {
	all := make([]notSent, len(e.NotSent))
	for i, n := range e.NotSent {
		all[i] = notSent{Channel: n.Channel, Reason: n.Reason}
		if i < len(said.NotSent) {
			all[i].Why = said.NotSent[i]
		}
	}
	return all
}

// eventID is the producer's id. Where the producer gave none, the key is made of parts that nobody reads (see
// notify.EventKey) and our own id says more.
func eventID(e *notify.Entry) string {
	switch {
	case e.EventKey != "" && !strings.Contains(e.EventKey, "\x1f"):
		return e.EventKey
	case e.EventID.IsZero(): // a WebSocket message has the id of its event
		return e.ID.String()
	}
	return e.EventID.String()
}
