//go:build bad_reader_commit

package kafkasource

import (
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// later commits in the name of the next generation what its own refuses, as a reader does that keeps one queue of commits
// for all of them. The fault-injection harness must find out that this moves a group back.
type later struct{ own *kafka.Generation }

var newest atomic.Pointer[kafka.Generation] // that has committed

func (p *partition) generation() later { return later{p.gen} }

func (l later) CommitOffsets(offsets map[string]map[int]int64) error {
	if err := l.own.CommitOffsets(offsets); err == nil {
		newest.Store(l.own)
		return nil
	}
	go func() {
		for range 1000 {
			time.Sleep(10 * time.Millisecond)
			if n := newest.Load(); n != nil && n.ID > l.own.ID {
				_ = n.CommitOffsets(offsets)
				return
			}
		}
	}()
	return nil
}
