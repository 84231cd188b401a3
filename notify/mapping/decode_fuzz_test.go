package mapping_test

import (
	"errors"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

func FuzzDecode(f *testing.F) {
	f.Add([]byte(canonical), "", "")
	f.Add([]byte(small("id", "", "sequence", "3")), "ce_id", "x")
	f.Add([]byte(structured("")), "content-type", "application/cloudevents+json")
	f.Add([]byte(small("data", `{"a\ud83d\ude97":[1,{"b":"\n"}]}`)), "ce_source", "\xff")
	f.Add([]byte(`{"a":"\ud800","A":[[[{"x":-1.5e3}]]]}`), "", "")
	f.Fuzz(func(t *testing.T, value []byte, header, headerValue string) {
		r := &notify.Record{Time: now, Value: slices.Clone(value), Headers: []notify.Header{{Key: header, Value: []byte(headerValue)}}}
		var e notify.Event
		err := mapping.Decode(r, now, &e)
		if !slices.Equal(r.Value, value) {
			t.Fatal("the record was changed")
		}
		var invalid *notify.Invalid
		if errors.As(err, &invalid) {
			checkInvalid(t, invalid)
			return
		}
		if err != nil {
			t.Fatalf("an error of another kind: %v", err)
		}
		checkEvent(t, &e, len(value)+len(headerValue))
	})
}

func checkInvalid(t *testing.T, invalid *notify.Invalid) {
	t.Helper()
	if invalid.Reason == "" || len(invalid.Problems) == 0 || len(invalid.Problems) > 20 {
		t.Fatalf("reason %q with %d problems", invalid.Reason, len(invalid.Problems))
	}
	if s := invalid.Error(); !utf8.ValidString(s) || len(s) > 20*2000 {
		t.Fatalf("an error of %d bytes, text %v", len(s), utf8.ValidString(s))
	}
}

func checkEvent(t *testing.T, e *notify.Event, size int) {
	t.Helper()
	if e.ID.IsZero() || e.Milestone == nil || e.Line == "" || e.OrderID == "" || e.CustomerID == "" || e.Key == "" || e.OccurredAt.IsZero() {
		t.Fatalf("accepted with something missing: %+v", e)
	}
	for _, s := range []string{e.OrderID, e.CustomerID} {
		if utf8.RuneCountInString(s) > 128 || !utf8.ValidString(s) {
			t.Fatalf("accepted the id %q", s)
		}
	}
	if !utf8.ValidString(e.Key) || !utf8.Valid(e.Data) || len(e.Key) > 4*(256+128)+1 || len(e.Data) > size {
		t.Fatalf("key of %d and data of %d bytes", len(e.Key), len(e.Data))
	}
	if c := e.Customer; c != nil && (!utf8.ValidString(c.Name) || len(c.Phone) > 20 || len(c.Locale) > 300 || len(c.TimeZone) > 300) {
		t.Fatalf("contact %+v", c)
	}
	if e.OccurredAt.After(now.Add(5*time.Minute)) || e.Sequence < 0 || e.Sequence >= 1<<53 {
		t.Fatalf("occurred at %v, sequence %d", e.OccurredAt, e.Sequence)
	}
}
