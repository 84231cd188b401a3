package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

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
		const milestone = `milestone="driver_en_route_to_pickup"`
		for metric, want := range map[string]float64{
			`onmyway_events_total{outcome="stored",topic="` + w.topic:                              1,
			`onmyway_events_total{outcome="rejected",topic="` + w.topic:                            1,
			`onmyway_dead_letters_total{reason="not_json",topic="` + w.topic:                       1,
			`onmyway_messages_total{channel="websocket",` + milestone + `,reason="",state="sent"}`: 1,
			`onmyway_messages_total{channel="sms",` + milestone + `,reason="",state="pending"}`:    1,
			`onmyway_messages_total{channel="sms",` + milestone + `,reason="",state="accepted"}`:   1,
			`onmyway_messages_total{channel="push",` + milestone + `,reason="",state="accepted"}`:  1,
			`onmyway_attempt_seconds_count{channel="sms",verdict="took"}`:                          1,
			`onmyway_attempts_total{channel="sms",http="2xx",reason="",verdict="took"}`:            1,
			`onmyway_message_accepted_seconds_count{channel="push"}`:                               1,
			`onmyway_message_accepted_seconds_count{channel="websocket"}`:                          1,
			`onmyway_message_accepted_seconds_bucket{channel="sms",le="30"}`:                       1,
			`onmyway_sms_segments_total{alphabet="gsm7"}`:                                          0, // at least one
			`onmyway_event_stored_seconds_count{topic="` + w.topic:                                 0, // by batches: at least one
			`onmyway_http_requests_total{class="2xx",method="GET",route="/v1/messages"}`:           0,
			`onmyway_engine_up{engine="Kafka"}`:                                                    1,
			`onmyway_engine_up{engine="Redis"}`:                                                    1,
			`onmyway_engine_up{engine="SQL"}`:                                                      1,
			`onmyway_queue_limit_messages{channel="sms"}`:                                          8192,
			`onmyway_build_info`:         1,
			`onmyway_websocket_sockets `: 1,
		} {
			if got := n.metric(metric); got != want && (want != 0 || got == 0) {
				t.Errorf("%s is %v, want %v", metric, got, want)
			}
		}
		if status, _, err := n.try(http.MethodGet, "/metrics", nil); err != nil || status != http.StatusNotFound {
			t.Errorf("the public listener answers %d, %v", status, err)
		}
		n.exportsWhatIsDescribed()
	})
}

// exportsWhatIsDescribed compares what a process exports with docs/metrics.md: a process that has done all that the
// service does exports all of it, but for what only failures and callbacks make.
func (n *node) exportsWhatIsDescribed() {
	n.t.Helper()
	resp, err := n.web.Get(n.ops + "/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	rare := "onmyway_engine_failures_total onmyway_inbound_texts_total onmyway_callbacks_total onmyway_consumer_lag_records"
	for _, d := range used().described {
		if !strings.Contains(string(b), "# TYPE "+d.name+" "+d.kind+"\n") && !strings.Contains(rare, d.name) {
			n.t.Errorf("the process does not export %s", d.name)
		}
	}
}
