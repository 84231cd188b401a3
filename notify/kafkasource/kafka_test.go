package kafkasource_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/kafkasource"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		at := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
		want := notify.Record{
			Key: []byte("CH-1"), Value: []byte(`{"id":"e"}`), Time: at,
			Headers: []notify.Header{{Key: "content-type", Value: []byte("application/json")}, {Key: "empty"}},
		}
		produce(t, k, cfg.Topics[0], []notify.Record{want})
		r := read(t, k)
		r.until(t, "one record", func() bool { return len(r.rs) == 1 })
		got := r.rs[0]
		want.Topic, want.Partition = cfg.Topics[0], got.Partition
		got.Time = got.Time.UTC()
		if d := cmp.Diff(want, got, cmp.Transformer("bytes", func(b []byte) string { return string(b) })); d != "" {
			t.Error(d)
		}
	})
}

func TestKeysKeepTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		var rs []notify.Record
		for i := range 3000 {
			rs = append(rs, notify.Record{Key: []byte{'k', byte('0' + i%7)}, Value: []byte{byte(i >> 8), byte(i)}})
		}
		produce(t, k, cfg.Topics[0], rs)
		r := read(t, k)
		r.until(t, "all records", func() bool { return len(r.rs) == len(rs) })
		last := map[string][]byte{}
		for _, rec := range r.rs {
			if bytes.Compare(rec.Value, last[string(rec.Key)]) < 0 {
				t.Fatalf("key %s: %v after %v", rec.Key, rec.Value, last[string(rec.Key)])
			}
			last[string(rec.Key)] = rec.Value
		}
		r.stop(t)
		lag, err := k.Lag(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]map[int]int64{cfg.Topics[0]: {0: 0, 1: 0, 2: 0}}, lag); d != "" {
			t.Errorf("lag: %s", d)
		}
	})
}

func TestLagOfAGroupThatNeverRead(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		cfg.Partitions = 1
		k := open(t, cfg)
		produce(t, k, cfg.Topics[0], orders(0, 42))
		lag, err := k.Lag(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := lag[cfg.Topics[0]][0]; got != 42 {
			t.Errorf("lag %d, want 42", got)
		}
	})
}

func TestARestartContinues(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		produce(t, k, cfg.Topics[0], orders(0, 100))
		first := read(t, k)
		first.until(t, "the first hundred", func() bool { return len(first.seen) == 100 })
		first.stop(t)
		produce(t, k, cfg.Topics[0], orders(100, 50))
		second := read(t, open(t, cfg))
		second.until(t, "the next fifty", func() bool { return len(second.seen) >= 50 })
		second.stop(t)
		if len(second.rs) != 50 || second.seen["order-100"] != 1 {
			t.Errorf("read %d records after the restart, want the 50 new ones", len(second.rs))
		}
	})
}

func TestAStopLeavesTheGroupAtOnce(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		a := read(t, open(t, cfg))
		a.until(t, "partitions", func() bool { return len(a.parts) == 3 })
		began := time.Now()
		a.stop(t)
		b := read(t, open(t, cfg))
		b.until(t, "partitions", func() bool { return len(b.parts) == 3 })
		if took := time.Since(began); took > 5*time.Second { // a member that only dies keeps its partitions for 6 s
			t.Errorf("the next process got the partitions after %s", took)
		}
	})
}

func TestReadingMayStartElsewhere(t *testing.T) {
	tests := map[string]struct {
		start int64
		want  int
	}{
		"behind the committed offset": {start: 30, want: 70},
		"beyond the end":              {start: 5000, want: 100},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, cfg kafkasource.Config) {
				cfg.Partitions = 1
				k := open(t, cfg)
				produce(t, k, cfg.Topics[0], orders(0, 100))
				got := collect(t, k, func(p notify.Partition) { p.StartAt(test.start) }, test.want)
				if first := got[0].Offset; first != 100-int64(test.want) {
					t.Errorf("first offset %d", first)
				}
			})
		})
	}
}

func TestNameTellsARealOffset(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		r := read(t, open(t, cfg))
		r.until(t, "partitions", func() bool { return len(r.starts) == 3 })
		if d := cmp.Diff(map[int]int64{0: 0, 1: 0, 2: 0}, r.starts); d != "" {
			t.Error(d)
		}
	})
}

// collect reads n records of a topic with one partition, after prepare, and commits nothing.
func collect(t *testing.T, k *kafkasource.Kafka, prepare func(notify.Partition), n int) []notify.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []notify.Record
	err := k.Run(ctx, func(ctx context.Context, p notify.Partition) error {
		if len(got) == 0 {
			prepare(p)
		}
		dst := make([]notify.Record, 64)
		for len(got) < n {
			read, err := p.Fetch(ctx, dst)
			if err != nil {
				return err
			}
			got = append(got, dst[:read]...)
		}
		cancel()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != n {
		t.Fatalf("read %d records, want %d", len(got), n)
	}
	return got
}

func TestAWorkerThatFailsStartsAgain(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		cfg.Partitions = 1
		k := open(t, cfg)
		produce(t, k, cfg.Topics[0], orders(0, 10))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var starts []int64
		err := k.Run(ctx, func(ctx context.Context, p notify.Partition) error {
			_, _, start := p.Name()
			starts = append(starts, start)
			if len(starts) == 3 {
				cancel()
				return nil
			}
			dst := make([]notify.Record, 4)
			if _, err := p.Fetch(ctx, dst); err != nil {
				return err
			}
			if err := p.Commit(ctx, start+4); err != nil {
				return err
			}
			return errors.New("out of luck")
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]int64{0, 4, 8}, starts); d != "" {
			t.Error(d)
		}
	})
}

func TestDeadLetters(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		long := bytes.Repeat([]byte("x"), 1<<20)
		rejects := []notify.Reject{
			{
				Record: notify.Record{Topic: "orders", Partition: 4, Offset: 77, Key: []byte("CH-1"), Value: []byte("{"),
					Headers: []notify.Header{{Key: "ce_id", Value: []byte("1")}}},
				Reason: "not_json", Problems: []notify.Problem{{Detail: "it ends in the middle"}},
			},
			{Record: notify.Record{Topic: "orders", Offset: 78, Value: long}, Reason: "not_json"},
		}
		if err := k.Bury(t.Context(), rejects); err != nil {
			t.Fatal(err)
		}
		dead := cfg
		dead.Topics, dead.DeadTopic = []string{cfg.DeadTopic}, cfg.DeadTopic+".dead"
		got := collect(t, open(t, dead), func(notify.Partition) {}, 2)
		var headers []string
		for _, h := range got[0].Headers {
			headers = append(headers, h.Key+"="+string(h.Value))
		}
		want := "ce_id=1 x-original-topic=orders x-original-partition=4 x-original-offset=77 x-reason=not_json " +
			`x-problems=[{"field":"","detail":"it ends in the middle"}]`
		if d := cmp.Diff(want, strings.Join(headers, " ")); d != "" {
			t.Error(d)
		}
		if len(got[1].Value) >= len(long) || len(got[1].Value) == 0 {
			t.Errorf("a value of %d bytes was buried as %d", len(long), len(got[1].Value))
		}
	})
}

func TestProduceSaysWhatFailed(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		err := k.Produce(t.Context(), cfg.Topics[0], []notify.Record{{Key: []byte("secret"), Value: make([]byte, 2<<20)}})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
		if err := k.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
	})
}
