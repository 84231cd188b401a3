package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// messageBody is a message in JSON. The text is as it was sent; a phone number is masked.
type messageBody struct {
	ID           string           `json:"id"`
	OrderID      string           `json:"order_id"`
	CustomerID   string           `json:"customer_id"`
	Line         notify.Line      `json:"line"`
	Milestone    string           `json:"milestone"`
	Sequence     int64            `json:"sequence"`
	Channel      notify.Channel   `json:"channel"`
	State        notify.State     `json:"state"`
	Reason       notify.Reason    `json:"reason" doc:"Why it was not sent, waits or failed; empty when there is nothing to explain"`
	Address      string           `json:"address" example:"+1415•••0123"`
	Title        string           `json:"title"`
	Body         string           `json:"body"`
	CreatedAt    time.Time        `json:"created_at"`
	DueAt        time.Time        `json:"due_at,omitzero"`
	ExpiresAt    time.Time        `json:"expires_at,omitzero"`
	UpdatedAt    time.Time        `json:"updated_at,omitzero"`
	ResendOf     string           `json:"resend_of,omitempty" doc:"The message that staff asked to send again"`
	ResendNo     int              `json:"resend_no"`
	ResendBy     string           `json:"resend_by,omitempty"`
	ResendReason string           `json:"resend_reason,omitempty"`
	Resends      []string         `json:"resends" nullable:"false" doc:"Messages that were made from this one"`
	Attempts     []notify.Attempt `json:"attempts" nullable:"false"`
	Lineage      lineage          `json:"lineage"`
	NotSent      []notify.NotSent `json:"not_sent" nullable:"false" doc:"On the websocket message: the other channels that got no message, and why"`
}

// lineage tells where a message comes from.
type lineage struct {
	Topic          string `json:"topic"`
	Partition      int    `json:"partition"`
	Offset         int64  `json:"offset"`
	EventID        string `json:"event_id" doc:"The producer's id of the event, or ours where it has none"`
	Template       string `json:"template"`
	TemplateLocale string `json:"template_locale"`
	ProviderID     string `json:"provider_id,omitempty"`
}

type listMessagesInput struct {
	OrderID    string    `query:"order_id" maxLength:"128"`
	CustomerID string    `query:"customer_id" maxLength:"128"`
	Phone      string    `query:"phone" doc:"In any usual spelling"`
	Channel    channel   `query:"channel"`
	State      string    `query:"state" enum:"pending,sending,verify,accepted,sent,delivered,undelivered,failed,suppressed"`
	Milestone  string    `query:"milestone" maxLength:"100"`
	Since      time.Time `query:"since" doc:"Made at or after; RFC 3339"`
	Until      time.Time `query:"until" doc:"Made before; RFC 3339"`
	Limit      int       `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor     string    `query:"cursor" doc:"The next of the page before"`

	before notify.ID
	e164   string
}

// Resolve reads the cursor and the number.
func (in *listMessagesInput) Resolve(ctx huma.Context) []error {
	var faults []error
	fault := func(field, detail string) {
		faults = append(faults, &wrong{Problem: notify.Problem{Field: field, Detail: detail}})
	}
	if in.Cursor != "" {
		var ok bool
		if in.before, ok = readCursor(in.Cursor); !ok {
			whole := newProblem(http.StatusBadRequest, "bad_cursor", "use next of the page before as it is, or leave the cursor out")
			return []error{&wrong{whole: whole}}
		}
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
	for field, value := range map[string]string{"order_id": in.OrderID, "customer_id": in.CustomerID, "milestone": in.Milestone} {
		if !oneLine(value) {
			fault(field, notOneLine)
		}
	}
	return faults
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
	out.Body.Items = make([]messageBody, len(found))
	for i := range found {
		out.Body.Items[i] = showMessage(&found[i])
	}
	if len(found) == in.Limit {
		out.Body.Next = cursor(found[len(found)-1].ID)
	}
	return out, nil
}

// MessagePath is the part of the path that names a message. It is exported because huma looks only into such fields.
type MessagePath struct {
	ID string `path:"id" doc:"The message's id"`
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
	return &getMessageOutput{Body: showMessage(&e)}, nil
}

func showMessage(e *notify.Entry) messageBody {
	m := &e.Message
	b := messageBody{
		ID: m.ID.String(), OrderID: m.OrderID, CustomerID: m.CustomerID, Line: m.Line, Milestone: m.Milestone,
		Sequence: m.Sequence, Channel: m.Channel, State: m.State, Reason: m.Reason, Address: m.Address,
		Title: m.Title, Body: m.Body, CreatedAt: shown(m.CreatedAt), DueAt: shown(m.DueAt),
		ExpiresAt: shown(m.ExpiresAt), UpdatedAt: shown(m.UpdatedAt), ResendNo: m.ResendNo,
		ResendBy: e.By, ResendReason: e.Why,
		Resends: []string{}, Attempts: []notify.Attempt{}, NotSent: append([]notify.NotSent{}, e.NotSent...),
		Lineage: lineage{
			Topic: e.Origin.Topic, Partition: e.Origin.Partition, Offset: e.Origin.Offset, EventID: eventID(e),
			Template: m.Template, TemplateLocale: m.Locale, ProviderID: m.ProviderID,
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
	return b
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
