package sqlstore

import (
	"database/sql"
	"errors"
)

// ErrLost is what a lost COMMIT answers.
var ErrLost = errors.New("the answer was lost")

// LoseCommits makes the next n transactions lose the answer of their COMMIT, after it took effect or before.
func (s *Store) LoseCommits(n int, takesEffect bool) {
	s.commit = func(tx *sql.Tx) error {
		if n == 0 {
			return tx.Commit()
		}
		n--
		if takesEffect {
			if err := tx.Commit(); err != nil {
				return err
			}
		} else if err := tx.Rollback(); err != nil {
			return err
		}
		return ErrLost
	}
}

// LockSession is the number of the server process that holds the lock of this node.
const LockSession = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
	AND (classid::bigint << 32 | objid::bigint) = $1`

// LockNumber is the advisory lock of this node.
func (s *Store) LockNumber() int64 { return lockNumber(s.me) }

// DB is the pool that writes.
func (s *Store) DB() *sql.DB { return s.db }
