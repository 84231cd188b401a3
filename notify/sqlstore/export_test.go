package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"onmyway/notify"
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

// ListQuery is one statement of Find.
type ListQuery struct {
	Table, Index, SQL string
	Args              []any
	Short             bool // looks through the latest rows alone
}

// Lists are the statements that Find may run for a query.
func (s *Store) Lists(ctx context.Context, q notify.Query) (all []ListQuery, err error) {
	add := func(l list) {
		index := l.index
		if index == "" {
			index = map[string]string{"events": "events_pkey", "messages": "messages_pkey"}[l.table]
			if _, ok := s.dialect.(lite); ok {
				index = "sqlite_autoindex_" + l.table + "_1"
			}
		}
		all = append(all, ListQuery{l.table, index, l.query(s.dialect), l.args, l.latest > 0})
	}
	if q.Channel != notify.WebSocket {
		add(messagesList(&q))
	}
	if !asksShown(&q) {
		return all, nil
	}
	if q.CustomerID != "" && q.OrderID == "" {
		many, err := s.hasManyOrders(ctx, q.CustomerID)
		if many || err != nil {
			add(latestEventsList(&q))
			return all, err
		}
	}
	add(eventsList(&q))
	return all, nil
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string {
	if _, ok := s.dialect.(lite); ok {
		return "sqlite"
	}
	return "postgres"
}

// Patiently is inTxPatiently.
func (s *Store) Patiently(ctx context.Context, hurry <-chan struct{}, rows int, f func(tx *sql.Tx) error) error {
	return s.inTxPatiently(ctx, hurry, rows, f)
}

// Together is inTxTogether.
func (s *Store) Together(ctx context.Context, rows int, f func(tx *sql.Tx) error) error {
	return s.inTxTogether(ctx, rows, f)
}

// Waiting is how many parts wait for a transaction.
func (s *Store) Waiting() int {
	s.together.mu.Lock()
	defer s.together.mu.Unlock()
	return len(s.together.waiting)
}

// CountCommits counts transactions from here on.
func (s *Store) CountCommits(n *int) {
	commit := s.commit
	s.commit = func(tx *sql.Tx) error { *n++; return commit(tx) }
}
