package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"onmyway/channels/twilio"
	"onmyway/notify"
)

var (
	gone     = notify.MilestoneOf(notify.CarHaul, "driver_en_route_to_pickup")
	recorded = time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
)

// used are metrics that every hook and reading has given a sample.
func used() *metrics {
	m := newMetrics([]string{"orders"})
	f := &notify.Finisher{}
	f.Prepare()
	d := &notify.Dispatcher{Channel: notify.SMS, Queue: 10}
	m.watch(func() int { return 3 }, 100, notify.Dispatchers{notify.SMS: d}, f)
	h := m.hooks()
	h.Batch(notify.BatchStats{Topic: "orders", Records: 3, Stored: 1, Repeated: 1, Rejected: 1, Lag: time.Second, Took: time.Second})
	b := batchOf(notify.Stored{State: notify.Sent, New: true, NotSent: []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}}})
	h.Stored(b)
	h.Published([]time.Time{time.Now()})
	h.Attempted(&notify.Message{Channel: notify.SMS, Body: "Hello"}, notify.Answer{Verdict: notify.Took, Status: 201}, time.Second, 0)
	h.Finished([]notify.Outcome{{Channel: notify.SMS, Milestone: gone.Name, State: notify.Accepted}})
	h.Settled([]notify.Settlement{{State: notify.Accepted}})
	h.Inbound(notify.KeywordStop, true)
	h.HandedBack(notify.SMS, notify.ProviderDown, 2)
	h.Throttled(notify.SMS, time.Second)
	h.Forgotten("messages", 3)
	m.callback(twilio.CallbackStatus)
	h.Retrying("SQL", nil)
	m.retention.WithLabelValues("orders").Inc()
	_ = graves{nobody{}, m}.Bury(context.Background(), []notify.Reject{{Record: notify.Record{Topic: "orders"}, Reason: "not_json"}})
	m.probe(context.Background(), "SQL", func(context.Context) error { return nil })
	m.measureLag(context.Background(), func(context.Context) (map[string]map[int]int64, error) {
		return map[string]map[int]int64{"orders": {0: 7}}, nil
	})
	get(m.watchCalls(router(), nil), "/v1/messages/m-1")
	return m
}

// batchOf is a stored batch of one event of Dana's order.
func batchOf(s notify.Stored, ms ...notify.Message) *notify.Batch {
	s.Event = &notify.Event{ID: notify.ID{7}, Milestone: gone, Line: notify.CarHaul, Origin: notify.Origin{Topic: "orders", Time: recorded}}
	for i := range ms {
		ms[i].EventID, ms[i].Milestone = s.ID, gone.Name
	}
	return &notify.Batch{Events: []notify.Stored{s}, Messages: ms}
}

// nobody buries and keeps nothing.
type nobody struct{ err error }

func (n nobody) Bury(context.Context, []notify.Reject) error { return n.err }

// router answers as the public listener does: routes below a mount.
func router() http.Handler {
	inner := chi.NewRouter()
	inner.Get("/v1/messages/{id}", func(http.ResponseWriter, *http.Request) {})
	inner.Post("/v1/events", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	root := chi.NewRouter()
	root.Mount("/", inner)
	return root
}

func get(h http.Handler, path string, header ...string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	h.ServeHTTP(httptest.NewRecorder(), r)
}

// samples are the counters, gauges and numbers of observations of metrics of ours, by their name with labels.
func samples(t *testing.T, m *metrics) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, f := range families(t, m) {
		for _, s := range f.GetMetric() {
			var labels []string
			for _, l := range s.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			all[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = s.GetCounter().GetValue() + s.GetGauge().GetValue() + float64(s.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func families(t *testing.T, m *metrics) (ours []*dto.MetricFamily) {
	t.Helper()
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if strings.HasPrefix(f.GetName(), "onmyway_") {
			ours = append(ours, f)
		}
	}
	return ours
}

// TestMetricsAreWellNamed: names, units and help are as Prometheus wants them.
func TestMetricsAreWellNamed(t *testing.T) {
	problems, err := promlint.NewWithMetricFamilies(families(t, used())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestLabelsAreBounded: nobody outside makes time series.
func TestLabelsAreBounded(t *testing.T) {
	m := newMetrics([]string{"orders"})
	h, calls := m.hooks(), m.watchCalls(router(), nil)
	for i := range 2000 {
		evil := fmt.Sprintf("evil-%d", i)
		h.Batch(notify.BatchStats{Topic: evil, Records: 1, Stored: 1})
		b := batchOf(notify.Stored{State: notify.State(evil), Reason: notify.Reason(evil), New: true,
			NotSent: []notify.NotSent{{Channel: notify.Channel(evil), Reason: notify.Reason(evil)}}})
		b.Events[0].Milestone = &notify.Milestone{Name: evil}
		h.Stored(b)
		h.Attempted(&notify.Message{Channel: notify.Channel(evil)}, notify.Answer{Verdict: notify.Verdict(evil), Reason: notify.Reason(evil), Status: i * 1000}, 0, 0)
		h.Finished([]notify.Outcome{{Channel: notify.Channel(evil), Milestone: evil, State: notify.State(evil), Reason: notify.Reason(evil)}})
		h.Settled([]notify.Settlement{{State: notify.State(evil)}})
		h.Inbound(notify.Keyword(evil), true)
		h.HandedBack(notify.Channel(evil), notify.Reason(evil), 1)
		h.Throttled(notify.Channel(evil), 1)
		_ = graves{nobody{}, m}.Bury(t.Context(), []notify.Reject{{Record: notify.Record{Topic: evil}, Reason: evil}})
		r := httptest.NewRequest(http.MethodGet, "/"+evil, nil)
		r.Method = evil
		calls.ServeHTTP(httptest.NewRecorder(), r)
		get(calls, "/v1/messages/"+evil)
	}
	if n := len(samples(t, m)); n > 60 {
		t.Errorf("%d time series:\n%v", n, samples(t, m))
	}
}

// TestWhatIsCounted: each thing that happens, once and under its name.
func TestWhatIsCounted(t *testing.T) {
	tests := []struct {
		name string
		do   func(m *metrics, h *notify.Hooks)
		want map[string]float64
	}{
		{"a new event", func(_ *metrics, h *notify.Hooks) {
			h.Stored(batchOf(notify.Stored{State: notify.Sent, New: true, NotSent: []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}}},
				notify.Message{Channel: notify.SMS, State: notify.Pending, Reason: notify.Quiet}))
		}, map[string]float64{
			"onmyway_messages_total{channel=websocket,milestone=driver_en_route_to_pickup,reason=,state=sent}":            1,
			"onmyway_messages_total{channel=push,milestone=driver_en_route_to_pickup,reason=no_address,state=suppressed}": 1,
			"onmyway_messages_total{channel=sms,milestone=driver_en_route_to_pickup,reason=quiet_hours,state=pending}":    1,
		}},
		{"two texts that wait for the provider", func(_ *metrics, h *notify.Hooks) {
			h.HandedBack(notify.SMS, notify.ProviderDown, 2)
		}, map[string]float64{"onmyway_handed_back_total{channel=sms,reason=provider_down}": 2}},
		{"a text that waits for the limit", func(_ *metrics, h *notify.Hooks) {
			h.Throttled(notify.SMS, 1500*time.Millisecond)
		}, map[string]float64{"onmyway_throttled_seconds_total{channel=sms}": 1.5}},
		{"old rows", func(_ *metrics, h *notify.Hooks) {
			h.Forgotten("messages", 500)
			h.Forgotten("messages", 7)
			h.Forgotten("order_heads", 1)
		}, map[string]float64{"onmyway_forgotten_rows_total{table=messages}": 507, "onmyway_forgotten_rows_total{table=order_heads}": 1}},
		{"an event that was stored before", func(_ *metrics, h *notify.Hooks) {
			b := batchOf(notify.Stored{State: notify.Sent}, notify.Message{Channel: notify.SMS, State: notify.Pending})
			h.Stored(b)
			h.Published(nil)
		}, map[string]float64{"onmyway_message_accepted_seconds{channel=websocket}": 0}},
		{"a text of two segments in Spanish", func(_ *metrics, h *notify.Hooks) {
			h.Attempted(&notify.Message{Channel: notify.SMS, Body: strings.Repeat("ó", 71)}, notify.Answer{Verdict: notify.Took, Status: 201}, time.Second, 0)
		}, map[string]float64{
			"onmyway_attempt_seconds{channel=sms,verdict=took}":                 1,
			"onmyway_attempts_total{channel=sms,http=2xx,reason=,verdict=took}": 1,
			"onmyway_message_accepted_seconds{channel=sms}":                     1,
			"onmyway_sms_segments_total{alphabet=ucs2}":                         2,
		}},
		{"a refused text costs nothing", func(_ *metrics, h *notify.Hooks) {
			h.Attempted(&notify.Message{Channel: notify.SMS, Body: "x"}, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, Status: 429}, time.Second, 0)
		}, map[string]float64{
			"onmyway_attempt_seconds{channel=sms,verdict=not_taken}":                             1,
			"onmyway_attempts_total{channel=sms,http=4xx,reason=rate_limited,verdict=not_taken}": 1,
		}},
		{"a dead letter that was not written", func(m *metrics, _ *notify.Hooks) {
			_ = graves{nobody{errors.New("no")}, m}.Bury(context.Background(), make([]notify.Reject, 3))
		}, map[string]float64{}},
		{"an engine that is down", func(m *metrics, _ *notify.Hooks) {
			m.probe(context.Background(), "Redis", func(context.Context) error { return errors.New("no") })
		}, map[string]float64{"onmyway_engine_up{engine=Redis}": 0}},
		{"a stop while an engine is asked", func(m *metrics, _ *notify.Hooks) {
			stopped, stop := context.WithCancel(context.Background())
			stop()
			m.probe(stopped, "Redis", func(ctx context.Context) error { return ctx.Err() })
		}, map[string]float64{}},
		{"calls", func(m *metrics, _ *notify.Hooks) {
			h := m.watchCalls(router(), nil)
			get(h, "/v1/messages/m-1")
			get(h, "/v1/messages/m-2")
			get(h, "/wp-login.php")
			get(h, "/v1/events") // that is no method of it
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/v1/events", nil))
		}, map[string]float64{
			"onmyway_http_requests_total{class=2xx,method=GET,route=/v1/messages/{id}}": 2,
			"onmyway_http_requests_total{class=4xx,method=GET,route=unmatched}":         2,
			"onmyway_http_requests_total{class=5xx,method=POST,route=/v1/events}":       1,
			"onmyway_http_request_seconds{route=/v1/messages/{id}}":                     2,
			"onmyway_http_request_seconds{route=unmatched}":                             2,
			"onmyway_http_request_seconds{route=/v1/events}":                            1,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMetrics([]string{"orders"})
			before := samples(t, m)
			tt.do(m, m.hooks())
			got := samples(t, m)
			for name, n := range before {
				if got[name] == n {
					delete(got, name)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPromised: the wait that counts is the customer's.
func TestPromised(t *testing.T) {
	made, later := recorded.Add(time.Second), recorded.Add(8*time.Hour)
	tests := []struct {
		name string
		m    notify.Message
		want time.Time
	}{
		{"at once", notify.Message{RecordedAt: recorded, CreatedAt: made, DueAt: made, Attempt: 1}, recorded},
		{"held by quiet hours", notify.Message{RecordedAt: recorded, CreatedAt: made, DueAt: later, Attempt: 1}, later},
		{"a second attempt", notify.Message{RecordedAt: recorded, CreatedAt: made, DueAt: later, Attempt: 2}, recorded},
		{"a resend", notify.Message{CreatedAt: made, DueAt: made, Attempt: 1}, made},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := promised(&tt.m); !got.Equal(tt.want) {
				t.Errorf("promised at %s, want %s", got, tt.want)
			}
		})
	}
}

// BenchmarkDecided is what counting costs an event on its way: keep it far below the 30 µs that all of it takes.
func BenchmarkDecided(b *testing.B) {
	m := newMetrics([]string{"orders"})
	batch := &notify.Batch{}
	for i := range 1000 {
		one := batchOf(notify.Stored{State: notify.Sent, New: true}, notify.Message{Channel: notify.SMS, State: notify.Pending})
		one.Events[0].ID[1], one.Events[0].ID[2] = byte(i), byte(i>>8)
		one.Messages[0].EventID = one.Events[0].ID
		batch.Events, batch.Messages = append(batch.Events, one.Events...), append(batch.Messages, one.Messages...)
	}
	recorded := make([]time.Time, 0, len(batch.Events))
	for i := range batch.Events {
		recorded = append(recorded, batch.Events[i].Origin.Time)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.decided(batch)
		m.published(recorded, time.Now())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch.Events)), "ns/event")
}
