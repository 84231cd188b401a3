package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"

	"onmyway/migrations"
	"onmyway/notify"
)

const (
	postgresConns = 10
	// A statement that takes longer is stuck, and is tried again. A migration that needs longer has to say so.
	statementTimeout = 30 * time.Second
	// A process that stands still in a transaction, or whose machine has died, holds rows that the others wait for.
	idleTimeout = 2 * time.Second
)

// shortStatements are settings for many short statements, unless database.url has its own: compiling one, or sharing it among
// processes, takes longer than running it.
var shortStatements = map[string]string{
	"statement_timeout":                   strconv.FormatInt(statementTimeout.Milliseconds(), 10),
	"idle_in_transaction_session_timeout": strconv.FormatInt(idleTimeout.Milliseconds(), 10),
	"jit":                                 "off",
	"max_parallel_workers_per_gather":     "0",
}

func (s *Store) openPostgres(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf(`read database.url: %w; write "postgres://user:password@host:5432/database"`, err)
	}
	session := config.Copy() // holds the lock and nothing else: no limit on how long a statement may wait
	for name, value := range shortStatements {
		if _, said := config.RuntimeParams[name]; !said {
			config.RuntimeParams[name] = value
		}
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return fmt.Errorf("connect to PostgreSQL: %w; check database.url and that the server runs and knows this user and database", err)
	}
	s.db, s.read = db, db
	s.dialect = &postgres{queries{list: map[shape]string{}}}
	s.lock = newSessionLock(stdlib.OpenDB(*session), s.log, s.enlist)
	return nil
}

type postgres struct{ queries }

func (*postgres) migrations() (string, embed.FS, goose.Dialect, []goose.ProviderOption) {
	locker, err := gooselock.NewPostgresSessionLocker(gooselock.WithLockTimeout(1, 300))
	if err != nil {
		panic(err) // its arguments are constants
	}
	return "postgres", migrations.Postgres, goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}
}

// take sends all rows at once, as one array per column.
func (p *postgres) take(b *batch, rows cells) (int, []any) {
	width := len(b.given)
	args := make([]any, width)
	for c, col := range b.given {
		switch col.kind {
		case text, maybeText:
			args[c] = columnOf[string](rows, c, width)
		case integer:
			args[c] = columnOf[int64](rows, c, width)
		case boolean:
			args[c] = columnOf[bool](rows, c, width)
		default:
			args[c] = columnOf[[]byte](rows, c, width)
		}
	}
	return len(rows) / width, args
}

func columnOf[T any](rows cells, c, width int) []T {
	values := make([]T, 0, len(rows)/width)
	for i := c; i < len(rows); i += width {
		values = append(values, rows[i].(T))
	}
	return values
}

// query is the same for any number of rows.
func (p *postgres) query(f shape) string {
	f.rows = 0
	return p.of(f, writeQuery)
}

func writeQuery(f shape) string {
	var values, arrays, names []string
	for i, c := range f.batch.given {
		value := c.name
		if c.kind == maybeText {
			value = "NULLIF(" + c.name + ", '')"
		}
		values, names = append(values, value), append(names, c.name)
		arrays = append(arrays, "$"+strconv.Itoa(i+1)+"::"+arrayType(c.kind))
	}
	list := strings.Join(names, ", ")
	q := "SELECT " + strings.Join(values, ", ") + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS u (" + list + ")"
	if f.batch.insert != "" {
		return f.batch.insert + " " + q + f.tail()
	}
	return "WITH given (" + list + ") AS (" + q + ") " + f.batch.update + f.tail()
}

func arrayType(k kind) string {
	switch k {
	case integer:
		return "bigint[]"
	case boolean:
		return "boolean[]"
	case ident, maybeIdent:
		return "uuid[]"
	case blob:
		return "bytea[]"
	}
	return "text[]"
}

func (*postgres) ids(ids []notify.ID) any {
	list := make([][]byte, len(ids))
	for i := range ids {
		list[i] = ids[i][:]
	}
	return list
}

func (*postgres) texts(texts []string) any { return texts }
func (*postgres) inIDs(n int) string       { return " = ANY ($" + strconv.Itoa(n) + "::uuid[])" }
func (*postgres) inTexts(n int) string     { return " = ANY ($" + strconv.Itoa(n) + "::text[])" }
func (*postgres) by(string) string         { return "" } // its statistics say the same
func (*postgres) forUpdate() string        { return " FOR UPDATE" }
func (*postgres) forShare() string         { return " FOR SHARE" }
func (*postgres) skipLocked() string       { return " FOR UPDATE SKIP LOCKED" }

// among puts the latest rows into a query of their own: with all conditions in one, the engine guesses how rare they are
// and may read far more rows.
func (*postgres) among(from, _, filter string, latest int) string {
	return "SELECT id FROM (SELECT id, customer_id" + from + newestFirst + " LIMIT " + strconv.Itoa(latest) + ") AS latest WHERE " + filter
}

// refuses tells class 22 (data exception) and 23 (constraint violation) of SQLSTATE.
func (*postgres) refuses(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23"))
}

// collides tells serialization_failure and deadlock_detected of SQLSTATE.
func (*postgres) collides(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

var _ dialect = (*postgres)(nil)
