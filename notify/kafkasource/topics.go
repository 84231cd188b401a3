package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// prepareTopics makes sure that every topic exists and has leaders before the group is joined: a member that joins
// earlier is given no partitions, and learns of them only at the next rebalance.
func (k *Kafka) prepareTopics(ctx context.Context) error {
	created := false
	for wait := firstWait; ; wait = min(wait*2, lastWait) {
		missing, unready, err := k.topicsState(ctx)
		switch {
		case err == nil && len(missing)+len(unready) == 0:
			return nil
		case err == nil && len(missing) > 0 && !k.cfg.Create:
			return fmt.Errorf("no topic %s in Kafka: create it, or let Onmyway do so with kafka.create_topics",
				strings.Join(missing, ", "))
		case err == nil && len(missing) > 0 && !created:
			if err := k.createTopics(ctx, missing); err != nil {
				return err
			}
			created = true
			continue
		case err == nil:
			err = fmt.Errorf("topics without a leader: %s", strings.Join(append(missing, unready...), ", "))
		}
		if !sleep(ctx, wait) {
			return fmt.Errorf("wait for Kafka's topics: %w", err)
		}
	}
}

// topicsState asks on new connections: a transport answers from a cache that is seconds old, and writers go by that, too. What it
// hears now is what they go by.
func (k *Kafka) topicsState(ctx context.Context) (missing, unready []string, err error) {
	k.transport.CloseIdleConnections()
	res, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: k.transport.MetadataTopics})
	if err != nil {
		return nil, nil, fmt.Errorf("ask Kafka for its topics: %w", err)
	}
	for _, t := range res.Topics {
		switch {
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
			missing = append(missing, t.Name)
		case errors.Is(t.Error, kafka.TopicAuthorizationFailed):
			return nil, nil, fmt.Errorf("the Kafka user may not use topic %s: %w", t.Name, t.Error)
		case t.Error != nil || !led(t.Partitions):
			unready = append(unready, t.Name)
		}
	}
	return missing, unready, nil
}

func led(ps []kafka.Partition) bool {
	for _, p := range ps {
		if p.Error != nil || p.Leader.Host == "" {
			return false
		}
	}
	return len(ps) > 0
}

func (k *Kafka) createTopics(ctx context.Context, names []string) error {
	req := &kafka.CreateTopicsRequest{}
	for _, name := range names {
		partitions := k.cfg.Partitions
		if name == k.cfg.DeadTopic {
			partitions = 1
		}
		req.Topics = append(req.Topics, kafka.TopicConfig{
			Topic: name, NumPartitions: partitions, ReplicationFactor: k.cfg.Replication,
		})
	}
	res, err := k.client.CreateTopics(ctx, req)
	if err != nil {
		return fmt.Errorf("create topics %s: %w", strings.Join(names, ", "), err)
	}
	for name, err := range res.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", name, err)
		}
	}
	k.log.Info("topics created in Kafka", "topics", names)
	return nil
}

// counts tells how many partitions each topic has, as the transport last heard.
func (k *Kafka) counts(ctx context.Context) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	res, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: k.cfg.Topics})
	if err != nil {
		return nil, fmt.Errorf("ask Kafka for its partitions: %w", err)
	}
	n := make(map[string]int, len(res.Topics))
	for _, t := range res.Topics {
		n[t.Name] = len(t.Partitions)
	}
	return n, nil
}
