package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"

	"onmyway/notify/notifytest"
	"onmyway/notify/sqlstore"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if migrated.file != "" {
		if err := os.RemoveAll(filepath.Dir(migrated.file)); err != nil && status == 0 {
			status = 1
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if err := goleak.Find(); err != nil && status == 0 {
		status = 1
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// engines gives for each engine how to make a new database; PostgreSQL only when a server is named.
var engines = map[string]func(t testing.TB) (url string){
	"sqlite":   migratedSQLite,
	"postgres": newPostgres,
}

// migrated is a SQLite file with the schema and nothing else. Most tests begin with a copy of it: the migrations take a
// second under the race detector, which is most of what a suite takes.
var migrated struct {
	once sync.Once
	file string
	err  error
}

func migratedSQLite(t testing.TB) string {
	t.Helper()
	migrated.once.Do(func() { migrated.file, migrated.err = migrateOnce() })
	blank, err := os.ReadFile(migrated.file)
	if err = errors.Join(migrated.err, err); err != nil {
		t.Fatal(err)
	}
	url := newSQLite(t)
	file := strings.TrimPrefix(url, "sqlite:")
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, blank, 0o600)); err != nil {
		t.Fatal(err)
	}
	return url
}

func migrateOnce() (file string, err error) {
	dir, err := os.MkdirTemp("", "onmyway-migrated")
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "onmyway.db")
	s, err := sqlstore.Open(context.Background(), "sqlite:"+file, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return file, errors.Join(s.Migrate(context.Background()), s.Close())
}

func newSQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "with space", "onmyway.db")
}

var schemas atomic.Int64

func newPostgres(t testing.TB) string {
	server := os.Getenv("ONMYWAY_TEST_POSTGRES")
	if server == "" {
		t.Skip("PostgreSQL is not tested: set ONMYWAY_TEST_POSTGRES=postgres://… of a database where schemas may be made")
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("onmyway_%d_%d", os.Getpid(), schemas.Add(1))
	if _, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	params := u.Query()
	params.Set("search_path", name)
	u.RawQuery = params.Encode()
	return u.String()
}

// open starts a node over a database, migrating it when it is empty.
func open(t testing.TB, url string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) // a test may have closed it
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			notifytest.TestStore(t, func(t *testing.T) notifytest.Nodes {
				url := database(t)
				return func(t *testing.T) notifytest.Truth { return open(t, url) }
			})
		})
	}
}
