package sqlstore

import (
	"context"
	"database/sql"
)

// lock proves that a process lives: it falls when the process dies, and only then.
type lock interface {
	// take gets the lock of this process and holds it until release.
	take(ctx context.Context, me string) error
	// dead gets the lock of another process if nobody holds it, for as long as tx lasts or until done is called, so that
	// one peer at a time takes what the dead have left.
	dead(ctx context.Context, tx *sql.Tx, owner string) (dead bool, done func(), err error)
	// migration waits until no other process changes the schema.
	migration() (unlock func(), err error)
	release() error
}
