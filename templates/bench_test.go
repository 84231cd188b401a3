package templates_test

import (
	"testing"

	"onmyway/templates"
)

func TestAllocations(t *testing.T) {
	set := builtIn(t)
	v := someone(t, "car_haul")
	for _, locale := range locales {
		for _, name := range []string{"driver_en_route_to_pickup", "delivered", "driver_assigned", "carrier_transfer", "inspection_pickup_done"} {
			tp := set.Lookup("car_haul", name, locale)
			if n := testing.AllocsPerRun(100, func() { _, _ = tp.SMS(v) }); n > 3 {
				t.Errorf("%s: an SMS takes %v allocations, want at most 3", tp.File, n)
			}
		}
	}
}

func BenchmarkSMS(b *testing.B) {
	tp := builtIn(b).Lookup("car_haul", "driver_en_route_to_pickup", "en")
	v := someone(b, "car_haul")
	v.Facts, _ = templates.ParseFacts([]byte(`{"driver_name":"Sam Rivera","vehicle":"2021 Honda Civic",
		"eta":{"start":"2026-11-21T19:30:00Z","end":"2026-11-21T20:15:00Z"},"tracking_url":"https://onmyway.example/t/8fQ2"}`))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tp.SMS(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseFacts(b *testing.B) {
	data := []byte(`{"driver_name":"Sam Rivera","vehicle":"2021 Honda Civic",
		"eta":{"start":"2026-11-21T19:30:00Z","end":"2026-11-21T20:15:00Z"},"tracking_url":"https://onmyway.example/t/8fQ2"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := templates.ParseFacts(data); err != nil {
			b.Fatal(err)
		}
	}
}
