package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"onmyway/migrations"
	"onmyway/notify"
)

const (
	// FULL costs nothing when rows come in batches. A page cache of 64 MB and a checkpoint every 16,384 pages are worth a
	// third: events of 20,000 orders in random order went in at 32,000 a second instead of 24,000 (batches of 500, two
	// cores). Pragmas stand in the address, so that every connection gets them.
	pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=cache_size(-65536)&_pragma=wal_autocheckpoint(16384)&_pragma=foreign_keys(1)" +
		// What a savepoint would take back is kept in memory: a file for it was a sixth of the time of storing outcomes.
		"&_pragma=temp_store(memory)"
	sqliteReaders = 4
)

// sizes are the numbers of rows for which an INSERT has prepared statements; a batch is cut into them. 50 is the fastest.
var sizes = [...]int{50, 10, 1}

func (s *Store) openSQLite(ctx context.Context, path string) error {
	if path == "" || path == ":memory:" {
		return errors.New(`database.url names no file: write "sqlite:onmyway.db"`)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the SQLite file: %w", err)
	}
	// One writer: SQLite has no more, and a queue in front of it is fairer than its busy loop. It begins with the write
	// lock, because a transaction that reads first cannot always get it later.
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + pragmas
	db, err := sql.Open("sqlite", file+"&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return fmt.Errorf("open SQLite: %w; check that the path in database.url can be written", err)
	}
	read, err := sql.Open("sqlite", file+"&_pragma=query_only(1)")
	if err != nil {
		db.Close()
		return fmt.Errorf("open SQLite for reading: %w", err)
	}
	read.SetMaxOpenConns(sqliteReaders)
	read.SetMaxIdleConns(sqliteReaders)
	s.db, s.read, s.dialect, s.together = db, read, lite{&queries{list: map[shape]string{}}}, &together{}
	s.reads, s.writes = statements{}, statements{}
	s.lock = &fileLock{folder: path + ".owners"}
	return nil
}

// prepare makes the statements that run often, for the engine that does not remember them itself.
func (s *Store) prepare(ctx context.Context) error {
	if _, ok := s.dialect.(lite); !ok || len(s.writes) > 0 {
		return nil
	}
	written := writeQueries(s.dialect)
	for _, b := range batches {
		for _, n := range b.sizes() {
			for _, returning := range []bool{false, true}[:1+min(len(b.returning), 1)] {
				written = append(written, s.dialect.query(shape{b, n, returning}))
			}
		}
	}
	for _, query := range written {
		if err := s.writes.add(ctx, s.db, query); err != nil {
			return err
		}
	}
	for _, query := range readQueries(s.dialect) {
		if err := s.reads.add(ctx, s.read, query); err != nil {
			return err
		}
	}
	return nil
}

// sizes are the numbers of rows that SQLite takes at once. An UPDATE takes one: joining a list of rows costs more.
func (b *batch) sizes() []int {
	if b.insert == "" {
		return sizes[len(sizes)-1:]
	}
	return sizes[:]
}

type lite struct{ *queries }

func (lite) migrations() (string, embed.FS, goose.Dialect, []goose.ProviderOption) {
	return "sqlite", migrations.SQLite, goose.DialectSQLite3, nil
}

func (lite) take(b *batch, rows cells) (int, []any) {
	width := len(b.given)
	n := 1
	for _, size := range b.sizes() {
		if len(rows) >= size*width {
			n = size
			break
		}
	}
	args := rows[:n*width]
	for i, v := range args {
		if b.given[i%width].kind == maybeText && v == "" {
			args[i] = nil
		}
	}
	return n, args
}

func (l lite) query(f shape) string { return l.of(f, writeRows) }

func writeRows(f shape) string {
	b := f.batch
	if b.insert == "" {
		return b.updateOne() + f.tail()
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(b.given)), ",") + "),"
	// A statement that fails leaves what it did so far: callers of run take that back, with all of their transaction or part of
	// one. Being able to take back a statement alone was 8 % of the time.
	insert := strings.Replace(b.insert, "INSERT", "INSERT OR FAIL", 1)
	return insert + " VALUES " + strings.TrimSuffix(strings.Repeat(row, f.rows), ",") + f.tail()
}

var givenColumn = regexp.MustCompile(`\bg_\w+`)

// updateOne is the UPDATE of a batch for one row: the columns of "given" become parameters. Each has a plus before it, which
// does nothing but keep SQLite from comparing its value with the conditions of indexes: it would plan the statement anew for
// every row, which took a third of the time of storing texts.
func (b *batch) updateOne() string {
	q := strings.Replace(b.update, "FROM given", "", 1)
	return givenColumn.ReplaceAllStringFunc(q, func(name string) string {
		i := slices.IndexFunc(b.given, func(c column) bool { return c.name == name })
		return "+?" + strconv.Itoa(i+1)
	})
}

func (lite) ids(ids []notify.ID) any {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = hex.EncodeToString(id[:])
	}
	return lite{}.texts(list)
}

func (lite) texts(texts []string) any {
	list, err := json.Marshal(texts)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(list)
}

func (lite) inIDs(n int) string {
	return " IN (SELECT unhex(value) FROM json_each($" + strconv.Itoa(n) + "))"
}

func (lite) inTexts(n int) string {
	return " IN (SELECT value FROM json_each($" + strconv.Itoa(n) + "))"
}

func (lite) by(index string) string {
	if index == "" {
		return ""
	}
	return " INDEXED BY " + index
}

// among finds the oldest of the latest rows first: SQLite would sort the rows of a query in a query.
func (lite) among(from, floor, filter string, _ int) string {
	return "SELECT id" + from + " AND id >= COALESCE((" + floor + "), x'') AND " + filter
}

func (lite) forUpdate() string  { return "" } // there is one writer
func (lite) forShare() string   { return "" }
func (lite) skipLocked() string { return "" }

// collides tells that another process had the write lock for longer than the busy timeout.
func (lite) collides(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

func (lite) refuses(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return true
	}
	return false
}
