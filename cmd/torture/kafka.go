package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// broker is Kafka as the harness uses it, with another client library than the service's.
type broker struct {
	name   string // kfake or kafka
	topic  string
	group  string
	fake   *kfake.Cluster // nil with a real broker
	seeds  []string
	client *kgo.Client
	count  int // partitions
}

func openBroker(ctx context.Context, w *world) (b *broker, err error) {
	k := w.scenario.knobs
	name := fmt.Sprintf("torture-%s-%d-%d", strings.ToLower(w.scenario.id), w.seed, time.Now().UnixNano()%1e9)
	b = &broker{name: "kafka", topic: name, group: name, count: max(k.partitions, 6), seeds: []string{os.Getenv("ONMYWAY_TEST_KAFKA")}}
	if k.partitions > 0 {
		b.count = k.partitions
	}
	w.env = append(w.env, "ONMYWAY_KAFKA__GROUP="+b.group)
	if w.options.kafka == "kfake" {
		b.name = "kfake"
		if b.fake, err = kfake.NewCluster(kfake.NumBrokers(max(k.brokers, 1)), kfake.ClusterID("torture")); err != nil {
			return nil, fmt.Errorf("start kfake: %w", err)
		}
		b.seeds = b.fake.ListenAddrs()
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.seeds...), kgo.DefaultProduceTopic(b.topic),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.ProducerLinger(0)); err != nil {
		return b, fmt.Errorf("connect to Kafka: %w", err)
	}
	return b, b.create(ctx, b.topic, b.topic+".dead")
}

func (b *broker) addrs() []string { return b.seeds }

func (b *broker) create(ctx context.Context, topics ...string) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 20_000
	for _, name := range topics {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, int32(b.count), 1
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, b.client)
	if err != nil {
		return fmt.Errorf("make topics: %w", err)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("make topic %s: %w", t.Topic, err)
		}
	}
	return nil
}

// produce writes records, and returns when all of them are acknowledged.
func (b *broker) produce(ctx context.Context, records []*kgo.Record) error {
	if err := b.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("produce %d records: %w", len(records), err)
	}
	return nil
}

// committed tells how far a group has committed, by partition. A partition that is not there has committed nothing.
func (b *broker) committed(ctx context.Context, group string) (map[int32]int64, error) {
	partitions := make([]int32, b.count)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	t := kmsg.NewOffsetFetchRequestTopic()
	t.Topic, t.Partitions = b.topic, partitions
	req.Topics = append(req.Topics, t)
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	gt := kmsg.NewOffsetFetchRequestGroupTopic()
	gt.Topic, gt.Partitions = b.topic, partitions
	g.Topics = append(g.Topics, gt)
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(ctx, b.client)
	if err != nil {
		return nil, fmt.Errorf("fetch the offsets of the group: %w", err)
	}
	at := map[int32]int64{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			note(at, p.Partition, p.Offset, p.ErrorCode)
		}
	}
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				note(at, p.Partition, p.Offset, p.ErrorCode)
			}
		}
	}
	return at, nil
}

func note(at map[int32]int64, partition int32, offset int64, code int16) {
	if code == 0 && offset >= 0 {
		at[partition] = offset
	}
}

func (b *broker) close() {
	if b == nil {
		return
	}
	if b.client != nil {
		b.client.Close()
	}
	if b.fake != nil {
		b.fake.Close()
	}
}
