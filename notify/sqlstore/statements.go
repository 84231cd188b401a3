package sqlstore

import (
	"context"
	"database/sql"
	"sync"
)

// statements are those that run with nearly every batch, prepared once: SQLite needs longer to parse one than to run it. They are nil
// for PostgreSQL, whose driver remembers them.
type statements struct {
	db   *sql.DB
	mu   sync.Mutex
	list map[string]*sql.Stmt
}

func newStatements(db *sql.DB) *statements { return &statements{db: db, list: map[string]*sql.Stmt{}} }

// stmt is the statement of a query, which is one of few.
func (p *statements) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt := p.list[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := p.db.PrepareContext(ctx, query)
	if err == nil {
		p.list[query] = stmt
	}
	return stmt, err
}

// in is the statement of a query for a transaction; nil where it was not prepared before: one can't be while the only connection
// is taken.
func (p *statements) in(ctx context.Context, tx *sql.Tx, query string) *sql.Stmt {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	stmt := p.list[query]
	p.mu.Unlock()
	if stmt == nil {
		return nil
	}
	return tx.StmtContext(ctx, stmt)
}

// close ends all of them. Their connections go next, whose errors say more.
func (p *statements) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stmt := range p.list {
		stmt.Close()
	}
}

// ask reads outside of transactions, with a query that is asked often.
func (s *Store) ask(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s.reads == nil {
		return s.read.QueryContext(ctx, query, args...)
	}
	stmt, err := s.reads.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// askIn reads within a transaction.
func (s *Store) askIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.writes.in(ctx, tx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return tx.QueryContext(ctx, query, args...)
}

// doIn writes within a transaction.
func (s *Store) doIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (sql.Result, error) {
	if stmt := s.writes.in(ctx, tx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, query, args...)
}

// writeQueries are the queries of askIn and doIn.
func writeQueries(d dialect) []string {
	return []string{
		setPosition, movePosition, holdCustomers(d, d.forShare()), beginQuery(d), suppressQuery(d), deferQuery(d), parkedQuery(d),
	}
}
