package kafkasource_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

// BenchmarkFetch reads a topic of 400-byte events that never ends.
func BenchmarkFetch(b *testing.B) {
	value := bytes.Repeat([]byte("x"), 400)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders", "orders.dead"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	k, err := kafkasource.Open(b.Context(), kafkasource.Config{
		Brokers: c.ListenAddrs(), Topics: []string{"orders"}, Group: "bench", DeadTopic: "orders.dead",
	}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	rs := make([]notify.Record, 10_000)
	for i := range rs {
		rs[i] = notify.Record{Key: []byte("order-1"), Value: value}
	}
	for range 10 {
		if err := k.Produce(b.Context(), "orders", rs); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	b.ReportAllocs()
	b.SetBytes(int64(len(value)))
	n := 0
	err = k.Run(ctx, func(ctx context.Context, p notify.Partition) error {
		dst := make([]notify.Record, 2000)
		if n == 0 {
			b.ResetTimer()
		}
		p.StartAt(0)
		for read := 0; n < b.N; {
			if read >= 100_000 {
				return nil // from the start again
			}
			got, err := p.Fetch(ctx, dst)
			if err != nil {
				return err
			}
			n, read = n+got, read+got
		}
		b.StopTimer()
		cancel()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := k.Close(); err != nil {
		b.Fatal(err)
	}
}
