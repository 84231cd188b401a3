package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"onmyway/notify"
)

// Add implements notify.Store.
func (s *Store) Add(ctx context.Context, b *notify.Batch) error {
	a := &addition{s: s, b: b, inserted: make([]bool, len(b.Events)), ours: s.unsure.stored(b)}
	a.careful = slices.Contains(a.ours, true)
	write := func(tx *sql.Tx) error { return a.write(ctx, tx) }
	rows := len(b.Events) + len(b.Messages)
	err := s.inTxPatiently(ctx, b.Hurry, rows, write)
	if errors.Is(err, errLookCloser) {
		a.careful = true
		err = s.inTxTogether(ctx, rows, write) // it has waited once
	}
	if err != nil {
		if isUnclear(err) {
			s.unsure.mayHaveStored(b, a.inserted)
		}
		return fmt.Errorf("store batch of %d events: %w", len(b.Events), err)
	}
	for i := range b.Events {
		b.Events[i].New = a.inserted[i] || a.ours[i]
	}
	for _, i := range a.replaced {
		if m := &b.Messages[i]; m.State == notify.Pending {
			m.State, m.Reason = notify.Suppressed, notify.Superseded
		}
	}
	s.unsure.settle(b)
	return nil
}

// errLookCloser stops a try that only counted rows, when the count shows that not all is new and as expected.
var errLookCloser = errors.New("not all of the batch is new")

// addition is one try to store a batch. It changes the batch only through Add, when all is durable.
//
// Almost always everything in a batch is new, so the first try only counts the rows that statements meet: having them
// returned costs a fifth of the time. When a count is short, all is rolled back and tried again, carefully.
type addition struct {
	s        *Store
	careful  bool
	b        *notify.Batch
	inserted []bool // by event: it was not there
	ours     []bool // by event: it is there already, from a try of ours whose answer was lost
	replaced []int  // messages of the batch that a later one of the batch supersedes
}

func (a *addition) write(ctx context.Context, tx *sql.Tx) error {
	steps := []struct {
		what string
		do   func(context.Context, *sql.Tx) error
	}{
		{"events", a.events},
		{"order heads and customers", a.profiles},
		{"messages", a.messages},
		{"consents", a.consents},
		{"dead letters", a.letters},
		{"position", a.position},
	}
	for _, step := range steps {
		if err := step.do(ctx, tx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// events inserts those that are not there, under their id or as the same fact. Of repeats within the batch the first is
// inserted, because both engines insert in the order given.
func (a *addition) events(ctx context.Context, tx *sql.Tx) (err error) {
	rows := make(cells, 0, len(a.b.Events)*len(eventColumns))
	first := make(map[notify.ID]int, len(a.b.Events))
	for i := range a.b.Events {
		e := &a.b.Events[i]
		if rows, err = appendEvent(rows, e, a.b.Now); err != nil {
			return err
		}
		if _, repeat := first[e.ID]; !repeat {
			first[e.ID] = i
		}
	}
	if !a.careful {
		for i := range a.inserted {
			a.inserted[i] = true
		}
		return a.all(ctx, tx, insertEvents, rows)
	}
	clear(a.inserted)
	var id notify.ID
	_, err = a.s.run(ctx, tx, insertEvents, rows, func(scan func(...any) error) error {
		if err := scan(idOf{&id}); err != nil {
			return err
		}
		a.inserted[first[id]] = true
		return nil
	})
	return err
}

// all runs a batch that should meet as many rows as it has.
func (a *addition) all(ctx context.Context, tx *sql.Tx, b *batch, rows cells) error {
	n, err := a.s.run(ctx, tx, b, rows, nil)
	if err == nil && int(n) != len(rows)/len(b.given) {
		err = errLookCloser
	}
	return err
}

func (a *addition) letters(ctx context.Context, tx *sql.Tx) (err error) {
	var rows cells
	for i := range a.b.Rejects {
		if rows, err = appendReject(rows, &a.b.Rejects[i]); err != nil {
			return err
		}
	}
	_, err = a.s.run(ctx, tx, insertLetters, rows, nil)
	return err
}

const (
	setPosition = `INSERT INTO positions (topic, part, next) VALUES ($1, $2, $3)
		ON CONFLICT (topic, part) DO UPDATE SET next = excluded.next`
	movePosition = `UPDATE positions SET next = $3 WHERE topic = $1 AND part = $2 AND next IN ($3, $4)`
)

// position may go back: a topic that was made anew begins at 0 again.
func (a *addition) position(ctx context.Context, tx *sql.Tx) error {
	if a.b.Topic == "" {
		return nil
	}
	if !a.b.Since.Known {
		_, err := a.s.doIn(ctx, tx, setPosition, a.b.Topic, a.b.Partition, a.b.Next)
		return err
	}
	done, err := a.s.doIn(ctx, tx, movePosition, a.b.Topic, a.b.Partition, a.b.Next, a.b.Since.Next)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return notify.ErrRewound
}
