package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

// partition is a notify.Partition of one generation. One goroutine fetches; another may commit.
type partition struct {
	*Kafka
	gen       *kafka.Generation
	topic     string
	id        int
	start     int64        // where the generation told us to begin
	committed atomic.Int64 // what Commit has told Kafka; below 0 for nothing

	next     int64 // what Fetch reads next; below 0 for the first there is
	conn     *kafka.Conn
	response *kafka.Batch // that is being read; nil for none. What is not read yet waits in the socket: a bounded prefetch
	asked    int64        // where it starts
	failures int          // in a row
	stuck    int          // responses in a row that held nothing at next, although there is more
}

func newPartition(k *Kafka, gen *kafka.Generation, topic string, id int, start int64) *partition {
	p := &partition{Kafka: k, gen: gen, topic: topic, id: id, start: start, next: start}
	p.committed.Store(-1)
	return p
}

// again is the partition as a new worker gets it.
func (p *partition) again() *partition {
	start := p.start
	if c := p.committed.Load(); c >= 0 {
		start = c
	}
	return newPartition(p.Kafka, p.gen, p.topic, p.id, start)
}

// Name tells the partition and where reading starts.
func (p *partition) Name() (string, int, int64) { return p.topic, p.id, p.next }

// StartAt moves the start, before the first Fetch.
func (p *partition) StartAt(next int64) { p.next = next }

// Fetch waits for one record, then fills dst with those of the same response. It dials again, follows the leader and
// steps over what Kafka has deleted. It returns an error only when ctx ends.
func (p *partition) Fetch(ctx context.Context, dst []notify.Record) (int, error) {
	wait := firstWait
	for {
		n, err := p.read(ctx, dst)
		if n > 0 {
			p.answered()
			return n, nil // an error will meet us again
		}
		if ctx.Err() != nil {
			p.hangUp()
			return 0, fmt.Errorf("fetch from %s/%d: %w", p.topic, p.id, context.Cause(ctx))
		}
		if errors.Is(err, kafka.OffsetOutOfRange) {
			err = p.reposition(ctx)
		}
		if err == nil {
			p.answered()
			wait = firstWait
			continue
		}
		p.hangUp()
		p.failed(err)
		sleep(ctx, wait)
		wait = min(wait*2, lastWait)
	}
}

// read fills dst from the open response, or from a new one. No records and no error: there was nothing to read.
func (p *partition) read(ctx context.Context, dst []notify.Record) (n int, err error) {
	if err := p.dial(ctx); err != nil {
		return 0, err
	}
	conn := p.conn
	if err := conn.SetReadDeadline(time.Now().Add(fetchWait + answerTimeout)); err != nil {
		return 0, fmt.Errorf("set the deadline of a fetch: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if p.response == nil {
		if err := p.ask(); err != nil {
			return 0, err
		}
	}
	return p.drain(dst)
}

// ask sends a fetch and waits for the beginning of its response.
func (p *partition) ask() error {
	if _, err := p.conn.Seek(p.next, kafka.SeekAbsolute|kafka.SeekDontCheck); err != nil {
		return fmt.Errorf("seek %d in %s/%d: %w", p.next, p.topic, p.id, err)
	}
	b := p.conn.ReadBatchWith(kafka.ReadBatchConfig{MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait})
	if err := b.Err(); err != nil {
		_ = b.Close()
		p.hangUp() // kafka-go leaves the rest of an error's response in the connection
		return fmt.Errorf("fetch from %s/%d: %w", p.topic, p.id, err)
	}
	p.response, p.asked = b, p.next
	return nil
}

// locate finds out where reading starts when nothing was committed yet, so that Name tells a real offset.
func (p *partition) locate(ctx context.Context) error {
	for wait := firstWait; p.next < 0; wait = min(wait*2, lastWait) {
		err := p.dial(ctx)
		if err == nil {
			p.next, err = p.conn.ReadFirstOffset()
		}
		if err == nil {
			p.answered()
			return nil
		}
		p.next = kafka.FirstOffset
		p.hangUp()
		p.failed(fmt.Errorf("find the first offset of %s/%d: %w", p.topic, p.id, err))
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
	return nil
}

// reposition goes where the partition has records, when it has none at next.
func (p *partition) reposition(ctx context.Context) error {
	if err := p.dial(ctx); err != nil {
		return err
	}
	first, end, err := p.conn.ReadOffsets()
	if err != nil {
		return fmt.Errorf("find the offsets of %s/%d: %w", p.topic, p.id, err)
	}
	switch {
	case p.next < first:
		p.log.Error("Kafka deleted records before they were read: its retention is shorter than our delay",
			"topic", p.topic, "partition", p.id, "from", p.next, "to", first)
		if p.cfg.OnGap != nil {
			p.cfg.OnGap(p.topic, p.id, p.next, first)
		}
		p.next = first
	case p.next > end:
		p.log.Warn("the partition ends before the offset that was committed: the topic was made anew or has lost records; "+
			"reading starts at its first one", "topic", p.topic, "partition", p.id, "committed", p.next, "end", end)
		p.next = first
	default:
		return fmt.Errorf("fetch offset %d of %s/%d, which has %d to %d: %w", p.next, p.topic, p.id, first, end, kafka.OffsetOutOfRange)
	}
	return nil
}

// dial connects to the partition's leader, unless it is connected.
func (p *partition) dial(ctx context.Context) error {
	if p.conn != nil {
		return nil
	}
	var failures []error
	for _, b := range p.cfg.Brokers {
		conn, err := p.dialLeader(ctx, b)
		if err == nil {
			p.conn = conn
			return nil
		}
		failures = append(failures, err)
	}
	return fmt.Errorf("connect to the leader of %s/%d: %w", p.topic, p.id, errors.Join(failures...))
}

func (p *partition) dialLeader(ctx context.Context, broker string) (*kafka.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return p.dialer.DialLeader(ctx, "tcp", broker, p.topic, p.id)
}

// hangUp forgets the connection and what was not read from it.
func (p *partition) hangUp() {
	if p.conn != nil {
		_ = p.conn.Close() // first: a response that is closed reads itself to its end
		p.conn = nil
	}
	if p.response != nil {
		_ = p.response.Close()
		p.response = nil
	}
}

// failed notes a failure. One alone is no outage: a leader that moves, or a new one that does not know it yet, is found at
// the second try.
func (p *partition) failed(err error) {
	if p.failures++; p.failures > 1 {
		p.outage.Failed(err, time.Now())
	}
}

func (p *partition) answered() {
	if p.failures > 1 {
		p.outage.Answered(time.Now())
	}
	p.failures = 0
}
