package kafkasource_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"onmyway/notify/kafkasource"
)

func inspect(t *testing.T, cfg kafkasource.Config) kafkasource.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := kafkasource.Inspect(ctx, cfg, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestInspect: a cluster before its topics are made, then with records that nobody reads for days.
func TestInspect(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		before := inspect(t, cfg)
		if before.Brokers != 1 || before.Release == "unknown" || len(before.Topics) != 2 || !before.Topics[0].Missing || !before.Topics[1].Missing {
			t.Errorf("before topics are made: %+v", before)
		}
		open(t, cfg)
		made := inspect(t, cfg).Topics
		if got := made[0]; got.Missing || got.Partitions != 3 || got.Replicas != 1 || got.InSync != 1 || got.Leaderless != 0 || got.Unread != 0 || got.Lost {
			t.Errorf("a new topic: %+v", got)
		}
		if made[0].Settings["cleanup.policy"] != "delete" || made[0].Retention() <= 0 {
			t.Errorf("its settings: %v", made[0].Settings)
		}
		if made[1].Name != cfg.DeadTopic || made[1].Partitions != 1 {
			t.Errorf("the dead-letter topic: %+v", made[1])
		}
		old := made[0].Retention() * 3 / 4
		client := &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Timeout: 10 * time.Second, Transport: &kafka.Transport{}}
		defer client.Transport.(*kafka.Transport).CloseIdleConnections()
		produce := func() (*kafka.ProduceResponse, error) {
			var records []kafka.Record
			for range 3 {
				records = append(records, kafka.Record{Time: time.Now().Add(-old), Value: kafka.NewBytes([]byte("{}"))})
			}
			return client.Produce(t.Context(), &kafka.ProduceRequest{Topic: cfg.Topics[0], Partition: 1, RequiredAcks: kafka.RequireAll,
				Records: kafka.NewRecordReader(records...)})
		}
		res, err := produce()
		for until := time.Now().Add(10 * time.Second); err == nil && errors.Is(res.Error, kafka.NotLeaderForPartition) && time.Now().Before(until); {
			time.Sleep(50 * time.Millisecond) // real time: a broker that has just made the topic
			res, err = produce()
		}
		if err != nil || res.Error != nil {
			t.Fatal(err, res)
		}
		if got := inspect(t, cfg).Topics[0]; got.Unread != 3 || got.Late {
			t.Errorf("what no group has begun to read is unread and not late: %+v", got)
		}
		for read, want := range map[int64]kafkasource.Topic{1: {Unread: 2, Late: true}, 3: {}} {
			commit(t, client, cfg, 1, read)
			if got := inspect(t, cfg).Topics[0]; got.Unread != want.Unread || got.Late != want.Late || got.Lost {
				t.Errorf("%d of 3 are read: %d unread, late %v, lost %v", read, got.Unread, got.Late, got.Lost)
			}
		}
	})
}

// commit says how far a group has read, as somebody who is not in it.
func commit(t *testing.T, client *kafka.Client, cfg kafkasource.Config, partition int, offset int64) {
	t.Helper()
	var last error
	for range 50 { // a new group has no coordinator at first
		res, err := client.OffsetCommit(t.Context(), &kafka.OffsetCommitRequest{GroupID: cfg.Group, GenerationID: -1,
			Topics: map[string][]kafka.OffsetCommit{cfg.Topics[0]: {{Partition: partition, Offset: offset}}}})
		if err == nil {
			err = res.Topics[cfg.Topics[0]][0].Error
		}
		if last = err; err == nil {
			return
		}
		select {
		case <-t.Context().Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal(last)
}

func TestInspectNobody(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	cfg := configOf(t, "127.0.0.1:1")
	if _, err := kafkasource.Inspect(ctx, cfg, time.Now()); err == nil || !strings.Contains(err.Error(), "kafka.brokers") {
		t.Errorf("it should name kafka.brokers: %v", err)
	}
	cfg.Group = ""
	if _, err := kafkasource.Inspect(ctx, cfg, time.Now()); err == nil || !strings.Contains(err.Error(), "kafka.group") {
		t.Errorf("it should name kafka.group: %v", err)
	}
}

// TestInspectLost: Kafka has deleted what the group had not read.
func TestInspectLost(t *testing.T) {
	cluster := fake(t)
	cfg := configOf(t, cluster.ListenAddrs()...)
	k := open(t, cfg)
	produce(t, k, cfg.Topics[0], orders(0, 60))
	client := &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Timeout: 10 * time.Second, Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	commit(t, client, cfg, 0, 1)
	if got := inspect(t, cfg).Topics[0]; got.Lost {
		t.Errorf("nothing is lost yet: %+v", got)
	}
	if err := cluster.DeleteRecords(cfg.Topics[0], 0, 5); err != nil {
		t.Fatal(err)
	}
	if got := inspect(t, cfg).Topics[0]; !got.Lost {
		t.Errorf("records 1 to 4 are gone: %+v", got)
	}
}
