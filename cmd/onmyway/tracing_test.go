package main

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otlp "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"onmyway/notify"
)

const (
	theTrace  = "0af7651916cd43dd8448eb211c80319c"
	theCaller = "b7ad6b7169203331"
	sampled   = "00-" + theTrace + "-" + theCaller + "-01"
	unsampled = "00-" + theTrace + "-" + theCaller + "-00"
)

// tracing makes a tracer whose spans go to the collector, hooked to nothing else.
func tracing(t *testing.T, c *collector, sample float64) (*tracer, *notify.Hooks) {
	t.Helper()
	cfg := Config{Tracing: TracingConfig{Endpoint: c.URL + "/", Sample: sample}, Kafka: KafkaConfig{Group: "the-group"}}
	tr, err := newTracer(cfg, "owner-1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	hooks := newMetrics([]string{"orders"}).hooks()
	tr.observe(hooks)
	return tr, hooks
}

// TestSpansOfAnEvent: one trace from the producer over our process to the provider, as the collector sees it.
func TestSpansOfAnEvent(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-team=cars")
	c := newCollector(t)
	tr, hooks := tracing(t, c, 0)
	b := batchOf(notify.Stored{State: notify.Sent, New: true})
	e := b.Events[0].Event
	e.ID, e.Trace, e.Origin.Partition, e.Origin.Offset = notify.ID{1}, sampled, 3, 42
	e.CustomerID, e.Customer, b.Events[0].Body = "c-secret", &notify.Contact{Name: "Secret", Phone: "+14155550123"}, "secret words"
	hooks.Stored(b)
	m := &notify.Message{ID: notify.ID{2}, EventID: e.ID, Channel: notify.SMS, Line: notify.CarHaul, Milestone: gone.Name, Trace: sampled,
		Attempt: 1, Address: "+14155550123", Body: "secret words", CustomerID: "c-secret"}
	hooks.Attempted(m, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, Status: 429, Detail: "secret detail"}, time.Second, 0)
	m.Attempt = 2
	hooks.Attempted(m, notify.Answer{Verdict: notify.Took, Status: 201, ProviderID: "SMsecret"}, 2*time.Second, 0)
	tr.close(t.Context())

	spans := c.traced(theTrace)
	if len(spans) != 3 {
		t.Fatalf("%d spans, want 3: %v", len(spans), spans)
	}
	process := spans[0]
	if process.Name != "process orders" || process.Kind != otlp.Span_SPAN_KIND_CONSUMER || hex.EncodeToString(process.ParentSpanId) != theCaller ||
		process.StartTimeUnixNano != uint64(recorded.UnixNano()) || process.EndTimeUnixNano <= process.StartTimeUnixNano || process.Flags != 0x301 {
		t.Errorf("the span of the event: %v", process)
	}
	if diff := cmp.Diff(map[string]any{
		"messaging.system": "kafka", "messaging.operation.name": "process", "messaging.operation.type": "process",
		"messaging.destination.name": "orders", "messaging.destination.partition.id": "3", "messaging.consumer.group.name": "the-group",
		"messaging.kafka.offset": int64(42), "onmyway.line": "car_haul", "onmyway.milestone": gone.Name, "onmyway.event.id": e.ID.String(),
	}, about(process)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for i, want := range []struct {
		verdict string
		status  int64
		took    time.Duration
		code    otlp.Status_StatusCode
	}{{"took", 201, 2 * time.Second, otlp.Status_STATUS_CODE_UNSET}, {"not_taken", 429, time.Second, otlp.Status_STATUS_CODE_ERROR}} {
		s := spans[1+i] // the one that took longer began first: both end now
		a := about(s)
		if s.Name != "send sms" || s.Kind != otlp.Span_SPAN_KIND_CLIENT || !bytes.Equal(s.ParentSpanId, process.SpanId) ||
			a["onmyway.verdict"] != want.verdict || a["http.response.status_code"] != want.status || s.Status.GetCode() != want.code ||
			a["onmyway.provider"] != "twilio" || a["onmyway.message.id"] != m.ID.String() ||
			time.Duration(s.EndTimeUnixNano-s.StartTimeUnixNano) != want.took {
			t.Errorf("the span of an attempt, want %+v: %v", want, s)
		}
	}
	if c.path != "/v1/traces" || c.header.Get("Content-Type") != "application/x-protobuf" ||
		c.header.Get("Authorization") != "Bearer abc" || c.header.Get("X-Team") != "cars" {
		t.Errorf("posted to %s with %v", c.path, c.header)
	}
	if c.resource["service.name"] != "onmyway" || c.resource["service.instance.id"] != "owner-1" || c.resource["deployment.environment.name"] != "test" {
		t.Errorf("the resource: %v", c.resource)
	}
	if lower := bytes.ToLower(c.raw); bytes.Contains(lower, []byte("secret")) || bytes.Contains(lower, []byte("4155550")) {
		t.Error("spans hold what they must not")
	}
}

// TestWhatIsTraced: the caller decides; what has no caller is traced by the operator's ratio, by all processes alike.
func TestWhatIsTraced(t *testing.T) {
	tests := []struct {
		name        string
		traceParent string
		sample      float64
		fresh       bool
		want        int
	}{
		{"sampled by its producer", sampled, 0, true, 2},
		{"not sampled by its producer", unsampled, 1, true, 0},
		{"no trace", "", 0, true, 0},
		{"no trace, all sampled", "", 1, true, 2},
		{"a repeated event", sampled, 0, false, 1}, // its text may be sent all the same
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t)
			tr, hooks := tracing(t, c, tt.sample)
			b := batchOf(notify.Stored{State: notify.Sent, New: tt.fresh})
			e := b.Events[0].Event
			e.Trace = tt.traceParent
			hooks.Stored(b)
			other, elsewhere := tracing(t, c, tt.sample) // another process, or this one after a restart
			elsewhere.Attempted(&notify.Message{EventID: e.ID, Channel: notify.Push, Trace: tt.traceParent}, notify.Answer{Verdict: notify.Took}, 0, 0)
			tr.close(t.Context())
			other.close(t.Context())
			if len(c.spans) != tt.want {
				t.Fatalf("%d spans, want %d: %v", len(c.spans), tt.want, c.spans)
			}
			if tt.want == 2 && (!bytes.Equal(c.spans[0].TraceId, c.spans[1].TraceId) || !bytes.Equal(c.spans[0].SpanId, c.spans[1].ParentSpanId)) {
				t.Errorf("they do not hang together: %v", c.spans)
			}
		})
	}
}

// TestSampler: a ratio of the events, the same ones in every process.
func TestSampler(t *testing.T) {
	s, taken := newSampler(0.25), 0
	for i := range 10_000 {
		if _, ok := s.event(notify.ID{byte(i), byte(i >> 8)}, ""); ok {
			taken++
		}
	}
	if math.Abs(float64(taken)-2500) > 250 {
		t.Errorf("%d of 10000 events are sampled, want about 2500", taken)
	}
}

// TestSpanOfACall: a REST call goes on with its caller's trace and hands its own place down.
func TestSpanOfACall(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		status int
		sample float64
		want   int
	}{
		{"in a trace", []string{"traceparent", sampled}, 202, 0, 1},
		{"in a trace that is not sampled", []string{"traceparent", unsampled}, 202, 1, 0},
		{"without a trace", nil, 202, 0, 0},
		{"without a trace, all sampled", nil, 202, 1, 1},
		{"with a broken header", []string{"traceparent", "00-x"}, 202, 0, 0},
		{"with two headers", []string{"traceparent", sampled, "traceparent", unsampled}, 202, 0, 0},
		{"that fails", []string{"traceparent", sampled}, 503, 0, 1},
		{"that is not let in", []string{"traceparent", sampled}, 401, 0, 0},
		{"that is too many", []string{"traceparent", sampled}, 429, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t)
			tr, _ := tracing(t, c, tt.sample)
			var handed string
			h := newMetrics(nil).watchCalls(answering(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/healthz" {
					handed = r.Header.Get("traceparent")
				}
				w.WriteHeader(tt.status)
			}), tr)
			get(h, "/v1/messages/m-secret", tt.header...)
			get(h, "/healthz", "traceparent", sampled)
			tr.close(t.Context())
			if len(c.spans) != tt.want {
				t.Fatalf("%d spans, want %d: %v", len(c.spans), tt.want, c.spans)
			}
			if tt.want == 0 {
				return
			}
			s := c.spans[0]
			p, ok := notify.ParseTraceParent(handed)
			if !ok || !bytes.Equal(p.Trace[:], s.TraceId) || !bytes.Equal(p.Span[:], s.SpanId) {
				t.Errorf("handed down %q, which is not the span %v", handed, s)
			}
			if s.Name != "GET /v1/messages/{id}" || s.Kind != otlp.Span_SPAN_KIND_SERVER || about(s)["http.response.status_code"] != int64(tt.status) ||
				(s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR) != (tt.status >= 500) || bytes.Contains(c.raw, []byte("m-secret")) {
				t.Errorf("the span of the call: %v", s)
			}
			if len(tt.header) > 0 && hex.EncodeToString(s.TraceId)+hex.EncodeToString(s.ParentSpanId) != theTrace+theCaller {
				t.Errorf("it does not go on with its caller's trace: %v", s)
			}
		})
	}
}

// answering is a handler with one route.
func answering(answer http.HandlerFunc) http.Handler {
	r := chi.NewRouter()
	r.Get("/v1/messages/{id}", answer)
	r.Get("/healthz", answer)
	return r
}

// BenchmarkProcessed is what spans cost an event on its way, when it is in a sampled trace and when it is in none.
func BenchmarkProcessed(b *testing.B) {
	for name, traceParent := range map[string]string{"sampled": sampled, "in no trace": ""} {
		b.Run(name, func(b *testing.B) {
			t := &tracer{provider: sdk.NewTracerProvider(sdk.WithIDGenerator(givenIDs{}), sdk.WithBatcher(&recorder{}))}
			t.spans = t.provider.Tracer("onmyway")
			batch := batchOf(notify.Stored{State: notify.Sent, New: true})
			batch.Events[0].Trace = traceParent
			b.ReportAllocs()
			for b.Loop() {
				t.processed(batch, recorded)
			}
			_ = t.provider.Shutdown(b.Context())
		})
	}
}
