package main

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"onmyway/notify"
)

// providers are who takes the messages of a channel.
var providers = map[notify.Channel]string{notify.SMS: "twilio", notify.Push: "web push"}

// processed makes the spans of the events of a batch that are new: from the record's timestamp until they are in SQL. Names
// and attributes are those of OpenTelemetry's conventions for messaging. No attribute tells a person or a text.
func (t *tracer) processed(b *notify.Batch, now time.Time) {
	for i := range b.Events {
		e := &b.Events[i]
		if !e.New {
			continue
		}
		at, sampled := t.sample.event(e.ID, e.Trace)
		if !sampled {
			continue
		}
		t.begin(at, "process "+e.Origin.Topic, trace.SpanKindConsumer, earlier(e.Origin.Time, now),
			attribute.String("messaging.system", "kafka"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", e.Origin.Topic),
			attribute.String("messaging.destination.partition.id", strconv.Itoa(e.Origin.Partition)),
			attribute.String("messaging.consumer.group.name", t.group),
			attribute.Int64("messaging.kafka.offset", e.Origin.Offset),
			attribute.String("onmyway.line", string(e.Line)),
			attribute.String("onmyway.milestone", e.Milestone.Name),
			attribute.String("onmyway.event.id", e.ID.String()),
		).End(trace.WithTimestamp(now))
	}
}

// sent makes the span of one attempt.
func (t *tracer) sent(m *notify.Message, a notify.Answer, took time.Duration, now time.Time) {
	at, sampled := t.sample.event(m.EventID, m.Trace)
	if !sampled {
		return
	}
	span := t.begin(under(at), "send "+string(m.Channel), trace.SpanKindClient, now.Add(-took),
		attribute.String("onmyway.channel", string(m.Channel)),
		attribute.String("onmyway.line", string(m.Line)),
		attribute.String("onmyway.milestone", m.Milestone),
		attribute.String("onmyway.message.id", m.ID.String()),
		attribute.Int("onmyway.attempt", m.Attempt),
		attribute.String("onmyway.provider", providers[m.Channel]),
		attribute.String("onmyway.verdict", string(a.Verdict)))
	if a.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", a.Status))
	}
	if a.Verdict != notify.Took {
		failed(span, string(a.Reason))
	}
	span.End(trace.WithTimestamp(now))
}

func (t *tracer) begin(at place, name string, kind trace.SpanKind, start time.Time, about ...attribute.KeyValue) trace.Span {
	_, span := t.spans.Start(at.context(), name, trace.WithSpanKind(kind), trace.WithTimestamp(start), trace.WithAttributes(about...))
	return span
}

func failed(span trace.Span, why string) {
	span.SetAttributes(attribute.String("error.type", why))
	span.SetStatus(codes.Error, why)
}

// earlier is then, unless the other clock is ahead of ours.
func earlier(then, now time.Time) time.Time {
	if then.After(now) {
		return now
	}
	return then
}
