package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// writerTask names a database of the product, whose rows are written again to another file.
type writerTask struct {
	From, To string
	Texts    bool // also its messages, with the steps that they went through
}

type writerAnswer struct {
	Seconds float64
	Events  int
	Texts   int
}

// writeBatch is how many events go into a transaction: beyond, it gains nothing.
const writeBatch = 2000

// writer is the bare batch writer: it has all rows in memory, decides nothing, and writes them with the schema and the
// settings of SQLite that the product has. It is what the database itself can do.
type writer struct {
	db                                *sql.DB
	events, heads, customers, message *table
	headOf                            map[string][]any // by order and line
	customerOf                        map[any][]any
}

// table is one with its rows, in the order in which they were inserted.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

// runWriter is the part that measures it.
func runWriter(ctx context.Context, l *line) (err error) {
	var task writerTask
	l.hear(&task)
	from, err := openSQLite(task.From)
	if err != nil {
		return err
	}
	w := &writer{}
	if err := errors.Join(w.load(ctx, from.db, task), from.close()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.db.Close()) }()
	jobs := w.jobs(task.Texts)
	began := time.Now()
	for i := range jobs {
		if err := w.write(ctx, &jobs[i]); err != nil {
			return fmt.Errorf("write %d rows: %w", len(jobs[i].events), err)
		}
	}
	a := writerAnswer{Seconds: time.Since(began).Seconds()}
	again := &rows{w.db}
	if a.Events, err = again.count(ctx, `SELECT COUNT(*) FROM events`); err != nil {
		return err
	}
	if a.Texts, err = again.count(ctx, `SELECT COUNT(*) FROM messages WHERE state = 'accepted'`); err != nil {
		return err
	}
	return l.say(a)
}

// load reads the rows into memory and makes the empty database.
func (w *writer) load(ctx context.Context, from *sql.DB, task writerTask) (err error) {
	for _, t := range []struct {
		name string
		into **table
	}{{"events", &w.events}, {"order_heads", &w.heads}, {"customers", &w.customers}, {"messages", &w.message}} {
		if *t.into, err = readTable(ctx, from, t.name); err != nil {
			return err
		}
	}
	w.headOf, w.customerOf = map[string][]any{}, map[any][]any{}
	for _, row := range w.heads.rows {
		w.headOf[w.heads.key(row)] = row
	}
	for _, row := range w.customers.rows {
		w.customerOf[row[w.customers.at("id")]] = row
	}
	if w.db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: task.To}).EscapedPath()+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(16384)&_txlock=immediate"); err != nil {
		return fmt.Errorf("open the writer's database: %w", err)
	}
	w.db.SetMaxOpenConns(1)
	return copySchema(ctx, from, w.db)
}

func readTable(ctx context.Context, db *sql.DB, name string) (*table, error) {
	found, err := db.QueryContext(ctx, "SELECT * FROM "+name+" ORDER BY rowid")
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	defer func() { _ = found.Close() }()
	t := &table{name: name}
	if t.columns, err = found.Columns(); err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	for found.Next() {
		row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, fmt.Errorf("read table %s: %w", name, err)
		}
		t.rows = append(t.rows, row)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	return t, nil
}

// copySchema makes the tables and indexes of one database in another.
func copySchema(ctx context.Context, from, to *sql.DB) error {
	found, err := from.QueryContext(ctx, `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`)
	if err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var statement string
		if err := found.Scan(&statement); err != nil {
			return fmt.Errorf("read the schema: %w", err)
		}
		if _, err := to.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make the schema: %w", err)
		}
	}
	if err := found.Err(); err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	return nil
}

func (t *table) at(column string) int { return slices.Index(t.columns, column) }

// key names an order by the columns that both events and heads have.
func (t *table) key(row []any) string {
	return fmt.Sprint(row[t.at("order_id")], "/", row[t.at("line")])
}

// job is what is written at once. It is made before the clock starts.
type job struct {
	events, heads, customers [][]any
	messages, before         [][]any // as they end, and as they begin
}

// jobs cuts the rows into transactions, as they came: heads that a batch touches, customers when they come first.
func (w *writer) jobs(texts bool) (list []job) {
	ofOrder := map[any][][]any{}
	for _, row := range w.message.rows {
		order := row[w.message.at("order_id")]
		ofOrder[order] = append(ofOrder[order], row)
	}
	order, customer := w.events.at("order_id"), w.events.at("customer_id")
	for batch := range slices.Chunk(w.events.rows, writeBatch) {
		j, seen := job{events: batch}, map[string]bool{}
		for _, event := range batch {
			if key := w.events.key(event); !seen[key] && w.headOf[key] != nil {
				seen[key] = true
				j.heads = append(j.heads, w.headOf[key])
			}
			if row := w.customerOf[event[customer]]; row != nil {
				j.customers = append(j.customers, row)
				delete(w.customerOf, event[customer])
			}
			if texts {
				j.messages = append(j.messages, ofOrder[event[order]]...)
				delete(ofOrder, event[order])
			}
		}
		j.before = w.message.unsent(j.messages)
		list = append(list, j)
	}
	return list
}

// write stores events in one transaction, and takes their texts through their states in two more.
func (w *writer) write(ctx context.Context, j *job) error {
	err := w.inTx(ctx, func(tx *sql.Tx) error {
		const upsert = ` ON CONFLICT (order_id, line) DO UPDATE SET milestone = excluded.milestone, sequence = excluded.sequence,
			occurred_at = excluded.occurred_at, facts = excluded.facts, version = excluded.version, updated_at = excluded.updated_at`
		return errors.Join(
			w.events.insert(ctx, tx, j.events, ""), w.heads.insert(ctx, tx, j.heads, upsert), w.customers.insert(ctx, tx, j.customers, ""),
			w.message.insert(ctx, tx, j.before, ""), position(ctx, tx, len(j.events)))
	})
	if err != nil || len(j.messages) == 0 {
		return err
	}
	return errors.Join(w.begin(ctx, j.messages), w.finish(ctx, j.messages))
}

func position(ctx context.Context, tx *sql.Tx, n int) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO positions (topic, part, next) VALUES ('order-events', 0, ?)
		ON CONFLICT (topic, part) DO UPDATE SET next = positions.next + excluded.next`, n)
	return err
}

func (w *writer) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// insert writes rows, 50 in one statement, which is the fastest.
func (t *table) insert(ctx context.Context, tx *sql.Tx, rows [][]any, tail string) error {
	const many = 50
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(t.columns)), ",") + ")"
	head := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ",") + ") VALUES "
	var stmt *sql.Stmt
	prepared := 0
	for chunk := range slices.Chunk(rows, many) {
		if len(chunk) != prepared {
			if stmt != nil {
				_ = stmt.Close()
			}
			var err error
			if stmt, err = tx.PrepareContext(ctx, head+strings.TrimSuffix(strings.Repeat(one+",", len(chunk)), ",")+tail); err != nil {
				return fmt.Errorf("prepare for %s: %w", t.name, err)
			}
			prepared = len(chunk)
		}
		args := make([]any, 0, len(chunk)*len(t.columns))
		for _, row := range chunk {
			args = append(args, row...)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return errors.Join(fmt.Errorf("insert into %s: %w", t.name, err), stmt.Close())
		}
	}
	if stmt == nil {
		return nil
	}
	return stmt.Close()
}
