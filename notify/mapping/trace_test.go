package mapping_test

import (
	"testing"

	"onmyway/notify"
)

func TestTraceOfARecord(t *testing.T) {
	const (
		one   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		other = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	)
	tests := []struct {
		name    string
		headers []notify.Header
		value   string
		want    string
	}{
		{"no headers", nil, small(), ""},
		{"the standard's", binary("traceparent", one, "tracestate", "a=b"), small(), one},
		{"in another case", binary("TraceParent", one), small(), one},
		{"not sampled", binary("traceparent", other), small(), other},
		{"broken", binary("traceparent", one[:54]), small(), ""},
		{"bytes that are no text", binary("traceparent", "\xff\xfe"), small(), ""},
		{"twice the same", binary("traceparent", one, "traceparent", one), small(), one},
		{"two that differ", binary("traceparent", one, "traceparent", other), small(), ""},
		{"a good and a broken one", binary("traceparent", one, "traceparent", "x"), small(), ""},
		{"of a binary CloudEvent", binary("ce_traceparent", one, "ce_id", "A", "ce_source", "/erp"), small(), one},
		{"the nearer one wins", binary("ce_traceparent", other, "traceparent", one), small(), one},
		{"of a structured CloudEvent", structuredHeader, structured(`"traceparent":"` + one + `",`), one},
		{"of a structured CloudEvent, no text", structuredHeader, structured(`"traceparent":7,`), ""},
		{"of a structured CloudEvent, broken", structuredHeader, structured(`"traceparent":"x",`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := decode(t, &notify.Record{Headers: tt.headers, Value: []byte(tt.value)})
			if e.Trace != tt.want {
				t.Errorf("the trace is %q, want %q", e.Trace, tt.want)
			}
		})
	}
}
