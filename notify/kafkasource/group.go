package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

// Work reads a partition until ctx ends or the partition is lost. What it returns otherwise is logged, and it is called
// again at the last committed offset.
type Work func(ctx context.Context, p notify.Partition) error

// Run joins the group and calls work for every partition that this process is given, each in its own goroutine, until ctx
// ends. It rides out outages and rebalances. When ctx ends it waits until every work has returned, then leaves the group,
// so that the others take over at once. It returns nil, or an error when the configuration can't make a group.
func (k *Kafka) Run(ctx context.Context, work Work) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: k.cfg.Group, Brokers: k.cfg.Brokers, Topics: k.cfg.Topics, Dialer: k.dialer,
		HeartbeatInterval: heartbeat, SessionTimeout: sessionTimeout, RebalanceTimeout: drainTimeout,
		JoinGroupBackoff: joinBackoff, StartOffset: kafka.FirstOffset,
	})
	if err != nil {
		return fmt.Errorf("join group %s: %w", k.cfg.Group, err)
	}
	m := &member{Kafka: k, work: work}
	m.run(ctx, group)
	m.working.Wait()
	if err := group.Close(); err != nil {
		k.log.Warn("could not leave the Kafka group; its other members wait for this one to time out", "error", err)
	}
	return nil
}

// member is this process in its group.
type member struct {
	*Kafka
	work    Work
	working sync.WaitGroup // calls of work
	counts  map[string]int // partitions by topic when they were last looked at; one generation at a time uses it
}

// settling bounds how long a coordinator may say that it is not there yet before that is called an outage: a new cluster
// refuses the first join always.
const settling = 10

func (m *member) run(ctx context.Context, group *kafka.ConsumerGroup) {
	wait, unsettled := firstWait, 0
	for ctx.Err() == nil {
		gen, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			wait, unsettled = firstWait, 0
			m.outage.Answered(time.Now())
			m.start(ctx, gen)
			continue
		case errors.Is(err, kafka.RebalanceInProgress):
			continue
		case errors.Is(err, kafka.GroupCoordinatorNotAvailable), errors.Is(err, kafka.GroupLoadInProgress):
			if unsettled++; unsettled > settling {
				m.outage.Failed(fmt.Errorf("join group %s: %w", m.cfg.Group, err), time.Now())
			}
		default:
			m.outage.Failed(fmt.Errorf("join group %s: %w", m.cfg.Group, err), time.Now())
		}
		if !sleep(ctx, wait) {
			return
		}
		wait = min(wait*2, lastWait)
	}
}

// start gives every partition of a generation its worker. The generation ends when any of them returns, so none does
// while the process stops: the others still need the generation for their last commits.
func (m *member) start(ctx context.Context, gen *kafka.Generation) {
	n := 0
	for topic, assigned := range gen.Assignments {
		for _, a := range assigned {
			n++
			p := newPartition(m.Kafka, gen, topic, a.ID, a.Offset)
			m.working.Add(1)
			gen.Start(func(generation context.Context) {
				m.own(ctx, generation, p)
				m.working.Done()
				if ctx.Err() != nil {
					<-generation.Done() // Run closes the group when all have come this far
				}
			})
		}
	}
	gen.Start(func(generation context.Context) { m.watch(ctx, generation) })
	m.log.Info("Kafka partitions assigned", "group", m.cfg.Group, "generation", gen.ID, "partitions", n)
}

// own works on a partition until it is lost or ctx ends.
func (m *member) own(ctx, generation context.Context, p *partition) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(generation, cancel)
	defer stop()
	for wait := firstWait; ; wait = min(wait*2, lastWait) {
		err := p.locate(ctx)
		if err == nil {
			err = m.work(ctx, p)
		}
		p.hangUp()
		if errors.Is(err, notify.ErrFenced) {
			m.lost(ctx, err)
			return
		}
		if ctx.Err() != nil {
			return
		}
		m.log.Error("a partition's worker gave up; it starts again at the committed offset",
			"topic", p.topic, "partition", p.id, "error", err)
		if !sleep(ctx, wait) {
			return
		}
		p = p.again()
	}
}

// lost follows a commit that was refused. Mostly the generation is over and we are about to hear of it. If not, then
// returning ends it, and the pause keeps a broker that refuses every commit from being asked without end.
func (m *member) lost(ctx context.Context, err error) {
	if ctx.Err() == nil && sleep(ctx, lastWait) {
		m.outage.Failed(err, time.Now())
	}
}

// watch ends the generation when a topic has other partitions than before, so that the group shares them out anew.
// kafka-go's own watcher creates topics by asking for them and ends generations without a pause while a topic is away.
func (m *member) watch(ctx, generation context.Context) {
	tick := time.NewTicker(topicsInterval)
	defer tick.Stop()
	for {
		if counts, err := m.Kafka.counts(ctx); err == nil && m.changed(counts) {
			m.log.Info("Kafka topics have other partitions now; the group shares them out anew", "partitions", counts)
			return
		}
		select {
		case <-generation.Done():
			return
		case <-tick.C:
		}
	}
}

// changed compares with what was last seen. A topic that is away changes nothing: it comes back or it does not.
func (m *member) changed(now map[string]int) bool {
	changed := false
	for topic, n := range now {
		if n == 0 {
			continue
		}
		if before, known := m.counts[topic]; known && before != n {
			changed = true
		}
		if m.counts == nil {
			m.counts = make(map[string]int, len(now))
		}
		m.counts[topic] = n
	}
	return changed
}
