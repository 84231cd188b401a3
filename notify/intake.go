package notify

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// Partition is one partition of a topic while this process owns it.
type Partition interface {
	// Name tells which partition this is and at which offset reading starts.
	Name() (topic string, partition int, next int64)
	// StartAt moves the start, before the first Fetch.
	StartAt(next int64)
	// Fetch waits for one record, then fills dst with those at hand, in order. The bytes of the records belong to the
	// caller: they are read while the next records are fetched. It retries what can be retried and returns an error only
	// when the partition is lost or ctx ends.
	Fetch(ctx context.Context, dst []Record) (n int, err error)
	// Commit tells the broker that everything before next is stored. ErrFenced when the partition is somebody else's.
	Commit(ctx context.Context, next int64) error
}

// ErrFenced means that the partition belongs to another process now.
var ErrFenced = errors.New("the partition belongs to another process now")

// Positions are how far each partition has been stored, from the same transactions as the events.
type Positions interface {
	Position(ctx context.Context, topic string, partition int) (next int64, known bool, err error)
}

// DeadLetters keep the records that can't be understood, where operators look for them.
type DeadLetters interface {
	// Bury returns when all of them are safely written.
	Bury(ctx context.Context, rs []Reject) error
}

const (
	batchSize   = 1000                   // events and messages that a round stores: twice as many gain 8 % and let others wait twice as long
	commitEvery = 100 * time.Millisecond // the least time between two commits of a partition
	repeatLive  = 2 * time.Minute        // how long a repeated event is shown again, see round.publish
	showAhead   = 256                    // records of a batch at most that is shown before it is stored: of more, pages wait for SQL anyway
	intakeGrace = 2 * time.Second        // for storing what was read when the partition is lost: the group waits, and no heartbeat is sent; a session is 6 s
	showAgain   = 4 * time.Second        // what was stored so much later than it was read is shown again: Live forgets what it showed
)

// Intake takes records from Kafka to durable messages. One Intake serves all partitions; each has its own worker.
type Intake struct {
	Decode      func(r *Record, now time.Time, dst *Event) error // *Invalid for what can never be understood
	Cache       Cache
	Store       Store
	Positions   Positions
	DeadLetters DeadLetters
	Live        Live
	Put         func(ms []Message) // takes messages that are due to their dispatchers
	Rules       func() *Rules      // those in force; asked once for every decision on a batch
	Hooks       *Hooks
	Now         func() time.Time

	Kafka, Redis, SQL *Outage
	Burial            *Outage // of the dead-letter topic
}

// worker is what the batches of a partition have in common.
type worker struct {
	*Intake
	topic     string
	partition int
	place     *place
	hurry     chan struct{} // one place: somebody waits for what is on the path
	lost      int64         // what lies before this offset was stored once
	ahead     int64         // where somebody else has left the partition, as long as that is ahead; else 0
	commits   *committer
	stop      context.CancelCauseFunc
}

// Work reads a partition until ctx ends or the partition is lost. What was read by then is stored, handed on and committed if it
// takes no longer than a grace time; otherwise whoever gets the partition reads it again. So a group that is never at rest gets
// on. Work returns nil when ctx has ended, ErrFenced when the partition went elsewhere, ErrRewound when SQL has lost what was read:
// then the partition has to be worked on anew.
func (in *Intake) Work(ctx context.Context, p Partition) error {
	w := &worker{Intake: in, place: &place{}, hurry: make(chan struct{}, 1)}
	w.topic, w.partition, _ = p.Name()
	if err := w.start(ctx, p); err != nil {
		return ended(ctx, err)
	}
	late, release := grace(ctx, intakeGrace)
	defer release()
	finishing, stop := context.WithCancelCause(late)
	w.stop = stop
	reading, quit := context.WithCancel(ctx)
	defer quit()
	defer context.AfterFunc(finishing, quit)()
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(reading, func() { stop(ErrRewound) }) })
	defer watching.Wait()
	defer stop(nil)
	w.commits = newCommitter(reading, in, p)
	defer w.commits.close()
	err := w.work(reading, finishing, p)
	if cause := context.Cause(finishing); cause != nil {
		err = cause // what was read fails with that; reading only fails because of it
	}
	return ended(ctx, err)
}

// work reads batch after batch. Some are on their way into SQL while the next one is read.
func (w *worker) work(reading, finishing context.Context, p Partition) error {
	path := newPath(finishing, w)
	defer path.close()
	records := make([]Record, batchSize)
	for {
		b, size, err := path.free()
		if err != nil {
			return err
		}
		n, err := p.Fetch(reading, records[:size])
		if err := cmp.Or(err, reading.Err()); err != nil { // what comes after the end is not begun
			return err
		}
		if n == 0 {
			continue
		}
		if err := b.run(finishing, records[:n], path); err != nil {
			return err
		}
		path.put(b)
		clear(records[:n]) // the batch has their memory
		if w.commits.fenced() {
			return ErrFenced
		}
	}
}

// ended hides errors once ctx has ended: a stop causes them, or whoever has the partition next meets them again.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// committer tells Kafka how far a partition is stored, off the path of its events: the newest position wins, and the last
// one is told before close returns.
type committer struct {
	next  chan int64 // one place: the newest position
	lost  chan struct{}
	ended sync.WaitGroup
}

func newCommitter(ctx context.Context, in *Intake, p Partition) *committer {
	c := &committer{next: make(chan int64, 1), lost: make(chan struct{})}
	c.ended.Go(func() { c.run(ctx, in, p) })
	return c
}

// upTo replaces a position that was not committed yet. Only the batch that has just been stored calls it.
func (c *committer) upTo(next int64) {
	select {
	case <-c.next:
	default:
	}
	c.next <- next
}

func (c *committer) run(ctx context.Context, in *Intake, p Partition) {
	for next := range c.next {
		err := c.commit(ctx, in, p, next)
		if errors.Is(err, ErrFenced) {
			close(c.lost)
			for range c.next { // until close
			}
			return
		}
		sleep(ctx, commitEvery) // when ctx has ended, what is left is committed at once
	}
}

// commit tells Kafka until it listens: a partition may get no record for days, and would look behind for as long. A newer
// position goes instead of an older one. What is not committed when the worker ends is read again.
func (c *committer) commit(ctx context.Context, in *Intake, p Partition, next int64) error {
	for {
		// The last commit of a generation comes after its context has ended.
		err := p.Commit(context.WithoutCancel(ctx), next)
		switch {
		case err == nil:
			in.Kafka.Answered(in.Now())
			return nil
		case errors.Is(err, ErrFenced):
			return err
		}
		in.Kafka.Failed(err, in.Now())
		if !sleep(ctx, time.Second) {
			return err
		}
		select {
		case newer, open := <-c.next:
			if !open {
				return err
			}
			next = newer
		default:
		}
	}
}

func (c *committer) fenced() bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}

func (c *committer) close() {
	close(c.next)
	c.ended.Wait()
}
