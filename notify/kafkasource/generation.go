//go:build !bad_reader_commit

package kafkasource

import "github.com/segmentio/kafka-go"

// generation is the one that gave us the partition. Its commits are refused when the partition has gone elsewhere.
func (p *partition) generation() *kafka.Generation { return p.gen }
