package main

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"onmyway/notify"
)

// metrics are what Prometheus sees of the path. It is the only place of the service that knows Prometheus; the core
// tells it through notify.Hooks. No label holds an id, a number or anything else without a bound.
type metrics struct {
	registry *prometheus.Registry

	events    *prometheus.CounterVec   // topic, outcome
	batch     prometheus.Histogram     // records
	lag       *prometheus.HistogramVec // topic
	messages  *prometheus.CounterVec   // channel, state, reason
	attempts  *prometheus.HistogramVec // channel, verdict
	delivery  *prometheus.HistogramVec // channel
	queued    *prometheus.GaugeVec     // channel
	retrying  *prometheus.CounterVec   // engine
	retention *prometheus.CounterVec   // topic
	behind    *prometheus.GaugeVec     // topic, partition
}

// lagEvery is how often Kafka is asked how far the group is behind.
const lagEvery = 15 * time.Second

// seconds are the buckets of durations: from a quarter of a millisecond to a minute and a half.
var seconds = prometheus.ExponentialBuckets(0.00025, 2.5, 15)

func newMetrics(sockets func() int) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onmyway_events_total",
			Help: "Records read from Kafka, by what became of them: stored, repeated, rejected."}, []string{"topic", "outcome"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "onmyway_batch_records",
			Help: "Records in one round.", Buckets: prometheus.ExponentialBuckets(1, 3, 8)}),
		lag: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "onmyway_event_stored_seconds",
			Help: "From the record's timestamp until it was in SQL.", Buckets: seconds}, []string{"topic"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onmyway_messages_total",
			Help: "What became of messages, by channel, state and reason."}, []string{"channel", "state", "reason"}),
		attempts: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "onmyway_attempt_seconds",
			Help: "How long a provider took for one attempt, by its verdict.", Buckets: seconds}, []string{"channel", "verdict"}),
		delivery: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "onmyway_message_accepted_seconds",
			Help: "From the decision until the provider accepted the message.", Buckets: seconds}, []string{"channel"}),
		queued: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "onmyway_queued_messages",
			Help: "Messages in memory that wait for their attempt."}, []string{"channel"}),
		retrying: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onmyway_engine_failures_total",
			Help: "Failed calls to Kafka, Redis or SQL that are tried again."}, []string{"engine"}),
		retention: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "onmyway_events_lost_to_retention_total",
			Help: "Records that Kafka deleted before they were read."}, []string{"topic"}),
	}
	m.behind = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "onmyway_consumer_lag_records",
		Help: "Records in Kafka that are not committed yet."}, []string{"topic", "partition"})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "onmyway_websocket_sockets",
		Help: "Open live sockets."}, func() float64 { return float64(sockets()) })
	m.registry.MustRegister(m.events, m.batch, m.lag, m.messages, m.attempts, m.delivery, m.queued, m.retrying,
		m.retention, m.behind, open, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// hooks connect the core.
func (m *metrics) hooks() *notify.Hooks {
	return &notify.Hooks{
		Batch: func(b notify.BatchStats) {
			m.events.WithLabelValues(b.Topic, "stored").Add(float64(b.Stored))
			m.events.WithLabelValues(b.Topic, "repeated").Add(float64(b.Repeated))
			m.events.WithLabelValues(b.Topic, "rejected").Add(float64(b.Rejected))
			m.batch.Observe(float64(b.Records))
			m.lag.WithLabelValues(b.Topic).Observe(b.Lag.Seconds())
		},
		Attempted: func(msg *notify.Message, a notify.Answer, took, since time.Duration) {
			m.attempts.WithLabelValues(string(msg.Channel), string(a.Verdict)).Observe(took.Seconds())
			if a.Verdict == notify.Took {
				m.delivery.WithLabelValues(string(msg.Channel)).Observe(since.Seconds())
			}
		},
		Finished: func(done []notify.Outcome) {
			for _, o := range done {
				m.messages.WithLabelValues(string(o.Channel), string(o.State), string(o.Reason)).Inc()
			}
		},
		Queued:   func(ch notify.Channel, n int) { m.queued.WithLabelValues(string(ch)).Set(float64(n)) },
		Retrying: func(engine string, _ error) { m.retrying.WithLabelValues(engine).Inc() },
	}
}

// watchLag keeps the lag up to date until ctx ends. While Kafka does not answer, it stays as it was.
func (m *metrics) watchLag(ctx context.Context, lag func(context.Context) (map[string]map[int]int64, error)) error {
	tick := time.NewTicker(lagEvery)
	defer tick.Stop()
	for {
		if byTopic, err := lag(ctx); err == nil { // an outage is told by those who need Kafka
			for topic, partitions := range byTopic {
				for p, n := range partitions {
					m.behind.WithLabelValues(topic, strconv.Itoa(p)).Set(float64(n))
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// opsHandler serves metrics and profiles.
func (m *metrics) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
