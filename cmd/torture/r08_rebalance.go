package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"onmyway/cmd/torture/ledger"
)

var rebalanceScenario = scenario{
	id: "R8", events: 30_000, gate: 0.25, within: 8 * time.Minute, database: "postgres", lucky: true,
	promise: "a group that is never at rest loses nothing, repeats no text and never goes back",
	faults:  "60 members that join or leave every 300 ms; leaders, coordinators and brokers that move; a process that sleeps through it",
	knobs:   knobs{brokers: 3, partitions: 12, latency: jitter},
	run:     runRebalance,
}

const (
	longestStall = 5 * time.Second // in which nobody is told anything
	// forgotten is how long a process that lost a partition inside a commit keeps what it may have stored, before it gives
	// that back: nothing is lost after it, and nothing should be called lost before.
	forgotten = time.Minute
	asleep    = 8 * time.Second // longer than a group waits for a member
)

func runRebalance(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 600)
	nodes, err := w.up(ctx, 2)
	if err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	moves := w.scaled(60, 8)
	over := max(time.Duration(moves)*300*time.Millisecond, 2*asleep)
	watching, stop := context.WithCancel(ctx)
	backwards := make(chan []string, 1)
	go func() { backwards <- w.watchOffsets(watching) }()
	l := w.start(ctx, single(n, max(n/5, 10)), over)
	err = w.sleepThrough(ctx, nodes[1])
	err = errors.Join(err, w.unrest(ctx, moves), l.wait())
	calm := time.Now()
	if err == nil {
		err = w.finish(ctx, aim{}, forgotten+30*time.Second)
	}
	if err == nil { // the last offsets are committed a moment later
		err = wait(ctx, time.Second)
	}
	stop()
	fell := <-backwards
	if err != nil {
		return err
	}
	w.count("offsets_that_fell", float64(len(fell)))
	if len(fell) > 0 {
		w.fail("%d × a committed offset went back: %s", len(fell), fell[0])
	}
	texts, err := ledger.Read[ledger.Text](w.path("sms.jsonl"))
	if err != nil {
		return err
	}
	inputs, err := ledger.Read[ledger.Input](w.path("inputs.jsonl"))
	if err != nil {
		return err
	}
	w.count("slowest_text_seconds", ledger.Slowest(inputs, texts).Seconds())
	stall := ledger.Stalls(ledger.Until(texts, calm))
	w.count("longest_stall_seconds", stall.Seconds())
	if stall > longestStall {
		w.fail("nothing was told for %s, want %s at most", stall.Round(time.Millisecond), longestStall)
	}
	w.sometimes("generations", float64(w.generations()))
	return nil
}

// sleepThrough lets a process stand still in the middle of its work until the group has given its partitions to another
// one, which goes on with them. What it wakes up with is old.
func (w *world) sleepThrough(ctx context.Context, n *node) error {
	w.faulted()
	if err := until(ctx, 5*time.Second, func() error {
		if n.generations() == 0 {
			return fmt.Errorf("%s was given no partition within 5s; see %s", n.name, n.log)
		}
		return nil
	}); err != nil {
		return err
	}
	err := w.atWork(ctx, 300*time.Millisecond)
	return errors.Join(err, n.pause(), wait(ctx, asleep), n.resume())
}

// unrest makes members come and go, and brokers move where they can.
func (w *world) unrest(ctx context.Context, moves int) error {
	var members []*kgo.Client
	defer func() {
		for _, m := range members {
			m.Close()
		}
	}()
	for i := range moves {
		if err := wait(ctx, 300*time.Millisecond); err != nil {
			return err
		}
		w.faulted()
		if len(members) > 0 && w.random.IntN(2) == 0 || len(members) == 3 {
			members[0].Close() // it leaves
			members = members[1:]
		} else {
			m, err := w.stranger()
			if err != nil {
				return err
			}
			members = append(members, m)
		}
		if err := w.moveBrokers(i); err != nil {
			return err
		}
	}
	return nil
}

// stranger is a member of the group that takes partitions and does nothing with them: it commits nothing.
func (w *world) stranger() (*kgo.Client, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(w.kafka.seeds...), kgo.ConsumerGroup(w.kafka.group), kgo.ConsumeTopics(w.kafka.topic),
		kgo.Balancers(kgo.RangeBalancer()), kgo.DisableAutoCommit(), kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(300*time.Millisecond), kgo.FetchMaxBytes(1<<10))
	if err != nil {
		return nil, fmt.Errorf("join the group: %w", err)
	}
	go c.PollRecords(context.Background(), 1) // ends when the client is closed
	return c, nil
}

// moveBrokers lets a leader, a coordinator or a broker of kfake go elsewhere.
func (w *world) moveBrokers(i int) error {
	f := w.kafka.fake
	if f == nil {
		return nil
	}
	switch i % 6 {
	case 1:
		f.ShufflePartitionLeaders()
	case 3:
		f.RehashCoordinators()
	case 5:
		node, _, err := f.AddNode(-1, 0)
		if err != nil {
			return fmt.Errorf("add a broker: %w", err)
		}
		return f.RemoveNode(node)
	}
	return nil
}

// watchOffsets asks 100 times a second at most how far the group has committed, and notes what went back.
func (w *world) watchOffsets(ctx context.Context) (fell []string) {
	highest := map[int32]int64{}
	samples := 0
	for wait(ctx, 10*time.Millisecond) == nil {
		at, err := w.kafka.committed(ctx, w.kafka.group)
		if err != nil {
			continue // the coordinator moves
		}
		samples++
		for p, offset := range at {
			if offset < highest[p] {
				fell = append(fell, fmt.Sprintf("partition %d from %d to %d", p, highest[p], offset))
			}
			highest[p] = offset
		}
	}
	var sum int64
	for _, offset := range highest {
		sum += offset
	}
	w.count("offset_samples", float64(samples))
	w.sometimes("records_committed", float64(sum))
	return fell
}

// generations counts how often partitions were shared out anew, from the logs.
func (w *world) generations() (sum int) {
	for _, n := range w.nodes {
		sum += n.generations()
	}
	return sum
}

// generations is how often the process was given partitions, says its log.
func (n *node) generations() int {
	b, err := os.ReadFile(n.log)
	if err != nil {
		return 0
	}
	return bytes.Count(b, []byte("Kafka partitions assigned"))
}
