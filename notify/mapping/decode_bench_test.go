package mapping_test

import (
	"testing"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

func BenchmarkDecode(b *testing.B) {
	for _, tt := range []struct{ name, value string }{{"canonical", canonical}, {"small", small()}} {
		b.Run(tt.name, func(b *testing.B) {
			r := &notify.Record{Value: []byte(tt.value)}
			var e notify.Event
			b.ReportAllocs()
			b.SetBytes(int64(len(tt.value)))
			for b.Loop() {
				if err := mapping.Decode(r, now, &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
