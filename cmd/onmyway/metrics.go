package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/pprof"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"onmyway/notify"
)

// metrics are what Prometheus sees. It is the only place of the service that knows Prometheus; the core tells it through
// notify.Hooks. No label holds an id, a number or anything else without a bound. docs/metrics.md lists them.
type metrics struct {
	registry  *prometheus.Registry
	described []described // for docs/metrics.md
	labels    labels

	events    *prometheus.CounterVec // topic, outcome
	records   *prometheus.HistogramVec
	rounds    *prometheus.HistogramVec
	stored    *prometheus.HistogramVec // topic
	dead      *prometheus.CounterVec   // topic, reason
	behind    *prometheus.GaugeVec     // topic, partition
	retention *prometheus.CounterVec   // topic

	messages *prometheus.CounterVec   // channel, milestone, state, reason
	accepted *prometheus.HistogramVec // channel
	took     *prometheus.HistogramVec // channel, verdict
	attempts *prometheus.CounterVec   // channel, verdict, reason, http
	segments *prometheus.CounterVec   // alphabet
	settled  *prometheus.CounterVec   // state
	inbound  *prometheus.CounterVec   // keyword
	calledBy *prometheus.CounterVec   // kind
	back     *prometheus.CounterVec   // channel, reason
	throttle *prometheus.CounterVec   // channel

	forgotten *prometheus.CounterVec // table

	failures *prometheus.CounterVec // engine
	up       *prometheus.GaugeVec   // engine

	calls       *prometheus.CounterVec   // method, route, class
	callSeconds *prometheus.HistogramVec // route
	cut         prometheus.Counter
}

// described is one metric as its users see it.
type described struct {
	name, kind, unit, help string
	labels                 []string
}

// seconds are the buckets of durations: from a millisecond, which a live page can take, to ten minutes.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

// newMetrics makes all metrics of one process. The topics are those that labels may name.
func newMetrics(topics []string) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), labels: newLabels(topics)}
	m.pathMetrics()
	m.sendingMetrics()
	m.forgotten = m.counter("onmyway_forgotten_rows_total", "rows", "Rows that left SQL because they were old (retention.*).", "table")
	m.begin(topics)
	m.failures = m.counter("onmyway_engine_failures_total", "failures",
		"Failed calls to an engine or provider. They are tried again.", "engine")
	m.up = m.gauge("onmyway_engine_up", "1 or 0", "Whether the engine answered this process within the last 15 seconds.", "engine")
	m.calls = m.counter("onmyway_http_requests_total", "requests",
		"REST calls and pages, by what they asked for and the class of the answer.", "method", "route", "class")
	m.callSeconds = m.histogram("onmyway_http_request_seconds", "seconds", "From the head of a request to the end of its answer.", seconds, "route")
	m.cut = m.counter("onmyway_http_connections_cut_total", "connections",
		"Quiet connections that were closed to make room for others, because the process may open no more files.").WithLabelValues()
	m.gauge("onmyway_build_info", "always 1", "Which build this is.", "version", "go").WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// begin lets what alarms watch start at 0: Prometheus can't see the first step of a series that begins with it.
func (m *metrics) begin(topics []string) {
	for _, topic := range topics {
		m.retention.WithLabelValues(topic)
		for _, reason := range slices.Sorted(maps.Keys(m.labels.reject)) {
			m.dead.WithLabelValues(topic, reason)
		}
	}
	for _, ch := range []notify.Channel{notify.SMS, notify.Push} {
		m.back.WithLabelValues(string(ch), string(notify.ProviderDown))
		m.throttle.WithLabelValues(string(ch))
	}
	for _, s := range []notify.State{notify.Accepted, notify.Pending, notify.Unknown} {
		m.settled.WithLabelValues(string(s))
	}
	for _, table := range notify.LeavingTables {
		m.forgotten.WithLabelValues(string(table))
	}
}

// pathMetrics are about events on their way from Kafka to SQL.
func (m *metrics) pathMetrics() {
	m.events = m.counter("onmyway_events_total", "events", "Records read from Kafka, by what became of them.", "topic", "outcome")
	m.records = m.histogram("onmyway_batch_records", "records", "Records in one batch.", prometheus.ExponentialBuckets(1, 3, 8))
	m.rounds = m.histogram("onmyway_batch_seconds", "seconds", "From a batch at hand to everything in it decided, stored and shown.", seconds)
	m.stored = m.histogram("onmyway_event_stored_seconds", "seconds",
		"From the record's timestamp until its batch was in SQL. The oldest record of a batch counts for the batch.", seconds, "topic")
	m.dead = m.counter("onmyway_dead_letters_total", "records", "Records written to the dead-letter topic, by why they are no event.", "topic", "reason")
	m.behind = m.gauge("onmyway_consumer_lag_records", "records", "Records in Kafka that the group has not committed yet. Every process tells it of all partitions.", "topic", "partition")
	m.retention = m.counter("onmyway_events_lost_to_retention_total", "records", "Records that Kafka deleted before they were read.", "topic")
}

// sendingMetrics are about messages.
func (m *metrics) sendingMetrics() {
	m.messages = m.counter("onmyway_messages_total", "messages",
		"Messages that came into a state: made (pending), decided not to send (suppressed), and what became of attempts. One message counts once in every state that it comes into.",
		"channel", "milestone", "state", "reason")
	m.accepted = m.histogram("onmyway_message_accepted_seconds", "seconds",
		"From the record's timestamp until the provider accepted the message, or open sockets were shown it. What quiet hours held counts from their end, a resend from when it was asked for.",
		seconds, "channel")
	m.took = m.histogram("onmyway_attempt_seconds", "seconds", "How long a provider took for one attempt.", seconds, "channel", "verdict")
	m.attempts = m.counter("onmyway_attempts_total", "attempts", "Attempts to hand a message to a provider, by what they proved and the class of the HTTP answer.",
		"channel", "verdict", "reason", "http")
	m.segments = m.counter("onmyway_sms_segments_total", "segments", "Segments of texts that the provider accepted: what it charges.", "alphabet")
	m.settled = m.counter("onmyway_settlements_total", "texts", "Texts of which it was unclear whether they left, by what that came to.", "state")
	m.calledBy = m.counter("onmyway_callbacks_total", "callbacks", "Callbacks of the SMS provider, by what they were.", "kind")
	m.back = m.counter("onmyway_handed_back_total", "messages",
		"Messages that went back to SQL without an attempt, by what they wait for; without a reason where memory had no room.", "channel", "reason")
	m.throttle = m.counter("onmyway_throttled_seconds_total", "seconds",
		"Time in which the next message waited for the limit of its sender (sms.rate_per_second, push.rate_per_second). A second a second means that the limit is what holds messages up.", "channel")
	m.inbound = m.counter("onmyway_inbound_texts_total", "texts", "Texts that people sent to us, by what they ask for.", "keyword")
}

// watch adds what is read when Prometheus asks: sockets and queues.
func (m *metrics) watch(sockets func() int, maxSockets int, ds notify.Dispatchers, f *notify.Finisher) {
	m.reading("onmyway_websocket_sockets", "sockets", "Open live sockets.", func() float64 { return float64(sockets()) })
	m.reading("onmyway_websocket_sockets_limit", "sockets", "Live sockets that may be open at once (http.max_sockets, or fewer where the limit of open files leaves less room).", func() float64 { return float64(maxSockets) })
	m.reading("onmyway_outcomes_waiting", "outcomes", "Outcomes of attempts in memory that wait for SQL.", func() float64 { return float64(f.Waiting()) })
	for _, d := range ds {
		on := string(d.Channel)
		m.readingOf("onmyway_queued_messages", "messages", "Messages in memory that wait for their attempt or are in it.", on,
			func() float64 { return float64(d.Queued()) })
		m.readingOf("onmyway_queue_limit_messages", "messages", "Messages that fit into memory; more wait in SQL (sms.queue, push.queue).", on,
			func() float64 { return float64(d.Queue) })
		m.readingOf("onmyway_providers_paused", "providers",
			"Providers that are left alone for a while because they fail: the SMS provider, or push services (sms.breaker, push.breaker).", on,
			func() float64 { return float64(d.LeftAlone()) })
		m.readingOf("onmyway_retries_left", "retries", "Retries that may fail before further ones have to wait.", on,
			func() float64 { return d.Budget.Left(time.Now()) })
		m.readingOf("onmyway_queue_overflowed", "1 or 0", "Whether messages that are due wait in SQL because memory has no room for them.", on,
			func() float64 {
				if d.Behind() {
					return 1
				}
				return 0
			})
	}
}

// opsHandler serves metrics, profiles and a sign of life.
func (m *metrics) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { // also here: no crowd is in its way
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`+"\n") // an error means that the caller is gone
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
