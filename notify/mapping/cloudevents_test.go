package mapping_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

// structured is a CloudEvent around an event without id and time of its own; more is put into the envelope.
func structured(more string) string {
	return `{"specversion":"1.0","type":"com.example.order","source":"/erp","id":"A-1","time":"2026-11-21T18:00:00Z",` + more +
		`"data":` + small("id", "", "occurred_at", "") + `}`
}

var structuredHeader = []notify.Header{{Key: "Content-Type", Value: []byte("application/CloudEvents+json; charset=UTF-8")}}

func binary(headers ...string) (hs []notify.Header) {
	for i := 0; i < len(headers); i += 2 {
		hs = append(hs, notify.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return hs
}

func TestCloudEvents(t *testing.T) {
	enveloped := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		headers []notify.Header
		value   string
		key     string
		at      time.Time
	}{
		{"structured, by its header", structuredHeader, structured(""), "/erp\x1fA-1", enveloped},
		{"structured, by its body", nil, structured(`"subject":"x","ext":{"a":1},`), "/erp\x1fA-1", enveloped},
		{"the event's own id and time win", structuredHeader,
			strings.Replace(structured(""), `"data":{`, `"data":{"id":"own","occurred_at":"2026-11-21T19:00:00Z",`, 1), "own", enveloped.Add(time.Hour)},
		{"binary", binary("ce_specversion", "1.0", "ce_id", "A-1", "ce_source", "/erp", "ce_time", "2026-11-21T18:00:00Z", "content-type", "application/json"),
			small("id", "", "occurred_at", ""), "/erp\x1fA-1", enveloped},
		{"binary with an id of its own", binary("CE_ID", "A-1", "ce_source", "/erp"), small(), "e", enveloped.Add(time.Hour)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := decode(t, &notify.Record{Headers: tt.headers, Value: []byte(tt.value)})
			if e.Key != tt.key || !e.OccurredAt.Equal(tt.at) || e.OrderID != "o" {
				t.Errorf("got key %q at %v of order %q", e.Key, e.OccurredAt, e.OrderID)
			}
		})
	}
}

func TestCloudEventsRejected(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(structured(""), old, new, 1) }
	for _, tt := range []struct {
		name    string
		headers []notify.Header
		value   string
		reason  string
		field   string
	}{
		{"no data", nil, `{"specversion":"1.0","source":"/erp","id":"A-1"}`, mapping.MissingField, "data"},
		{"data as base64", nil, `{"specversion":"1.0","source":"/erp","id":"A-1","data_base64":"e30="}`, mapping.WrongType, "data_base64"},
		{"data as text", nil, `{"specversion":"1.0","source":"/erp","id":"A-1","data":"{}"}`, mapping.WrongType, "data"},
		{"an old version", nil, change(`"1.0"`, `"0.3"`), mapping.WrongType, "specversion"},
		{"no version", structuredHeader, change(`"specversion":"1.0",`, ``), mapping.MissingField, "specversion"},
		{"no source", nil, change(`"source":"/erp",`, ``), mapping.MissingField, "source"},
		{"no id", nil, change(`"id":"A-1",`, ``), mapping.MissingField, "id"},
		{"a source too long", nil, change(`"/erp"`, `"`+strings.Repeat("x", 257)+`"`), mapping.BadText, "source"},
		{"a source that hides a separator", nil, change(`"/erp"`, `"a\u001fb"`), mapping.BadText, "source"},
		{"a wrong field inside", nil, change(`"car_haul"`, `"boat"`), mapping.UnknownLine, "data.line"},
		{"a field in another case inside", nil, change(`"order_id"`, `"ORDER_ID"`), mapping.UnknownField, "data.ORDER_ID"},
		{"binary without source", binary("ce_id", "A-1"), small(), mapping.MissingField, "ce_source"},
		{"binary without id", binary("ce_source", "/erp"), small(), mapping.MissingField, "ce_id"},
		{"binary with bytes that are no text", binary("ce_id", "\xff", "ce_source", "/erp"), small(), mapping.InvalidUTF8, "ce_id"},
		{"binary with a bad time", binary("ce_id", "A-1", "ce_source", "/erp", "ce_time", "now"), small("occurred_at", ""), mapping.BadTime, "occurred_at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var e notify.Event
			err := mapping.Decode(&notify.Record{Headers: tt.headers, Value: []byte(tt.value)}, now, &e)
			var invalid *notify.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want %s", err, tt.reason)
			}
			if diff := cmp.Diff([]string{tt.reason, tt.field}, []string{invalid.Reason, invalid.Problems[0].Field}); diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
		})
	}
}
