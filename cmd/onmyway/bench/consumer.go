package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// newReader is a plain consumer in a group, with the settings that a reader of the library's documents would choose.
func newReader(list, group string) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: brokers(list), GroupID: group, Topic: topic, MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 500 * time.Millisecond,
		QueueCapacity: 4096, CommitInterval: time.Second, StartOffset: kafka.FirstOffset,
	})
}

// consume is the bare consumer: it hands on each record and commits, until ctx ends.
func consume(ctx context.Context, list, group string, take func(value []byte)) (err error) {
	r := newReader(list, group)
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		m, err := r.FetchMessage(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("fetch a record: %w", err)
		}
		take(m.Value)
		if err := r.CommitMessages(ctx, m); err != nil && ctx.Err() == nil {
			return fmt.Errorf("commit a record: %w", err)
		}
	}
}

type consumerTask struct {
	Brokers, Group string
	Records        int
}

type consumerAnswer struct {
	Seconds  float64 // from the first record to the last
	Distinct int     // events among them
}

// runConsumer is the part that reads what is in a topic, once, and does nothing with it.
func runConsumer(ctx context.Context, l *line) error {
	var task consumerTask
	l.hear(&task)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := make(map[[2]int]bool, task.Records)
	var a consumerAnswer
	var began time.Time
	read := 0
	err := consume(ctx, task.Brokers, task.Group, func(value []byte) {
		if began.IsZero() {
			began = time.Now()
		}
		order, place, _ := readFact(value)
		seen[[2]int{order, place}] = true
		if read++; read == task.Records {
			a.Seconds = time.Since(began).Seconds()
			cancel()
		}
	})
	a.Distinct = len(seen)
	return errors.Join(err, l.say(a))
}
