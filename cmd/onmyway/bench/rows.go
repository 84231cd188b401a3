package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// rows look into the product's database, from outside: what is durable is what others can read.
type rows struct{ db *sql.DB }

func openSQLite(file string) (*rows, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open the product's database: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &rows{db}, nil
}

func openPostgres(dsn string) (*rows, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the product's database: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &rows{db}, nil
}

func (r *rows) close() error {
	if err := r.db.Close(); err != nil {
		return fmt.Errorf("close the product's database: %w", err)
	}
	return nil
}

// count answers a query with a number.
func (r *rows) count(ctx context.Context, query string) (n int, err error) {
	if err := r.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("ask the product's database: %w", err)
	}
	return n, nil
}

// Positions are written in the transactions of what was read, so their sum is how many records are stored.
const (
	storedRecords = `SELECT COALESCE(SUM(next), 0) FROM positions`
	openMessages  = `SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE state IN ('pending', 'sending', 'verify') LIMIT 1) AS found`
)

// stored waits until n records are stored and returns when they were.
func (r *rows) stored(ctx context.Context, n int) (time.Time, error) {
	return r.until(ctx, storedRecords, func(got int) bool { return got >= n })
}

// settled waits until no message is on its way.
func (r *rows) settled(ctx context.Context) (time.Time, error) {
	return r.until(ctx, openMessages, func(got int) bool { return got == 0 })
}

func (r *rows) until(ctx context.Context, query string, enough func(int) bool) (time.Time, error) {
	last, changed := -1, time.Now()
	for {
		n, err := r.count(ctx, query)
		now := time.Now()
		switch {
		case err != nil:
			return now, err
		case enough(n):
			return now, nil
		case n != last:
			last, changed = n, now
		case now.Sub(changed) > time.Minute:
			return now, fmt.Errorf("nothing moves in the product's database: it stands at %d", n)
		}
		time.Sleep(3 * time.Millisecond)
	}
}

// expect checks a number in the product's database.
func (r *rows) expect(ctx context.Context, want int, query string) error {
	n, err := r.count(ctx, query)
	if err == nil && n != want {
		err = fmt.Errorf("the product's database has %d and should have %d: %s", n, want, query)
	}
	return err
}
