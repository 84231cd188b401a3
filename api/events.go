package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"time"

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
	Traceparent string `header:"traceparent" doc:"W3C trace context: goes with every event as far as the provider's call" example:"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"`
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
	if trace, ok := notify.ParseTraceParent(in.Traceparent); ok { // one that can't be used is ignored, as the specification asks
		header = append(slices.Clone(header), notify.Header{Key: "traceparent", Value: []byte(trace.String())})
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
			"send the same request again: events that arrived all the same are known by their id").retryAfter(comeBack)
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
		p.Errors = invalid.Problems
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
