package sqlstore

import (
	"context"
	"database/sql"
)

// statements are those that run with nearly every batch, prepared by Register, by their queries: SQLite needs longer to parse one than
// to run it. There are none for PostgreSQL, whose driver remembers them.
type statements map[string]*sql.Stmt

func (p statements) add(ctx context.Context, db *sql.DB, query string) error {
	stmt, err := db.PrepareContext(ctx, query)
	if err == nil {
		p[query] = stmt
	}
	return err
}

// close ends all of them. Their connections go next, whose errors say more.
func (p statements) close() {
	for _, stmt := range p {
		stmt.Close()
	}
}

// ask reads outside of transactions.
func (s *Store) ask(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.reads[query]; stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return s.read.QueryContext(ctx, query, args...)
}

// askIn reads within a transaction.
func (s *Store) askIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.writes[query]; stmt != nil {
		return tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	}
	return tx.QueryContext(ctx, query, args...)
}

// doIn writes within a transaction.
func (s *Store) doIn(ctx context.Context, tx *sql.Tx, query string, args ...any) (sql.Result, error) {
	if stmt := s.writes[query]; stmt != nil {
		return tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	}
	return tx.ExecContext(ctx, query, args...)
}

// readQueries are those of ask.
func readQueries(d dialect) []string {
	return []string{knownQuery(d), customersQuery(d), subscriptionsQuery(d), headsQuery(d), oursQuery(d)}
}

// writeQueries are those of askIn and doIn, besides the batches.
func writeQueries(d dialect) []string {
	return []string{
		setPosition, movePosition, holdCustomers(d, d.forShare()), beginQuery(d), suppressQuery(d), deferQuery(d), parkedQuery(d),
	}
}
