package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Publisher writes records to Kafka.
type Publisher interface {
	// Produce returns when all in-sync replicas have the records, or with an error that says nothing about how many.
	Produce(ctx context.Context, topic string, rs []notify.Record) error
}

const (
	maxEventsBody = 4 << 20 // bytes; how large one event may be is for Decode to say
	maxEvents     = 1000
)

type publishInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/x-ndjson"`
}

type publishOutput struct {
	Status int
	Body   publishBody
}

type publishBody struct {
	Accepted int        `json:"accepted" doc:"How many are in Kafka, on all replicas"`
	Rejected []rejected `json:"rejected" nullable:"false"`
}

// rejected is an event that can't be understood.
type rejected struct {
	Index   int      `json:"index" doc:"Its place in the request, from 0"`
	Problem *problem `json:"problem"`
}

// publish takes what can be understood, tells what can't, and answers when Kafka has it.
func (s *server) publish(ctx context.Context, in *publishInput) (*publishOutput, error) {
	values, header, err := split(in.ContentType, in.RawBody)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	good := make([]notify.Record, 0, len(values))
	out := &publishOutput{Status: http.StatusAccepted, Body: publishBody{Rejected: []rejected{}}}
	for i, value := range values {
		r := notify.Record{Topic: s.Topic, Time: now, Value: value, Headers: header}
		bad, err := s.check(&r, now)
		switch {
		case err != nil:
			return nil, err
		case bad != nil:
			out.Body.Rejected = append(out.Body.Rejected, rejected{i, bad})
		default:
			good = append(good, r)
		}
	}
	if len(good) == 0 {
		out.Status = http.StatusUnprocessableEntity
		return out, nil
	}
	if err := s.Publisher.Produce(ctx, s.Topic, good); err != nil {
		s.log.ErrorContext(ctx, "events not published", "error", err, "events", len(good), "request_id", requestOf(ctx).id)
		return nil, newProblem(http.StatusServiceUnavailable, "kafka_unavailable",
			"send the same request again: events that arrived all the same are known by their id").retryAfter(5 * time.Second)
	}
	out.Body.Accepted = len(good)
	return out, nil
}

// check reads one event and gives its record the order as key, so that events of one order stay in order.
func (s *server) check(r *notify.Record, now time.Time) (bad *problem, err error) {
	var e notify.Event
	var invalid *notify.Invalid
	switch err := s.Decode(r, now, &e); {
	case errors.As(err, &invalid):
		p := newProblem(http.StatusUnprocessableEntity, invalid.Reason, "mend the event and send it again")
		p.Title, p.Errors = titles["invalid_event"], invalid.Problems
		return p, nil
	case err != nil:
		return nil, fmt.Errorf("decode event: %w", err)
	}
	r.Key = []byte(e.OrderID)
	return nil, nil
}

// cloudEventHeader marks a record whose value is a whole CloudEvent (CloudEvents Kafka binding 1.0, section 3.3).
var cloudEventHeader = []notify.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}}

// split cuts a request into the bytes of its events. They share the memory of body.
func split(contentType string, body []byte) (values [][]byte, header []notify.Header, err error) {
	media := "application/json"
	if contentType != "" {
		if media, _, err = mime.ParseMediaType(contentType); err != nil {
			media = contentType
		}
	}
	switch media {
	case "application/json":
		values, err = splitJSON(body)
	case "application/cloudevents+json", "application/cloudevents-batch+json":
		header = cloudEventHeader
		values, err = splitJSON(body)
	case "application/x-ndjson", "application/ndjson":
		values = splitLines(body)
	default:
		return nil, nil, newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type",
			"send application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json")
	}
	switch {
	case err != nil:
		return nil, nil, newProblem(http.StatusBadRequest, "not_json", "the body is not JSON: "+err.Error())
	case len(values) == 0:
		return nil, nil, newProblem(http.StatusUnprocessableEntity, "no_events", "send one event, an array of events, or one event a line")
	case len(values) > maxEvents:
		return nil, nil, newProblem(http.StatusUnprocessableEntity, "too_many_events", "send 1,000 at most in one request")
	}
	return values, header, nil
}

// splitJSON reads an array, or anything else as one event.
func splitJSON(body []byte) ([][]byte, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, nil
	}
	if body[0] != '[' {
		if !json.Valid(body) {
			return nil, json.Unmarshal(body, new(any))
		}
		return [][]byte{body}, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, err
	}
	values := make([][]byte, len(items))
	for i, item := range items {
		values[i] = item
	}
	return values, nil
}

// splitLines reads one event a line and skips empty lines. It stops after the first that is too many.
func splitLines(body []byte) [][]byte {
	var values [][]byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			values = append(values, line)
		}
		if len(values) > maxEvents {
			break
		}
	}
	return values
}

// eventsDocs describes what publish reads by itself.
func eventsDocs(op *huma.Operation) {
	op.MaxBodyBytes = maxEventsBody + 1 // huma refuses a body that reaches its limit
	op.SkipValidateBody = true
	op.Description = "Answers once all in-sync replicas have the events. Events that can't be understood are listed and the " +
		"others taken; 422 when none can. Repeating a request is safe: an event is known by its id."
	event := &huma.Schema{Type: huma.TypeObject, Description: "A canonical event", Properties: eventProperties(),
		Required: []string{"order_id", "customer_id", "line", "milestone", "occurred_at"}, AdditionalProperties: true}
	most := maxEvents
	cloud := &huma.Schema{Type: huma.TypeObject, Description: "A CloudEvent whose data is a canonical event", AdditionalProperties: true}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json":                   {Schema: &huma.Schema{OneOf: []*huma.Schema{event, {Type: huma.TypeArray, Items: event, MaxItems: &most}}}},
		"application/cloudevents+json":       {Schema: cloud},
		"application/cloudevents-batch+json": {Schema: &huma.Schema{Type: huma.TypeArray, Items: cloud, MaxItems: &most}},
	}}
}

func eventProperties() map[string]*huma.Schema {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	return map[string]*huma.Schema{
		"id":          text("The producer's own id: the same id is the same event"),
		"order_id":    text("The order"),
		"customer_id": text("Who is told"),
		"line":        {Type: huma.TypeString, Enum: words(notify.Lines)},
		"milestone":   text("What was reached, such as driver_en_route_to_pickup"),
		"sequence":    {Type: huma.TypeInteger, Description: "Grows with every event of an order and line"},
		"occurred_at": {Type: huma.TypeString, Format: "date-time"},
		"customer":    {Type: huma.TypeObject, AdditionalProperties: true, Description: "name, phone, locale, time_zone"},
		"data":        {Type: huma.TypeObject, AdditionalProperties: true, Description: "What the texts speak of: driver_name, vehicle, eta, tracking_url"},
	}
}
