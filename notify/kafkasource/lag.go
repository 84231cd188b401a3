package kafkasource

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Lag tells, by topic and partition, how many offsets lie between what the group has committed and the end. A partition
// that nothing was committed of lags by all it has. The committed offset is asked for first and negative results are 0:
// the end moves on between the two questions.
func (k *Kafka) Lag(ctx context.Context) (map[string]map[int]int64, error) {
	counts, err := k.counts(ctx)
	if err != nil {
		return nil, err
	}
	partitions := make(map[string][]int, len(counts))
	ends := make(map[string][]kafka.OffsetRequest, len(counts))
	for topic, n := range counts {
		for p := range n {
			partitions[topic] = append(partitions[topic], p)
			ends[topic] = append(ends[topic], kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
		}
	}
	committed, err := k.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: k.cfg.Group, Topics: partitions})
	if err == nil {
		err = committed.Error
	}
	if errors.Is(err, kafka.GroupIdNotFound) { // nobody has read yet
		committed, err = &kafka.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask Kafka for the offsets of group %s: %w", k.cfg.Group, err)
	}
	found, err := k.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: ends})
	if err != nil {
		return nil, fmt.Errorf("ask Kafka for the ends of its partitions: %w", err)
	}
	return lags(committed.Topics, found.Topics), nil
}

func lags(committed map[string][]kafka.OffsetFetchPartition, ends map[string][]kafka.PartitionOffsets) map[string]map[int]int64 {
	lag := make(map[string]map[int]int64, len(ends))
	for topic, ps := range ends {
		lag[topic] = make(map[int]int64, len(ps))
		for _, p := range ps {
			if p.Error == nil {
				lag[topic][p.Partition] = p.LastOffset - p.FirstOffset
			}
		}
		for _, c := range committed[topic] {
			if _, there := lag[topic][c.Partition]; !there || c.Error != nil {
				delete(lag[topic], c.Partition) // not known is not the same as none
				continue
			}
			if c.CommittedOffset >= 0 {
				lag[topic][c.Partition] = max(lastOf(ps, c.Partition)-c.CommittedOffset, 0)
			}
		}
	}
	return lag
}

func lastOf(ps []kafka.PartitionOffsets, partition int) int64 {
	for _, p := range ps {
		if p.Partition == partition {
			return p.LastOffset
		}
	}
	return 0
}
