package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// TestMetricsAreWellNamed: names, units and help are as Prometheus wants them, also of metrics that have no sample yet.
func TestMetricsAreWellNamed(t *testing.T) {
	m := newMetrics(func() int { return 3 })
	hooks := m.hooks()
	hooks.Batch(notify.BatchStats{Topic: "t", Records: 3, Stored: 1, Repeated: 1, Rejected: 1, Lag: time.Second})
	msg := &notify.Message{Channel: notify.SMS}
	hooks.Attempted(msg, notify.Answer{Verdict: notify.Took}, time.Second, time.Second)
	hooks.Finished([]notify.Outcome{{Channel: notify.SMS, State: notify.Accepted}})
	hooks.Queued(notify.SMS, 1)
	hooks.Retrying("Kafka", nil)
	m.retention.WithLabelValues("t").Add(1)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	ours := 0
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "onmyway_") {
			ours++
		}
	}
	if ours != 10 {
		t.Errorf("%d metrics of ours have samples, want all 10", ours)
	}
}

// TestMetricsOfAProcess: what happened is counted, on the private listener only.
func TestMetricsOfAProcess(t *testing.T) {
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		e := onTheWay(1, 10)
		watch(t, e.CustomerID, n)
		w.subscribe(n, e.CustomerID)
		w.write(20*time.Second, []notify.Record{e.record(), {Key: []byte(e.OrderID), Value: []byte("no event")}})
		w.produce(20*time.Second, e)
		within(t, 20*time.Second, "the text is accepted", func() error { return w.accepted(n, e.OrderID, 1) })
		w.repeated(n, 1)
		for metric, want := range map[string]float64{
			`onmyway_events_total{outcome="stored",topic="` + w.topic:           1,
			`onmyway_events_total{outcome="rejected",topic="` + w.topic:         1,
			`onmyway_messages_total{channel="sms",reason="",state="accepted"}`:  1,
			`onmyway_messages_total{channel="push",reason="",state="accepted"}`: 1,
			`onmyway_attempt_seconds_count{channel="sms",verdict="took"}`:       1,
			`onmyway_message_accepted_seconds_count{channel="push"}`:            1,
			`onmyway_event_stored_seconds_count{topic="` + w.topic:              0, // by batches: at least one
			`onmyway_websocket_sockets`:                                         1,
		} {
			if got := n.metric(metric); got != want && (want != 0 || got == 0) {
				t.Errorf("%s is %v, want %v", metric, got, want)
			}
		}
		if status, _, err := n.try(http.MethodGet, "/metrics", nil); err != nil || status != http.StatusNotFound {
			t.Errorf("the public listener answers %d, %v", status, err)
		}
	})
}
