//go:build bad_reader_commit

package kafkasource

import (
	"sync/atomic"

	"github.com/segmentio/kafka-go"
)

var newest atomic.Pointer[kafka.Generation]

// generation is the newest one, whoever it gave the partition to. The fault-injection harness must find out that commits
// then move a group back.
func (p *partition) generation() *kafka.Generation {
	if n := newest.Load(); n != nil && n.ID >= p.gen.ID {
		return n
	}
	newest.Store(p.gen)
	return p.gen
}
