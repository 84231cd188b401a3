package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"
)

// together makes one transaction of those that come while SQLite is busy with another one, or while the first of them has
// patience. They would wait for each other anyway, and then each for the disk. What fails takes back its own part alone.
type together struct {
	mu      sync.Mutex
	waiting []*part
	busy    bool          // somebody leads
	enough  chan struct{} // closed when the leader has waited enough; nil while it does not wait
}

// part is a transaction that may be one of several. Run may run more than once.
type part struct {
	ctx  context.Context
	rows int
	run  func(tx *sql.Tx) error
	told chan outcome // one place
	// until is when it begins at the latest, though alone, and hurry may give something before that. Zero and nil: at once.
	until time.Time
	hurry <-chan struct{}
}

// outcome is what a part is told: to lead, or how it ended.
type outcome struct {
	lead bool
	err  error
}

// togetherRows is how many rows a transaction of several parts has at most: beyond, waiting for the disk is a small part of
// it, and those that wait for it wait for others' rows.
const togetherRows = 512

// patientRows is when a transaction is large enough: its rows cost several times what its COMMIT does.
const patientRows = 256

// errTorn means that a transaction ended before its time: SQLite takes all of it back when a statement is interrupted or the
// disk is full.
var errTorn = errors.New("the transaction has ended before its time")

// inTxTogether is inTx for an f of some rows that may run again. In PostgreSQL, where transactions do not wait for each other,
// it is inTx.
func (s *Store) inTxTogether(ctx context.Context, rows int, f func(tx *sql.Tx) error) error {
	return s.inTxPatiently(ctx, nil, rows, f)
}

// inTxPatiently is inTxTogether for an f that may wait for others, for the length of Patience, until hurry gives something or one
// comes that can't wait. Nobody waits in PostgreSQL, and nobody whose hurry is nil.
func (s *Store) inTxPatiently(ctx context.Context, hurry <-chan struct{}, rows int, f func(tx *sql.Tx) error) error {
	if s.together == nil {
		return s.inTx(ctx, f)
	}
	p := &part{ctx: ctx, rows: rows, run: f, told: make(chan outcome, 1)}
	if hurry != nil && s.Patience > 0 {
		p.until, p.hurry = time.Now().Add(s.Patience), hurry
	}
	if lead := s.together.join(p); !lead {
		if o := s.together.await(p); !o.lead {
			return o.err
		}
	}
	s.together.gather(p)
	parts := s.together.take()
	errs := s.runParts(parts)
	s.together.pass()
	for i, other := range parts[1:] {
		other.told <- outcome{err: errs[i+1]}
	}
	return errs[0]
}

// join adds a part and tells whether it leads, because nobody else does.
func (t *together) join(p *part) (lead bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, p)
	lead, t.busy = !t.busy, true
	t.hasten()
	return lead
}

// await returns what a part is told that does not lead from the start.
func (t *together) await(p *part) outcome {
	gone := p.ctx.Done()
	for {
		select {
		case o := <-p.told:
			return o
		case <-p.hurry:
			t.rush(p)
		case <-gone:
			if t.leave(p) {
				return outcome{err: p.ctx.Err()}
			}
			gone = nil // it is on its way
		}
	}
}

// rush takes the patience of a part.
func (t *together) rush(p *part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.until, p.hurry = time.Time{}, nil
	t.hasten()
}

// hasten ends the waiting of the leader when not all have the patience any more. The caller holds mu.
func (t *together) hasten() {
	if t.enough != nil && !t.patient() {
		close(t.enough)
		t.enough = nil
	}
}

// patient tells whether all that wait would rather wait for others.
func (t *together) patient() bool {
	rows := 0
	for _, p := range t.waiting {
		rows += p.rows
		if p.until.IsZero() {
			return false
		}
	}
	return rows < patientRows
}

// gather lets the leader wait for others, as long as everybody has the patience.
func (t *together) gather(leader *part) {
	t.mu.Lock()
	if !t.patient() {
		t.mu.Unlock()
		return
	}
	enough := make(chan struct{})
	t.enough = enough
	t.mu.Unlock()
	over := time.NewTimer(time.Until(leader.until))
	defer over.Stop()
	select {
	case <-enough:
	case <-over.C:
	case <-leader.hurry:
	case <-leader.ctx.Done():
	}
	t.mu.Lock()
	t.enough = nil
	t.mu.Unlock()
}

// leave takes a part out that nobody has begun with.
func (t *together) leave(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, p)
	if i < 0 || len(p.told) > 0 {
		return false
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	return true
}

// take gives the leader, who waits first, and those who fit.
func (t *together) take() []*part {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, rows := 1, t.waiting[0].rows
	for n < len(t.waiting) && rows+t.waiting[n].rows <= togetherRows {
		rows += t.waiting[n].rows
		n++
	}
	parts := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	return parts
}

// pass makes the next one lead.
func (t *together) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy = len(t.waiting) > 0; t.busy {
		t.waiting[0].told <- outcome{lead: true}
	}
}

// runParts runs parts in one transaction and returns how each of them ended.
func (s *Store) runParts(parts []*part) []error {
	errs := make([]error, len(parts))
	if len(parts) == 1 {
		errs[0] = s.inTx(parts[0].ctx, parts[0].run)
		return errs
	}
	err := s.inTx(context.Background(), func(tx *sql.Tx) error {
		for i, p := range parts {
			if errs[i] = s.runPart(tx, p); errors.Is(errs[i], errTorn) {
				return errTorn
			}
		}
		return nil
	})
	for i, p := range parts {
		switch {
		case errors.Is(err, errTorn): // nobody knows whose fault it was
			errs[i] = s.inTx(p.ctx, p.run)
		case err != nil && errs[i] == nil:
			errs[i] = err
		}
	}
	return errs
}

// runPart runs one part, and takes back what it did when it fails.
func (s *Store) runPart(tx *sql.Tx, p *part) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if _, err := tx.Exec("SAVEPOINT part"); err != nil {
		return errTorn
	}
	failed := p.run(tx)
	if failed != nil {
		if _, err := tx.Exec("ROLLBACK TO part"); err != nil {
			return errTorn
		}
	}
	if _, err := tx.Exec("RELEASE part"); err != nil {
		return errTorn
	}
	return s.judged(failed)
}
