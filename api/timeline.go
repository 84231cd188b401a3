package api

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

type timelineInput struct {
	OrderPath
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" minLength:"1" maxLength:"200" doc:"next of the page before"`

	before notify.ID
}

// Resolve reads the cursor.
func (in *timelineInput) Resolve(huma.Context) []error {
	if in.Cursor == "" {
		return nil
	}
	return whole(readID(in.asked(), in.Cursor, &in.before))
}

func (in *timelineInput) asked() query { return queryOf("timeline", in.ID) }

type timelineOutput struct {
	Body struct {
		Items []timelineItem `json:"items" nullable:"false"`
		Next  string         `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// timelineItem is an event, or a message that tells one.
type timelineItem struct {
	Kind    string       `json:"kind" enum:"event,message"`
	At      time.Time    `json:"at" doc:"When the event happened, which is how the list is sorted: messages stand with the event they tell"`
	Why     string       `json:"why" doc:"What became of it, in words" example:"Delivered at 11:02 in Los Angeles."`
	Event   *eventBody   `json:"event,omitempty" doc:"For an event"`
	Message *messageBody `json:"message,omitempty" doc:"For a message, as GET /v1/messages shows it"`
}

// eventBody is an event and what became of it.
type eventBody struct {
	ID         string        `json:"id" doc:"Also the id of its websocket message"`
	Line       notify.Line   `json:"line" example:"car_haul"`
	Milestone  string        `json:"milestone" example:"picked_up"`
	Phase      notify.Phase  `json:"phase" example:"pickup"`
	Sequence   int64         `json:"sequence"`
	CustomerID string        `json:"customer_id" example:"c-42"`
	State      notify.State  `json:"state" doc:"sent when the live page showed it, else suppressed" example:"sent"`
	Reason     notify.Reason `json:"reason"`
	Title      string        `json:"title" doc:"What the live page showed; empty when it showed nothing"`
	Body       string        `json:"body"`
	NotSent    []notSent     `json:"not_sent" nullable:"false" doc:"Channels that got no message, and why"`
	Lineage    lineage       `json:"lineage"`
}

func (s *server) timeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	found, err := s.Messages.Find(ctx, notify.Query{OrderID: in.ID, Before: in.before, Limit: in.Limit})
	if err != nil {
		return nil, fmt.Errorf("find the timeline of order: %w", err)
	}
	if len(found) == 0 && in.before.IsZero() {
		return nil, notFound("no event of an order with this id was stored")
	}
	shows, err := s.showMessages(ctx, found)
	if err != nil {
		return nil, err
	}
	out := &timelineOutput{}
	out.Body.Items = make([]timelineItem, len(found))
	for i := range found {
		out.Body.Items[i] = timelineItem{Kind: "message", At: shows[i].OccurredAt, Why: shows[i].Why}
		if found[i].Channel == notify.WebSocket {
			out.Body.Items[i].Kind, out.Body.Items[i].Event = "event", showEvent(&shows[i])
		} else {
			out.Body.Items[i].Message = &shows[i]
		}
	}
	if len(found) == in.Limit {
		out.Body.Next = in.asked().cursor(found[len(found)-1].ID[:])
	}
	return out, nil
}

func showEvent(m *messageBody) *eventBody {
	e := &eventBody{
		ID: m.ID, Line: m.Line, Milestone: m.Milestone, Sequence: m.Sequence, CustomerID: m.CustomerID, State: m.State, Reason: m.Reason,
		Title: m.Title, Body: m.Body, NotSent: m.NotSent, Lineage: m.Lineage,
	}
	if known := notify.MilestoneOf(m.Line, m.Milestone); known != nil {
		e.Phase = known.Phase
	}
	return e
}
