package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

// commitTries bounds how often a coordinator that is busy is asked. What is not committed now is committed with the next
// batch, or read again.
const commitTries = 3

// Commit tells Kafka that everything before next is stored. It speaks for the generation that gave the partition, so a
// partition that went elsewhere in the meantime is not touched: ErrFenced. So is a generation whose connection broke,
// because nothing can be committed on it any more. ctx ends the waiting between tries and not a request, which takes 5 s
// at most.
func (p *partition) Commit(ctx context.Context, next int64) error {
	offsets := map[string]map[int]int64{p.topic: {p.id: next}}
	for try := 1; ; try++ {
		err := p.generation().CommitOffsets(offsets)
		switch {
		case err == nil:
			p.committed.Store(next)
			return nil
		case !busy(err):
			return fmt.Errorf("commit offset %d of %s/%d: %w: %w", next, p.topic, p.id, notify.ErrFenced, err)
		case try == commitTries || !sleep(ctx, time.Duration(try)*firstWait):
			return fmt.Errorf("commit offset %d of %s/%d: %w", next, p.topic, p.id, err)
		}
	}
}

// busy tells that the coordinator is the right one and can't store the offset just now.
func busy(err error) bool {
	return errors.Is(err, kafka.GroupLoadInProgress) || errors.Is(err, kafka.RequestTimedOut) ||
		errors.Is(err, kafka.NotEnoughReplicas) || errors.Is(err, kafka.NotEnoughReplicasAfterAppend)
}
