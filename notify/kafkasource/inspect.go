package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// Cluster is what Inspect saw of Kafka.
type Cluster struct {
	Brokers    int
	Release    string // "4.1 or later", read from what the cluster speaks
	Topics     []Topic
	GroupState string // "Stable", "Empty", …; empty when it may not be seen
	Members    int    // of the group
}

// Topic is what Inspect saw of one topic. Of a topic that is missing only the name and Missing are set.
type Topic struct {
	Name       string
	Missing    bool
	Denied     bool // the user may not use it
	Partitions int
	Leaderless int               // partitions that nobody leads
	Replicas   int               // the fewest that a partition has
	InSync     int               // the fewest that are in sync
	Settings   map[string]string // inspected ones; nil when the user may not see them
	Unread     int64             // records that the group has not committed yet
	Late       bool              // an unread record has used up LateShare of the topic's retention
	Lost       bool              // Kafka has deleted records that the group had not read
}

// LateShare is the part of a topic's retention after which an unread record counts as late.
const LateShare = 0.5

// inspected are the settings of a topic that matter here.
var inspected = []string{"cleanup.policy", "retention.ms", "min.insync.replicas", "max.message.bytes"}

// Inspect looks at a cluster without changing anything and without joining the group: it waits until ctx ends for a
// broker that answers. The error says what to do. The dead-letter topic is the last one of Topics.
func Inspect(ctx context.Context, cfg Config, now time.Time) (Cluster, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Cluster{}, err
	}
	m, err := cfg.mechanism()
	if err != nil {
		return Cluster{}, err
	}
	k := &Kafka{cfg: cfg, log: slog.New(slog.DiscardHandler), dialer: cfg.dialer(m), transport: cfg.transport(m)}
	defer k.transport.CloseIdleConnections()
	k.client = &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: k.transport, Timeout: answerTimeout}
	if err := k.reach(ctx); err != nil {
		return Cluster{}, err
	}
	return k.inspect(ctx, now)
}

func (k *Kafka) inspect(ctx context.Context, now time.Time) (c Cluster, err error) {
	names := append(append([]string{}, k.cfg.Topics...), k.cfg.DeadTopic)
	seen, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return c, fmt.Errorf("ask Kafka for its topics: %w", err)
	}
	c.Brokers = len(seen.Brokers)
	c.Release = k.release(ctx)
	for _, name := range names {
		c.Topics = append(c.Topics, topicOf(name, seen.Topics))
	}
	if err := k.readSettings(ctx, c.Topics); err != nil {
		return c, err
	}
	c.GroupState, c.Members = k.groupState(ctx)
	return c, k.readLags(ctx, c.Topics[:len(k.cfg.Topics)], now)
}

// topicOf finds a topic in what the cluster answered.
func topicOf(name string, all []kafka.Topic) Topic {
	t := Topic{Name: name}
	for _, seen := range all {
		if seen.Name != name {
			continue
		}
		t.Denied = errors.Is(seen.Error, kafka.TopicAuthorizationFailed)
		t.Partitions = len(seen.Partitions)
		for i, p := range seen.Partitions {
			if p.Leader.Host == "" {
				t.Leaderless++
			}
			if i == 0 {
				t.Replicas, t.InSync = len(p.Replicas), len(p.Isr)
			}
			t.Replicas, t.InSync = min(t.Replicas, len(p.Replicas)), min(t.InSync, len(p.Isr))
		}
	}
	t.Missing = !t.Denied && t.Partitions == 0
	return t
}

// release tells how old a broker is from the highest version of Fetch that it speaks: Kafka has no call that says so.
func (k *Kafka) release(ctx context.Context) string {
	res, err := k.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	if err != nil {
		return "unknown"
	}
	const fetch = 1
	for _, api := range res.ApiKeys {
		if api.ApiKey == fetch {
			return releaseOf(api.MaxVersion)
		}
	}
	return "unknown"
}

func releaseOf(fetch int) string {
	switch {
	case fetch >= 18:
		return "4.1 or later"
	case fetch == 17:
		return "3.9 or 4.0"
	case fetch == 16:
		return "3.7 or 3.8"
	case fetch >= 14:
		return "3.5 or 3.6"
	case fetch == 13:
		return "3.1 to 3.4"
	case fetch == 12:
		return "2.7 to 3.0"
	case fetch == 11:
		return "2.3 to 2.6"
	}
	return "older than 2.3"
}

// readSettings fills Settings. A user who may not see them gets none, which is no error: serve does not need them.
func (k *Kafka) readSettings(ctx context.Context, topics []Topic) error {
	req := &kafka.DescribeConfigsRequest{}
	for _, t := range topics {
		if !t.Missing && !t.Denied {
			req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: t.Name, ConfigNames: inspected})
		}
	}
	if len(req.Resources) == 0 {
		return nil
	}
	res, err := k.client.DescribeConfigs(ctx, req)
	if err != nil {
		return fmt.Errorf("ask Kafka for the settings of its topics: %w", err)
	}
	for _, r := range res.Resources {
		if r.Error != nil {
			continue
		}
		for i := range topics {
			if topics[i].Name != r.ResourceName {
				continue
			}
			topics[i].Settings = map[string]string{}
			for _, e := range r.ConfigEntries {
				topics[i].Settings[e.ConfigName] = e.ConfigValue
			}
		}
	}
	return nil
}

// groupState asks for the group, which may be hidden from the user.
func (k *Kafka) groupState(ctx context.Context) (state string, members int) {
	res, err := k.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{k.cfg.Group}})
	if err != nil || len(res.Groups) != 1 || res.Groups[0].Error != nil {
		return "", 0
	}
	return res.Groups[0].GroupState, len(res.Groups[0].Members)
}

// readLags fills Unread, Late and Lost. What was never read counts as unread from its start.
func (k *Kafka) readLags(ctx context.Context, topics []Topic, now time.Time) error {
	partitions, asked := map[string][]int{}, map[string][]kafka.OffsetRequest{}
	for _, t := range topics {
		for p := range t.Partitions {
			partitions[t.Name] = append(partitions[t.Name], p)
			asked[t.Name] = append(asked[t.Name], kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
			if keep, limited := t.retention(); limited {
				late := now.Add(-time.Duration(LateShare * float64(keep)))
				asked[t.Name] = append(asked[t.Name], kafka.TimeOffsetOf(p, late))
			}
		}
	}
	if len(asked) == 0 {
		return nil
	}
	committed, err := k.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: k.cfg.Group, Topics: partitions})
	if err == nil {
		err = committed.Error
	}
	switch {
	case errors.Is(err, kafka.GroupIdNotFound):
		committed = &kafka.OffsetFetchResponse{} // nobody has read yet
	case errors.Is(err, kafka.GroupAuthorizationFailed):
		return fmt.Errorf("the Kafka user may not use the group %s (kafka.group): %w", k.cfg.Group, err)
	case err != nil:
		return fmt.Errorf("ask Kafka for the offsets of group %s: %w", k.cfg.Group, err)
	}
	found, err := k.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: asked})
	if err != nil {
		return fmt.Errorf("ask Kafka for the ends of its partitions: %w", err)
	}
	for i := range topics {
		t := &topics[i]
		for _, p := range found.Topics[t.Name] {
			if p.Error == nil {
				t.add(p, committedAt(committed.Topics[t.Name], p.Partition))
			}
		}
	}
	return nil
}

// add counts a partition in; committed is -1 when nothing was.
func (t *Topic) add(p kafka.PartitionOffsets, committed int64) {
	next := committed
	if committed < 0 {
		next = p.FirstOffset
	}
	unread := max(p.LastOffset-max(next, p.FirstOffset), 0)
	t.Unread += unread
	t.Lost = t.Lost || next < p.FirstOffset
	for fresh := range p.Offsets { // the first record that is not late, -1 when all are
		t.Late = t.Late || unread > 0 && committed >= 0 && (fresh < 0 || next < fresh)
	}
}

func committedAt(list []kafka.OffsetFetchPartition, partition int) int64 {
	for _, c := range list {
		if c.Partition == partition && c.Error == nil {
			return c.CommittedOffset
		}
	}
	return -1
}

// retention is how long the topic keeps records; limited is false when it keeps them for ever or nobody knows.
func (t *Topic) retention() (keep time.Duration, limited bool) {
	ms, err := strconv.ParseInt(t.Settings["retention.ms"], 10, 64)
	if err != nil || ms < 0 || ms > int64(100*365*24*time.Hour/time.Millisecond) {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}

// Retention is how long the topic keeps records, 0 when that is for ever or not known.
func (t *Topic) Retention() time.Duration {
	keep, _ := t.retention()
	return keep
}
