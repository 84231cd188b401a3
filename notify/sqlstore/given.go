package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
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
	blob
)

type column struct {
	name string
	kind kind
}

// batch is a statement over many rows at once: an INSERT, or an UPDATE that joins them as the table "given".
type batch struct {
	given     []column
	insert    string // INSERT INTO t (…), without the rows
	update    string // UPDATE t SET … FROM given WHERE …
	skip      string // for an INSERT: ON CONFLICT …
	returning string // for callers that want to know which rows were met
}

// insert makes a batch that adds rows of a table and skips those that are there.
func insert(table string, columns []column, returning string) *batch {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return &batch{
		given: columns, insert: "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")",
		skip: " ON CONFLICT DO NOTHING", returning: returning,
	}
}

// insertAll makes a batch that adds rows of a table that must not be there.
func insertAll(table string, columns []column) *batch {
	b := insert(table, columns, "")
	b.skip = ""
	return b
}

// shape is one form of a batch: for a number of rows, and with or without the RETURNING clause.
type shape struct {
	batch     *batch
	rows      int
	returning bool
}

func (s shape) tail() string {
	if s.returning {
		return s.batch.skip + " RETURNING " + s.batch.returning
	}
	return s.batch.skip
}

// queries are the texts of batches, each written once.
type queries struct {
	mu   sync.Mutex
	list map[shape]string
}

func (q *queries) of(f shape, write func(shape) string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	text, there := q.list[f]
	if !there {
		text = write(f)
		q.list[f] = text
	}
	return text
}

// cells are the rows of a batch, one after the other.
type cells []any

// run executes b in tx over all rows and returns how many rows of the database it met. Each, when not nil, is called for
// every one of those with the columns of b.returning; knowing only how many is faster. After an error the caller takes back tx, or
// its savepoint.
func (s *Store) run(ctx context.Context, tx *sql.Tx, b *batch, rows cells, each func(scan func(...any) error) error) (met int64, err error) {
	for len(rows) > 0 {
		n, args := s.dialect.take(b, rows)
		rows = rows[n*len(b.given):]
		count, err := s.runShape(ctx, tx, shape{b, n, each != nil}, args, each)
		if err != nil {
			return met, err
		}
		met += count
	}
	return met, nil
}

func (s *Store) runShape(ctx context.Context, tx *sql.Tx, f shape, args []any, each func(scan func(...any) error) error) (int64, error) {
	query := s.dialect.query(f)
	if each == nil {
		result, err := s.doIn(ctx, tx, query, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	rows, err := s.askIn(ctx, tx, query, args...)
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
