package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// Server is what Inspect saw of the database.
type Server struct {
	Engine   string // "PostgreSQL" or "SQLite"
	Version  string
	Writable bool
	Clock    time.Time     // of the database, as its answer arrived; zero for SQLite, which has none of its own
	Took     time.Duration // of a question and its answer
	Lazy     []string      // settings with which a committed row can be lost: "fsync=off"
	Free     int           // connections that may still be opened; -1 when that is no question
}

// Inspect asks the database what it is. It changes nothing: what it needs the write lock for it rolls back.
func (s *Store) Inspect(ctx context.Context) (Server, error) {
	if _, ok := s.dialect.(lite); ok {
		return s.inspectSQLite(ctx)
	}
	return s.inspectPostgres(ctx)
}

func (s *Store) inspectSQLite(ctx context.Context) (v Server, err error) {
	v.Engine, v.Free = "SQLite", -1
	began := time.Now()
	if err := s.db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&v.Version); err != nil {
		return v, fmt.Errorf("ask SQLite for its version: %w", err)
	}
	v.Took = time.Since(began)
	tx, err := s.db.BeginTx(ctx, nil) // takes the write lock
	if err != nil {
		return v, nil
	}
	v.Writable = true
	return v, tx.Rollback()
}

func (s *Store) inspectPostgres(ctx context.Context) (v Server, err error) {
	v.Engine = "PostgreSQL"
	const q = `SELECT current_setting('server_version'), NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off',
		current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
		current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int`
	var fsync, pages, synchronous string
	row := s.db.QueryRowContext(ctx, q)
	if err := row.Scan(&v.Version, &v.Writable, &fsync, &pages, &synchronous, &v.Free); err != nil {
		return v, fmt.Errorf("ask PostgreSQL for its settings: %w", err)
	}
	for range 2 { // the first time it prepares the statement
		began := time.Now()
		if err := s.db.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&v.Clock); err != nil {
			return v, fmt.Errorf("ask PostgreSQL for the time: %w", err)
		}
		v.Took = time.Since(began)
	}
	v.Clock = v.Clock.Add(v.Took / 2)
	for _, s := range []struct{ name, value string }{{"fsync", fsync}, {"full_page_writes", pages}, {"synchronous_commit", synchronous}} {
		if s.value == "off" {
			v.Lazy = append(v.Lazy, s.name+"=off")
		}
	}
	return v, nil
}
