package main

import (
	"log/slog"
	"math"
	"strings"
	"testing"
)

// TestTracingIsConfigured: by our own key, or by what OpenTelemetry says to everybody.
func TestTracingIsConfigured(t *testing.T) {
	tests := []struct {
		name string
		conf TracingConfig
		env  map[string]string
		want string // the address
		says string // the error
	}{
		{name: "not at all"},
		{name: "by key", conf: TracingConfig{Endpoint: "http://c:4318"}, want: "http://c:4318/v1/traces"},
		{name: "by environment", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"}, want: "https://c/otlp/v1/traces"},
		{name: "for traces alone", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"}, want: "http://t/x"},
		{name: "our key wins", conf: TracingConfig{Endpoint: "http://k"}, env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, want: "http://k/v1/traces"},
		{name: "switched off", conf: TracingConfig{Endpoint: "http://k"}, env: map[string]string{"OTEL_SDK_DISABLED": "true"}},
		{name: "gRPC", conf: TracingConfig{Endpoint: "http://k"}, env: map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, says: "http/protobuf"},
		{name: "no URL", conf: TracingConfig{Endpoint: "collector:4318"}, says: "tracing.endpoint is no URL"},
		{name: "a password in it", conf: TracingConfig{Endpoint: "http://u:hidden@c"}, says: "OTEL_EXPORTER_OTLP_HEADERS"},
		{name: "headers that are none", conf: TracingConfig{Endpoint: "http://c"}, env: map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "hidden"}, says: "name=value"},
		{name: "too much", conf: TracingConfig{Sample: 1.5}, says: "tracing.sample"},
		{name: "no number", conf: TracingConfig{Sample: math.NaN()}, says: "tracing.sample"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
				"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"} {
				t.Setenv(name, tt.env[name])
			}
			address, _, err := tt.conf.target()
			if err == nil {
				err = tt.conf.check()
			}
			switch {
			case tt.says == "" && (err != nil || address != tt.want):
				t.Errorf("%q, %v; want %q", address, err, tt.want)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hidden")):
				t.Errorf("it should say %q: %v", tt.says, err)
			}
		})
	}
}

// TestTracingIsOffByDefault: no tracer, no cost.
func TestTracingIsOffByDefault(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	tr, err := newTracer(Config{}, "owner-1", slog.New(slog.DiscardHandler))
	if err != nil || tr != nil {
		t.Fatalf("%v, %v", tr, err)
	}
	hooks := newMetrics(nil).hooks()
	before := hooks.Stored
	tr.observe(hooks)
	tr.close(t.Context())
	if before == nil || hooks.Stored == nil {
		t.Error("no hook")
	}
}
