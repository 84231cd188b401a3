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
	oneByOne   = 2000 // events a second that they publish each alone: more would take the processors from what they measure
	atOnce     = 5000 // events in one call, at most
	// linger is for how long what is due is gathered before a call, as by Kafka 4's own producer; the clock of an event starts after it.
	linger = 5 * time.Millisecond
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
	switch rate := ld.task.Rate; {
	case rate > oneByOne:
		err = ld.stream(ctx, from, to)
	case rate > 0:
		err = ld.paced(ctx, from, to)
	default:
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
		if err := ld.call(ctx, w, from, min(from+atOnce, to)); err != nil {
			return err
		}
	}
	return nil
}

// stream publishes at a rate that single events can't reach: what is due leaves together, one call after the other.
func (ld *load) stream(ctx context.Context, from, to int) (err error) {
	w := newWriter(ld.task.Brokers, cmp.Or(ld.task.Topic, topic), 500)
	defer func() { err = errors.Join(err, closeWriter(w)) }()
	for began, first := time.Now(), from; from < to; {
		time.Sleep(linger)
		due := first + int(time.Since(began).Seconds()*float64(ld.task.Rate))
		end := min(due, from+atOnce, to)
		if err := ld.call(ctx, w, from, end); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// call publishes events together, and returns when Kafka has them.
func (ld *load) call(ctx context.Context, w *kafka.Writer, from, to int) error {
	for i := from; i < to; i++ {
		ld.leaves(i)
	}
	return w.WriteMessages(ctx, ld.deck.records[from:to]...)
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
