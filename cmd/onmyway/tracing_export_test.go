package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	collect "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector is the other side of OTLP. It reads what it gets with OpenTelemetry's own types.
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	refuse   []int // the status of the next answers, before it takes anything
	asked    int
	header   http.Header
	path     string
	resource map[string]string
	spans    []*otlp.Span
	raw      []byte // all that it took
}

func newCollector(t *testing.T, refuse ...int) *collector {
	c := &collector{refuse: refuse}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if len(c.refuse) > 0 {
		w.WriteHeader(c.refuse[0])
		c.refuse = c.refuse[1:]
		return
	}
	body, err := io.ReadAll(r.Body)
	var req collect.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &req)
	}
	if err != nil || len(req.ProtoReflect().GetUnknown()) > 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.header, c.path = r.Header.Clone(), r.URL.Path
	c.raw = append(c.raw, body...)
	c.resource = map[string]string{}
	for _, rs := range req.ResourceSpans {
		for _, kv := range rs.Resource.Attributes {
			c.resource[kv.Key] = kv.Value.GetStringValue()
		}
		for _, ss := range rs.ScopeSpans {
			c.spans = append(c.spans, ss.Spans...)
		}
	}
}

// traced are the spans of a trace, the first one first.
func (c *collector) traced(traceID string) (spans []*otlp.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if hex.EncodeToString(s.TraceId) == traceID {
			spans = append(spans, s)
		}
	}
	slices.SortStableFunc(spans, func(a, b *otlp.Span) int { return int(int64(a.StartTimeUnixNano) - int64(b.StartTimeUnixNano)) })
	return spans
}

// about are the attributes of a span.
func about(s *otlp.Span) map[string]any {
	all := map[string]any{}
	for _, kv := range s.Attributes {
		all[kv.Key] = kv.Value.GetStringValue()
		if n := kv.Value.GetIntValue(); n != 0 {
			all[kv.Key] = n
		}
	}
	return all
}

// TestCollectorsThatRefuse: what may pass is tried again, what will not is not, and the log says so once, without the key
// that the address may hold.
func TestCollectorsThatRefuse(t *testing.T) {
	tests := []struct {
		name        string
		refuse      []int
		asked, want int
		says        string
	}{
		{"once busy", []int{503}, 2, 1, "it answers 503"},
		{"does not know the key", []int{401}, 1, 0, "OTEL_EXPORTER_OTLP_HEADERS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t, tt.refuse...)
			var log bytes.Buffer
			x := newSpanExporter(c.URL+"/v1/traces?key=hidden", nil, slog.New(slog.NewTextHandler(&log, nil)))
			kept := &recorder{}
			use(t, kept)
			if err := x.ExportSpans(t.Context(), kept.spans); err != nil {
				t.Error(err)
			}
			if c.asked != tt.asked || len(c.spans) != tt.want {
				t.Errorf("asked %d times and took %d spans, want %d and %d", c.asked, len(c.spans), tt.asked, tt.want)
			}
			if out := log.String(); strings.Count(out, "the trace collector") != 1 || !strings.Contains(out, tt.says) || strings.Contains(out, "hidden") {
				t.Errorf("the log:\n%s", out)
			}
			_ = x.Shutdown(t.Context())
		})
	}
	t.Run("not there", func(t *testing.T) {
		var log bytes.Buffer
		x := newSpanExporter("http://127.0.0.1:1/v1/traces?key=hidden", nil, slog.New(slog.NewTextHandler(&log, nil)))
		if again, err := x.post(t.Context(), nil); err == nil || !again || strings.Contains(err.Error(), "hidden") {
			t.Errorf("again %v, %v", again, err)
		}
	})
}

// recorder keeps spans as the SDK hands them over.
type recorder struct{ spans []sdk.ReadOnlySpan }

func (r *recorder) ExportSpans(_ context.Context, spans []sdk.ReadOnlySpan) error {
	r.spans = append(r.spans, spans...)
	return nil
}

func (r *recorder) Shutdown(context.Context) error { return nil }

// use makes one span.
func use(t *testing.T, r *recorder) {
	t.Helper()
	p := sdk.NewTracerProvider(sdk.WithSyncer(r))
	_, span := p.Tracer("onmyway").Start(t.Context(), "send sms")
	span.End()
	if err := p.Shutdown(t.Context()); err != nil || len(r.spans) != 1 {
		t.Fatalf("%d spans, %v", len(r.spans), err)
	}
}
