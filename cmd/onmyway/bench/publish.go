package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

const (
	publishers = 4    // at a given rate: each has orders of its own, so that they stay in order
	atOnce     = 5000 // events in one call, as fast as it goes
)

// newWriter is a plain one that waits for all replicas.
func newWriter(list, topic string, batch int) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(brokers(list)...), Topic: topic, Balancer: &kafka.Hash{}, RequiredAcks: kafka.RequireAll,
		BatchSize: batch, BatchBytes: 1 << 20, BatchTimeout: 2 * time.Millisecond, Transport: &kafka.Transport{},
	}
}

func closeWriter(w *kafka.Writer) error {
	err := w.Close()
	if t, ok := w.Transport.(*kafka.Transport); ok {
		t.CloseIdleConnections()
	}
	return err
}

// publish publishes the events from up to to of the deck.
func (ld *load) publish(ctx context.Context, from, to int) error {
	var err error
	if ld.task.Rate > 0 {
		err = ld.paced(ctx, from, to)
	} else {
		err = ld.flood(ctx, from, to)
	}
	if err != nil {
		return fmt.Errorf("publish events: %w", err)
	}
	return nil
}

// flood publishes as fast as it goes.
func (ld *load) flood(ctx context.Context, from, to int) (err error) {
	w := newWriter(ld.task.Brokers, cmp.Or(ld.task.Topic, topic), 500)
	defer func() { err = errors.Join(err, closeWriter(w)) }()
	for ; from < to; from += atOnce {
		end := min(from+atOnce, to)
		for i := from; i < end; i++ {
			ld.leaves(i)
		}
		if err := w.WriteMessages(ctx, ld.deck.records[from:end]...); err != nil {
			return err
		}
	}
	return nil
}

// paced publishes at the rate, each event alone, as producers of single facts do.
func (ld *load) paced(ctx context.Context, from, to int) (err error) {
	w := newWriter(ld.task.Brokers, cmp.Or(ld.task.Topic, topic), 1)
	defer func() { err = errors.Join(err, closeWriter(w)) }()
	began := time.Now()
	var g errgroup.Group
	for worker := range publishers {
		g.Go(func() error {
			for i := from; i < to; i++ {
				if int(ld.deck.order[i])%publishers != worker {
					continue
				}
				time.Sleep(time.Until(began.Add(time.Duration(i-from) * time.Second / time.Duration(ld.task.Rate))))
				ld.leaves(i)
				if err := w.WriteMessages(ctx, ld.deck.records[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// leaves notes when an event leaves.
func (ld *load) leaves(i int) {
	ld.sent[ld.deck.slot(int(ld.deck.order[i]), int(ld.deck.place[i]))].Store(time.Now().UnixNano())
}
