package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"onmyway/notify"
)

// tracer makes spans of what the hooks tell, after the fact: the path of an event carries a traceparent and nothing else. It
// is the only place that knows OpenTelemetry. Spans that nobody takes in time are dropped; nothing waits for them.
type tracer struct {
	provider *sdk.TracerProvider
	spans    trace.Tracer
	sample   sampler
	group    string // the Kafka consumer group
}

// newTracer makes the tracer of a process, which owner names; nil when tracing is off.
func newTracer(cfg Config, owner string, log *slog.Logger) (*tracer, error) {
	address, headers, err := cfg.Tracing.target()
	if err != nil || address == "" {
		return nil, err
	}
	about, err := resource.New(context.Background(),
		resource.WithAttributes(attribute.String("service.name", "onmyway"), attribute.String("service.version", version),
			attribute.String("service.instance.id", owner)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	out := newSpanExporter(address, headers, log)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Debug("OpenTelemetry", "error", err) }))
	t := &tracer{sample: newSampler(cfg.Tracing.Sample), group: cfg.Kafka.Group}
	t.provider = sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithIDGenerator(givenIDs{}), sdk.WithBatcher(out),
		sdk.WithSampler(sdk.AlwaysSample())) // what is not sampled is not begun
	t.spans = t.provider.Tracer("onmyway")
	log.Info("spans go to the collector", "sample", cfg.Tracing.Sample)
	return t, nil
}

// observe adds spans to what hooks do. It may be called on nil.
func (t *tracer) observe(hooks *notify.Hooks) {
	if t == nil {
		return
	}
	stored, attempted := hooks.Stored, hooks.Attempted
	hooks.Stored = func(b *notify.Batch) {
		stored(b)
		t.processed(b, time.Now())
	}
	hooks.Attempted = func(m *notify.Message, a notify.Answer, took, since time.Duration) {
		attempted(m, a, took, since)
		t.sent(m, a, took, time.Now())
	}
}

// traceDrain is how long the collector may take for what is left when the process stops.
const traceDrain = 2 * time.Second

// close hands over what is left. It may be called on nil.
func (t *tracer) close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, traceDrain)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the log has said what is wrong with the collector
}

// called makes the span of a REST call. It gives the call the traceparent under which its own work goes on, so that an
// event that is published by it hangs below it.
func (t *tracer) called(r *http.Request) (done func(route string, status int, began time.Time)) {
	parent, of := notify.ParseTraceParent(r.Header.Get("traceparent"))
	if len(r.Header.Values("traceparent")) > 1 {
		parent, of = notify.TraceParent{}, false
	}
	at, sampled := t.sample.call(parent, of)
	if !sampled {
		return func(string, int, time.Time) {}
	}
	r.Header.Set("traceparent", notify.TraceParent{Trace: at.trace, Span: at.span, Sampled: true}.String())
	return func(route string, status int, began time.Time) {
		if status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusTooManyRequests {
			return // who is not let in makes us remember nothing
		}
		method := httpMethod(r.Method)
		span := t.begin(at, method+" "+route, trace.SpanKindServer, began,
			attribute.String("http.request.method", method), attribute.String("http.route", route),
			attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			failed(span, fmt.Sprint(status))
		}
		span.End()
	}
}
