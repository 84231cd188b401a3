package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"onmyway/notify/kafkasource"
)

// shortRetention is what no outage should outlast: a weekend's is found on Monday.
const shortRetention = 72 * time.Hour

func (d *doctor) kafka(ctx context.Context) []finding {
	a := area{name: "Kafka"}
	if len(d.cfg.Kafka.Brokers) == 0 {
		a.warn("cluster", "kafka.brokers is not set: serve runs an embedded one, for one process", "set kafka.brokers in production")
		return a.list
	}
	conf, err := kafkaConfig(d.cfg)
	if err != nil {
		a.fail("cluster", err.Error(), "correct the files under kafka.tls")
		return a.list
	}
	seen, err := kafkasource.Inspect(ctx, conf, d.now())
	if err != nil {
		a.fail("cluster", err.Error(), "start Kafka, or correct kafka.brokers, kafka.tls and kafka.sasl")
		return a.list
	}
	a.cluster(seen, d.cfg.Kafka)
	return a.list
}

// cluster judges what was seen of Kafka.
func (a *area) cluster(c kafkasource.Cluster, cfg KafkaConfig) {
	if c.Brokers < 2 {
		a.warn("cluster", fmt.Sprintf("1 broker, Kafka %s", c.Release), "run three brokers: without this one no event comes in")
	} else {
		a.ok("cluster", "%d brokers, Kafka %s", c.Brokers, c.Release)
	}
	if cfg.SASL.User != "" && !cfg.TLS.Enabled {
		a.warn("login", "user and password travel unencrypted", "turn kafka.tls.enabled on and use the TLS port")
	}
	for i, t := range c.Topics {
		a.topic(t, c.Brokers, cfg, i < len(cfg.Topics))
	}
	unread := int64(0)
	for _, t := range c.Topics {
		unread += t.Unread
	}
	switch c.GroupState {
	case "":
		a.ok("group "+cfg.Group, "%s unread", counted(int(unread), "record"))
	case "Dead", "Empty":
		a.ok("group "+cfg.Group, "nobody reads at the moment, %s unread", counted(int(unread), "record"))
	default:
		a.ok("group "+cfg.Group, "%s, %s, %s unread", c.GroupState, counted(c.Members, "member"), counted(int(unread), "record"))
	}
}

// topic judges one topic; source tells that it is read, and not the one for dead letters.
func (a *area) topic(t kafkasource.Topic, brokers int, cfg KafkaConfig, source bool) {
	check := "topic " + t.Name
	switch {
	case t.Denied:
		a.fail(check, "the Kafka user may not use it", "allow the user Read, Write and Describe on it")
		return
	case t.Missing && cfg.CreateTopics:
		a.warn(check, "is not there", fmt.Sprintf("make it as you want it, or let serve make it with %s", counted(partitionsOf(cfg, source), "partition")))
		return
	case t.Missing:
		a.fail(check, "is not there", "make it, or let serve do so with kafka.create_topics")
		return
	case t.Leaderless > 0:
		a.fail(check, fmt.Sprintf("%d of %s have no leader", t.Leaderless, counted(t.Partitions, "partition")), "start the brokers that have these partitions")
		return
	}
	before := len(a.list)
	a.copies(check, t, brokers)
	if source {
		a.keeping(check, t)
	}
	if len(a.list) == before {
		a.ok(check, "%s, %s, %s", counted(t.Partitions, "partition"), copiesOf(t.Replicas), retentionOf(t))
	}
}

// copies judges how many brokers have a record before it counts as written.
func (a *area) copies(check string, t kafkasource.Topic, brokers int) {
	least, err := strconv.Atoi(t.Settings["min.insync.replicas"])
	known := err == nil
	if known && t.InSync < least {
		a.fail(check, fmt.Sprintf("%d replicas are in sync and min.insync.replicas is %d: writes are refused", t.InSync, least), "start the brokers that are missing")
	} else if t.InSync < t.Replicas {
		a.warn(check, fmt.Sprintf("only %d of %d replicas are in sync", t.InSync, t.Replicas), "see why brokers lag behind or are down")
	}
	if brokers > 1 && t.Replicas < 2 {
		a.warn(check, "1 replica: its records are lost with one broker", "raise the replication factor to 3 (kafka-reassign-partitions)")
	}
	if known && least < 2 && t.Replicas > 2 {
		a.warn(check, "min.insync.replicas is 1: a record counts as written when a single broker has it", "set min.insync.replicas=2 on the topic")
	}
}

// keeping judges whether records stay until they are read.
func (a *area) keeping(check string, t kafkasource.Topic) {
	if slices.Contains(strings.Split(t.Settings["cleanup.policy"], ","), "compact") {
		a.warn(check, "cleanup.policy has compact: of an order only its newest record is kept, so milestones are lost before they are read",
			"set cleanup.policy=delete")
	}
	if keep := t.Retention(); keep > 0 && keep < shortRetention {
		a.warn(check, fmt.Sprintf("records are kept for %s: a longer outage loses them", spanOf(keep)), "set retention.ms to a week (604800000)")
	}
	if t.Lost {
		a.fail(check, "Kafka has deleted records that were not read", "raise retention.ms; serve goes on with what is left and counts the loss")
	}
	if t.Late {
		a.warn(check, fmt.Sprintf("there are unread records older than %.0f %% of what the topic keeps; %s unread",
			100*kafkasource.LateShare, counted(int(t.Unread), "record")), "start more processes, or raise retention.ms until they have caught up")
	}
	if t.Partitions < 2 {
		a.warn(check, "1 partition: only one process can read it at a time", "raise the number of partitions while no order is under way")
	}
}

func partitionsOf(cfg KafkaConfig, source bool) int {
	if !source {
		return 1
	}
	return cfg.Partitions
}

func copiesOf(n int) string { return counted(n, "replica") }

func retentionOf(t kafkasource.Topic) string {
	switch keep := t.Retention(); {
	case t.Settings == nil:
		return "settings are hidden from this user"
	case keep == 0:
		return "kept for ever"
	default:
		return "kept for " + spanOf(keep)
	}
}

// spanOf writes a length of time in the unit that people would use.
func spanOf(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return counted(int(d/(24*time.Hour)), "day")
	case d >= time.Hour:
		return counted(int(d/time.Hour), "hour")
	case d >= time.Minute:
		return counted(int(d/time.Minute), "minute")
	}
	return d.String()
}
