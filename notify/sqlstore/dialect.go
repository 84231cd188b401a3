package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pressly/goose/v3"

	"onmyway/notify"
)

// dialect is what the engines do differently.
type dialect interface {
	// migrations are the steps of the schema and how goose applies them.
	migrations() (folder string, files embed.FS, engine goose.Dialect, options []goose.ProviderOption)
	// take makes the arguments for the first n rows of a batch.
	take(b *batch, rows cells) (n int, args []any)
	// query writes the statement for a batch of n rows.
	query(f shape) string
	// ids and texts make one argument of a list; inIDs and inTexts write the comparison with argument n.
	ids(ids []notify.ID) any
	texts(texts []string) any
	inIDs(n int) string
	inTexts(n int) string
	// by makes a SELECT use an index, where the engine has to be told.
	by(index string) string
	// among selects those of the latest rows of a list that pass a filter. Floor gives the first row that is too old.
	among(from, floor, filter string, latest int) string
	// forUpdate, forShare and skipLocked lock the rows that a SELECT reads.
	forUpdate() string
	forShare() string
	skipLocked() string
	// refuses tells that an error is about the data itself.
	refuses(err error) bool
	// collides tells that a transaction was in the way of this one, which ended without effect.
	collides(err error) bool
}

// unclear is the error of a COMMIT: what it did is not known.
type unclear struct{ err error }

func (u *unclear) Error() string { return "commit: " + u.err.Error() }
func (u *unclear) Unwrap() error { return u.err }

// inTx runs f in a transaction. The error is an *unclear when only COMMIT failed.
func (s *Store) inTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		tx.Rollback() // what went wrong before says more
		return s.judged(err)
	}
	if err := s.commit(tx); err != nil {
		return &unclear{err}
	}
	return nil
}

// judged marks an error that is about the data itself.
func (s *Store) judged(err error) error {
	if err != nil && s.dialect.refuses(err) {
		return fmt.Errorf("%w: %w", notify.ErrBadRow, err)
	}
	return err
}

// inTxAgain is inTx for an f that may run again: a transaction that was in the way is done by then.
func (s *Store) inTxAgain(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.untilFree(func() error { return s.inTx(ctx, f) })
}

// untilFree runs a transaction again that another one was in the way of.
func (s *Store) untilFree(run func() error) error {
	const tries = 5
	for try := 1; ; try++ {
		if err := run(); err == nil || try == tries || isUnclear(err) || !s.dialect.collides(err) {
			return err
		}
	}
}

func isUnclear(err error) bool {
	var u *unclear
	return errors.As(err, &u)
}

// millis is how a time is stored.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// idOf reads an id from the bytes of SQLite and the text of PostgreSQL. NULL is no id.
type idOf struct{ id *notify.ID }

// Scan implements sql.Scanner.
func (s idOf) Scan(src any) (err error) {
	switch v := src.(type) {
	case nil:
		*s.id = notify.ID{}
	case []byte:
		if len(v) != len(s.id) {
			return notify.ErrID
		}
		copy(s.id[:], v)
	case string:
		*s.id, err = notify.ParseID(v)
	default:
		err = notify.ErrID
	}
	return err
}

// timeIn reads a time.
type timeIn struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s timeIn) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", src)
	}
	*s.t = timeOf(v)
	return nil
}

// optionalID is the argument for an id that may be absent.
func optionalID(id notify.ID) any {
	if id.IsZero() {
		return []byte(nil)
	}
	return id[:]
}

// clean tells whether both engines can hold all of the texts. PostgreSQL refuses NUL and broken UTF-8; SQLite would take
// them and truncate at the NUL in its functions.
func clean(texts ...string) bool {
	for _, t := range texts {
		if strings.IndexByte(t, 0) >= 0 || !utf8.ValidString(t) {
			return false
		}
	}
	return true
}
