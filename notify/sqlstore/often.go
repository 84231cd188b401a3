package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// often are statements that run with nearly every batch, prepared: SQLite needs longer to understand one of them than to run it.
// The driver of PostgreSQL remembers them by itself, and has no such list.
type often struct {
	db   *sql.DB
	mu   sync.Mutex
	list map[string]*sql.Stmt
}

func newOften(db *sql.DB) *often { return &often{db: db, list: map[string]*sql.Stmt{}} }

// stmt is the statement of a query, which is one of few.
func (o *often) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if stmt := o.list[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := o.db.PrepareContext(ctx, query)
	if err == nil {
		o.list[query] = stmt
	}
	return stmt, err
}

// in is the statement of a query for a transaction; nil where it was not prepared before: one can't be while the only connection
// is taken.
func (o *often) in(ctx context.Context, tx *sql.Tx, query string) *sql.Stmt {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	stmt := o.list[query]
	o.mu.Unlock()
	if stmt == nil {
		return nil
	}
	return tx.StmtContext(ctx, stmt)
}

func (o *often) close() (err error) {
	if o == nil {
		return nil
	}
	for _, stmt := range o.list {
		err = errors.Join(err, stmt.Close())
	}
	return err
}

// ask reads outside of transactions, with a query that is asked often.
func (s *Store) ask(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s.asked == nil {
		return s.read.QueryContext(ctx, query, args...)
	}
	stmt, err := s.asked.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// askIn reads within a transaction.
func (s *Store) askIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.done.in(ctx, tx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return tx.QueryContext(ctx, query, args...)
}

// doIn writes within a transaction.
func (s *Store) doIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (sql.Result, error) {
	if stmt := s.done.in(ctx, tx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, query, args...)
}

// doneOften are the queries of askIn and doIn.
func doneOften(d dialect) []string {
	return []string{
		setPosition, movePosition, holdCustomers(d), beginQuery(d), suppressQuery(d), deferQuery(d), parkedQuery(d),
	}
}
