package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/api"
)

func TestPublish(t *testing.T) {
	const one = `{"id":"e1","order_id":"CH-1","milestone":"picked_up"}`
	const two = `{"id":"e2","order_id":"CH-2","milestone":"delivered"}`
	const cloud = `{"specversion":"1.0","id":"e3","data":{"order_id":"CH-3","milestone":"delivered"}}`
	tests := []struct {
		name, contentType, body string
		want                    []string // key and value of what is published
	}{
		{"one event", "application/json", one, []string{"CH-1", one}},
		{"one event with charset", "application/json; charset=utf-8", " " + one + "\n", []string{"CH-1", one}},
		{"no content type", "", one, []string{"CH-1", one}},
		{"array", "application/json", "[" + one + ", " + two + "]", []string{"CH-1", one, "CH-2", two}},
		{"lines", "application/x-ndjson", one + "\r\n\n" + two, []string{"CH-1", one, "CH-2", two}},
		{"CloudEvent", "application/cloudevents+json", cloud, []string{"CH-3", cloud}},
		{"CloudEvents", "application/cloudevents-batch+json", "[" + cloud + "]", []string{"CH-3", cloud}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			w := f.do("POST /v1/events", tt.body, "Content-Type", tt.contentType)
			wantStatus(t, w, http.StatusAccepted)
			wantJSON(t, w, fmt.Sprintf(`{"accepted":%d,"rejected":[]}`, len(tt.want)/2))
			var got []string
			for _, r := range f.produced {
				got = append(got, string(r.Key), string(r.Value))
				if cloud := strings.Contains(tt.contentType, "cloudevents"); cloud != (len(r.Headers) == 1) {
					t.Errorf("headers %v", r.Headers)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if f.produceCalls != 1 || f.produced[0].Topic != "order-events" {
				t.Errorf("%d calls, topic %s", f.produceCalls, f.produced[0].Topic)
			}
		})
	}
}

func TestPublishTakesTheGoodOnes(t *testing.T) {
	f := newFixture(t)
	big := `{"order_id":"CH-9","milestone":"delivered","data":{"x":"` + strings.Repeat("x", most) + `"}}`
	w := f.do("POST /v1/events", `[{"order_id":"CH-1"},{"order_id":"CH-2","milestone":"delivered"},7,`+big+`]`)
	wantStatus(t, w, http.StatusAccepted)
	wantJSON(t, w, `{"accepted":1,"rejected":[
		{"index":0,"problem":{"type":"/problems/missing_field","title":"The event can't be understood","status":422,"code":"missing_field",
			"detail":"mend the event and send it again","errors":[{"field":"milestone","detail":"is missing"}]}},
		{"index":2,"problem":{"type":"/problems/not_json","title":"The event can't be understood","status":422,"code":"not_json",
			"detail":"mend the event and send it again","errors":[{"field":"","detail":"not a JSON object"}]}},
		{"index":3,"problem":{"type":"/problems/too_large","title":"The event can't be understood","status":422,"code":"too_large",
			"detail":"mend the event and send it again","errors":[{"field":"","detail":"is too large"}]}}]}`)
	if len(f.produced) != 1 || string(f.produced[0].Key) != "CH-2" {
		t.Errorf("published %v", f.produced)
	}
}

func TestPublishAllBad(t *testing.T) {
	f := newFixture(t)
	w := f.do("POST /v1/events", "{}\nnot json\n", "Content-Type", "application/x-ndjson")
	wantStatus(t, w, http.StatusUnprocessableEntity)
	if !strings.HasPrefix(w.Body.String(), `{"accepted":0,"rejected":[{"index":0,`) || f.produceCalls != 0 {
		t.Errorf("%s, %d calls", w.Body, f.produceCalls)
	}
}

func TestPublishRefusals(t *testing.T) {
	event := `{"order_id":"CH-1","milestone":"delivered"}`
	tests := []struct {
		name, contentType, body string
		status                  int
		code                    string
	}{
		{"empty", "application/json", "", 400, "bad_request"},
		{"blank", "application/json", "  ", 422, "no_events"},
		{"empty array", "application/json", "[]", 422, "no_events"},
		{"blank lines", "application/x-ndjson", "\n\n", 422, "no_events"},
		{"broken", "application/json", `{"order_id":`, 400, "not_json"},
		{"broken array", "application/json", "[" + event, 400, "not_json"},
		{"text", "text/plain", event, 415, "unsupported_media_type"},
		{"form", "application/x-www-form-urlencoded", "a=b", 415, "unsupported_media_type"},
		{"nonsense type", ";;", event, 415, "unsupported_media_type"},
		{"1,001 in an array", "application/json", "[" + strings.Repeat(event+",", 1000) + event + "]", 422, "too_many_events"},
		{"1,001 lines", "application/x-ndjson", strings.Repeat(event+"\n", 1001), 422, "too_many_events"},
		{"over 4 MB", "application/json", strings.Repeat(" ", 4<<20) + event, 413, "request_entity_too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			wantProblem(t, f.do("POST /v1/events", tt.body, "Content-Type", tt.contentType), tt.status, tt.code)
			if f.produceCalls != 0 {
				t.Error("published")
			}
		})
	}
}

func TestPublishLimitsAreReached(t *testing.T) {
	event := `{"order_id":"CH-1","milestone":"delivered"}`
	f := newFixture(t)
	wantStatus(t, f.do("POST /v1/events", strings.Repeat(event+"\n", 1000), "Content-Type", "application/x-ndjson"), 202)
	wantStatus(t, f.do("POST /v1/events", strings.Repeat(" ", 4<<20-len(event))+event), 202)
}

func TestPublishWithoutKafka(t *testing.T) {
	f := newFixture(t)
	f.Fail["Produce"] = errors.New("dial 10.0.0.7:9092: refused")
	w := f.do("POST /v1/events", `{"order_id":"CH-1","milestone":"delivered"}`)
	p := wantProblem(t, w, http.StatusServiceUnavailable, "kafka_unavailable")
	if w.Header().Get("Retry-After") != "5" || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("Retry-After %q, %+v", w.Header().Get("Retry-After"), p)
	}
	if strings.Count(f.log.String(), "10.0.0.7") != 1 {
		t.Errorf("log: %s", &f.log)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("application/json", []byte(`[{"a":1},{"b":2}]`))
	f.Add("application/x-ndjson", []byte("{}\n\n[]\r\n"))
	f.Add("application/cloudevents+json; charset=utf-8", []byte(" {} "))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		values, _, err := api.Split(contentType, body)
		if err == nil && (len(values) == 0 || len(values) > 1000) {
			t.Errorf("%d events", len(values))
		}
		total := 0
		for _, v := range values {
			total += len(v)
			if len(v) == 0 {
				t.Error("an empty event")
			}
		}
		if total > len(body) {
			t.Error("more bytes out than in")
		}
	})
}
