package notify

import (
	"context"
	"slices"
	"sync"
)

// path takes the batches of a partition into SQL, in the order in which they were read. Those that were decided while another
// one was stored are stored as one.
type path struct {
	worker   *worker
	underway []*queued // the oldest first
	spare    []*round
	rows     int          // of those under way
	size     int          // records that the next batch should have at most
	queue    chan *queued // to be stored: put sends, close closes; never full, since no more than its places are under way
	storing  sync.WaitGroup
}

// So many batches of a partition are on their way at most, and so many rows: beyond, the worker waits. Two large batches are one that
// is stored and one that is read; of more, the last ones would wait so long that they are decided and shown again. Of small ones
// there are as many as come while SQLite writes its log back, which takes it some tenths of a second.
const (
	pathLength  = 256
	spareRounds = 32 // are kept for batches to come; only one large one
	pathRows    = 2 * batchSize
)

// queued is a batch on the path. What the worker reads of it does not change any more.
type queued struct {
	round   *round
	rows    int
	decided bool // round.foreseen when it was put: storing changes that one
	done    chan struct{}
	err     error // when done
	amended bool  // when done: SQL has something else of it than was decided before
}

// newPath starts to store beside the worker, until close. When storing fails it stops the worker with that error.
func newPath(ctx context.Context, w *worker) *path {
	p := &path{worker: w, size: batchSize, queue: make(chan *queued, pathLength)}
	p.storing.Go(func() { p.store(ctx) })
	return p
}

// close waits for the end of all that is on the path, which waits for nobody any more.
func (p *path) close() {
	_ = p.clear() // the worker returns why it ends; what could not be stored stops it
	close(p.queue)
	p.storing.Wait()
}

// store lets one batch after the other come to its end.
func (p *path) store(ctx context.Context) {
	all := newRound(p.worker)
	var err error
	for first := range p.queue {
		select {
		case <-p.worker.hurry: // for what is in the queue by now: it is in this group
		default:
		}
		group, b := p.group(first), first.round
		if first.decided { // also a single one is copied: storing may decide it again, and the worker reads it meanwhile
			b = all
			b.merge(group)
		}
		if err == nil { // else it comes after one that failed
			err = b.finish(ctx)
		}
		if err != nil {
			p.worker.stop(err)
		}
		for _, s := range group {
			s.err, s.amended = err, !b.foreseen || b.stored < len(b.work)
			close(s.done)
		}
	}
}

// group is a batch with those that were decided behind it meanwhile, as far as they fit.
func (p *path) group(first *queued) []*queued {
	group := []*queued{first}
	for rows := first.rows; first.decided && rows < batchSize; {
		select {
		case s, open := <-p.queue:
			if !open {
				return group
			}
			group = append(group, s) // decided, too: one that is not waits for those before it
			rows += s.rows
		default:
			return group
		}
	}
	return group
}

// free gives a batch that nobody uses any more, and how many records it should have at most. It waits for the oldest where all
// places are taken, and returns the error of one that could not be stored.
func (p *path) free() (*round, int, error) {
	for len(p.underway) > 0 && (p.underway[0].over() || len(p.underway) == pathLength || p.rows >= pathRows) {
		oldest := p.underway[0]
		if err := oldest.wait(); err != nil {
			return nil, 0, err
		}
		p.size, p.rows, p.underway = oldest.round.fit(), p.rows-oldest.rows, p.underway[1:]
		clear(oldest.round.records)
		if large := cap(oldest.round.records) > 2*showAhead; len(p.spare) == 0 || !large && len(p.spare) < spareRounds {
			p.spare = append(p.spare, oldest.round)
		}
	}
	if len(p.spare) == 0 {
		return newRound(p.worker), p.size, nil
	}
	last := len(p.spare) - 1
	b := p.spare[last]
	p.spare = p.spare[:last]
	return b, p.size, nil
}

// put sends a batch on its way. There is a place for it, since there was a free one.
func (p *path) put(b *round) {
	s := &queued{round: b, rows: b.rows(), decided: b.foreseen, done: make(chan struct{})}
	p.rows += s.rows
	p.underway = append(p.underway, s)
	told := b.messages > 0 // read here: what is in the queue is not the worker's any more
	p.queue <- s
	if told {
		select { // messages leave when they are stored: what is stored before them should not wait for others
		case b.hurry <- struct{}{}:
		default:
		}
	}
}

// clear waits until all that is on the path is stored, and returns the error of what was not.
func (p *path) clear() error {
	if len(p.underway) == 0 {
		return nil
	}
	return p.underway[len(p.underway)-1].wait()
}

// await notes in b.after which batches b goes on from. Where it can't go on from a decision, it waits until SQL has that, and
// returns its error.
func (p *path) await(b *round) error {
	b.after = b.after[:0]
	for i := len(p.underway) - 1; i >= 0 && !p.underway[i].over(); i-- {
		s := p.underway[i]
		follows, waits := s.before(b)
		if waits {
			return s.wait()
		}
		if follows {
			b.after = append(b.after, s)
		}
	}
	return nil
}

// wait returns how the batch ended. Whatever is stored until then waits for nobody.
func (s *queued) wait() error {
	for !s.over() {
		select {
		case <-s.done:
		case s.round.hurry <- struct{}{}:
		}
	}
	return s.err
}

func (s *queued) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// before tells how a later batch depends on this one: it follows from its decision, or has to wait until SQL has it.
func (s *queued) before(later *round) (follows, waits bool) {
	for o := range later.orders {
		follows = follows || s.round.has(o)
	}
	waits = follows && (!s.decided || later.repeats(s.round))
	for c := range later.customers {
		i, there := s.round.customers[c]
		waits = waits || there && (!s.decided || s.round.learned[i])
	}
	return follows, waits
}

// repeats tells whether an event of an earlier batch comes again.
func (b *round) repeats(earlier *round) bool {
	return slices.ContainsFunc(b.events, func(e Event) bool { return earlier.taken[e.ID] })
}
