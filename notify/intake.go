package notify

import (
	"context"
	"errors"
)

// Partition is one partition of a topic while this process owns it.
type Partition interface {
	// Name tells which partition this is and at which offset reading starts.
	Name() (topic string, partition int, next int64)
	// StartAt moves the start, before the first Fetch.
	StartAt(next int64)
	// Fetch waits for one record, then fills dst with those at hand, in order. The bytes of the records are good until
	// the next Fetch. It retries what can be retried and returns an error only when the partition is lost or ctx ends.
	Fetch(ctx context.Context, dst []Record) (n int, err error)
	// Commit tells the broker that everything before next is stored. ErrFenced when the partition is somebody else's.
	Commit(ctx context.Context, next int64) error
}

// ErrFenced means that the partition belongs to another process now.
var ErrFenced = errors.New("the partition belongs to another process now")
