package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// TestTraceFromKafkaToTheProvider: a record's trace goes on through the process to the provider, also for the attempt that is
// made on what was claimed from SQL; a call's trace goes through Kafka as well.
func TestTraceFromKafkaToTheProvider(t *testing.T) {
	busy := twiliotest.Options{Faults: func(r twiliotest.Request) twiliotest.Fault {
		if r.N == 1 {
			return twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: "1"}
		}
		return twiliotest.Fault{}
	}}
	overEngines(t, busy, func(t *testing.T, w *world) {
		c := newCollector(t)
		n := w.node("ONMYWAY_TRACING__ENDPOINT="+c.URL, "OTEL_BSP_SCHEDULE_DELAY=50").start()
		e := onTheWay(1, 10)
		r := e.record()
		r.Headers = []notify.Header{{Key: "traceparent", Value: []byte(sampled)}}
		w.write(20*time.Second, []notify.Record{r})
		within(t, 30*time.Second, "the text is accepted", func() error { return w.accepted(n, e.OrderID, 1) })
		var spans []*otlp.Span
		within(t, 20*time.Second, "the collector has the trace", func() error {
			if spans = c.traced(theTrace); len(spans) != 3 {
				return fmt.Errorf("%d spans: %v", len(spans), spans)
			}
			return nil
		})
		process, first, second := spans[0], spans[1], spans[2]
		if process.Name != "process "+w.topic || hex.EncodeToString(process.ParentSpanId) != theCaller {
			t.Errorf("the event: %v", process)
		}
		for s, verdict := range map[*otlp.Span]string{first: "not_taken", second: "took"} {
			if s.Name != "send sms" || !bytes.Equal(s.ParentSpanId, process.SpanId) || about(s)["onmyway.verdict"] != verdict {
				t.Errorf("the attempt that was %s: %v", verdict, s)
			}
		}

		next := onTheWay(2, 10)
		const other = "4bf92f3577b34da6a3ce929d0e0e4736"
		n.call(http.StatusAccepted, nil, http.MethodPost, "/v1/events", next, "traceparent", "00-"+other+"-"+theCaller+"-01")
		within(t, 20*time.Second, "the collector has the trace of the call", func() error {
			if spans = c.traced(other); len(spans) != 3 {
				return fmt.Errorf("%d spans: %v", len(spans), spans)
			}
			return nil
		})
		parent, _ := hex.DecodeString(theCaller)
		for _, want := range []string{"POST /v1/events", "process " + w.topic, "send sms"} {
			i := slices.IndexFunc(spans, func(s *otlp.Span) bool { return s.Name == want && bytes.Equal(s.ParentSpanId, parent) })
			if i < 0 {
				t.Fatalf("no span %s below the one before: %v", want, spans)
			}
			parent = spans[i].SpanId
		}
		n.stop()
		if personal := regexp.MustCompile(canary + `|415555\d{4}|track\.example`).Find(c.raw); personal != nil {
			t.Errorf("spans hold %q", personal)
		}
	})
}
