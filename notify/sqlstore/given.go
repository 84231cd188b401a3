package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// kind is the type of a column of a batch. Zero values of the nullable kinds become NULL.
type kind int

const (
	text kind = iota
	maybeText
	integer
	boolean
	ident      // an id: 16 bytes
	maybeIdent // nil becomes NULL
	binary
)

type column struct {
	name string
	kind kind
}

// batch is a statement over many rows at once. They stand in its table "given".
type batch struct {
	given []column
	do    string
}

// insert makes a batch that adds rows of a table and skips those that are there.
func insert(table string, columns []column, tail string) *batch {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	// WHERE true keeps SQLite from reading ON as part of a join.
	return &batch{given: columns, do: "INSERT INTO " + table + " (" + strings.Join(names, ", ") +
		") SELECT * FROM given WHERE true " + tail}
}

// header names the table "given".
func (b *batch) header() string {
	var q strings.Builder
	for i, c := range b.given {
		q.WriteString([]string{", ", "WITH given ("}[btoi(i == 0)])
		q.WriteString(c.name)
	}
	return q.String() + ") AS "
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cells are the rows of a batch, one after the other.
type cells []any

// run executes b in tx over all rows and returns how many rows of the database it met. Each is called for every row that
// the statement returns; nil for statements that return none.
func (s *Store) run(ctx context.Context, tx *sql.Tx, b *batch, rows cells, each func(scan func(...any) error) error) (int64, error) {
	var met int64
	for len(rows) > 0 {
		n, args, q := s.dialect.take(b, rows)
		rows = rows[n*len(b.given):]
		var count int64
		var err error
		if stmt := s.prepared[shape{b, n}]; stmt != nil {
			count, err = collect(each,
				func() (*sql.Rows, error) { return tx.StmtContext(ctx, stmt).QueryContext(ctx, args...) },
				func() (sql.Result, error) { return tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) })
		} else {
			count, err = collect(each,
				func() (*sql.Rows, error) { return tx.QueryContext(ctx, q(), args...) },
				func() (sql.Result, error) { return tx.ExecContext(ctx, q(), args...) })
		}
		if err != nil {
			return met, err
		}
		met += count
	}
	return met, nil
}

func collect(each func(func(...any) error) error, query func() (*sql.Rows, error), exec func() (sql.Result, error)) (int64, error) {
	if each == nil {
		result, err := exec()
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	rows, err := query()
	if err != nil {
		return 0, err
	}
	return drain(rows, each)
}

// drain calls each for every row, closes rows and returns how many there were.
func drain(rows *sql.Rows, each func(scan func(...any) error) error) (n int64, err error) {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return n, fmt.Errorf("read row: %w", err)
		}
		n++
	}
	return n, rows.Err()
}
