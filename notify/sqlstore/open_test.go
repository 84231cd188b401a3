package sqlstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"onmyway/migrations"
	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

func TestOpenSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a database, and long enough to be taken for one by its size"), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                      "postgres://user@host/database",
		"mysql://x":             "sqlite:path",
		"sqlite:":               "sqlite:onmyway.db",
		"sqlite::memory:":       "sqlite:onmyway.db",
		"sqlite:" + file:        "database.url",
		"postgres://a@b:port/c": "postgres://user:password@host",
		"postgres://a:secret@127.0.0.1:1/b?sslmode=disable": "check database.url",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := sqlstore.Open(ctx, url, slog.New(slog.DiscardHandler))
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %q: %v, want a hint at %s", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestOpenHonoursDeadline(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, url := range []string{newSQLite(t), "postgres://a@127.0.0.1:1/b"} {
		if _, err := sqlstore.Open(ctx, url, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("opened %s although time was out", url)
		}
	}
}

func TestMigrations(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		s, err := sqlstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pending, err := s.Pending(t.Context())
		if err != nil || len(pending) == 0 || pending[0] != "0001_start.sql" {
			t.Fatalf("pending before: %v, %v", pending, err)
		}
		if err := s.Register(t.Context()); err == nil {
			t.Error("registered without a schema")
		}
		for range 2 {
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if pending, err = s.Pending(t.Context()); err != nil || len(pending) != 0 {
			t.Errorf("pending after: %v, %v", pending, err)
		}
		status, err := s.Status(t.Context())
		if err != nil || status[0].Version != 1 || status[0].AppliedAt.IsZero() {
			t.Errorf("status: %+v, %v", status, err)
		}
	})
}

func TestMigrateTogether(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		errs := make(chan error)
		for range 3 {
			s, err := sqlstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			go func() { errs <- s.Migrate(t.Context()) }()
		}
		for range 3 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

// A migration that was released is never changed: databases that have it would differ from new ones.
func TestMigrationsStay(t *testing.T) {
	released := map[string]string{
		"postgres/0001_start.sql": "edef72af807a1661",
		"sqlite/0001_start.sql":   "95cb61085f6692f8",
	}
	for name, want := range released {
		files := map[string]fs.FS{"postgres": migrations.Postgres, "sqlite": migrations.SQLite}[filepath.Dir(name)]
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s has changed (its hash is %s, released was %s): add a new migration instead", name, got, want)
		}
	}
}

// A migration that reads all of a large table takes longer than a statement may: without saying so it would never end.
func TestLongMigrationsHaveTime(t *testing.T) {
	files, err := fs.Glob(migrations.Postgres, "postgres/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	reads := regexp.MustCompile(`(?m)^(?:CREATE (?:UNIQUE )?INDEX \w+ ON|UPDATE) (events|messages|order_heads|customers)\b`)
	for _, name := range files {
		text, err := fs.ReadFile(migrations.Postgres, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range reads.FindAllStringSubmatch(string(text), -1) {
			isNew := strings.Contains(string(text), "CREATE TABLE "+table[1]+" (")
			if !isNew && !strings.Contains(string(text), "SET LOCAL statement_timeout = 0;") {
				t.Errorf("%s reads all of %s: it has to say SET LOCAL statement_timeout = 0", name, table[1])
			}
		}
	}
}

func TestSettingsAreShared(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		a, b := open(t, url), open(t, url)
		if len(a.TokenSecret()) != 32 || !bytes.Equal(a.TokenSecret(), b.TokenSecret()) {
			t.Error("two nodes have different token secrets")
		}
		if a.Epoch() == "" || a.Epoch() != b.Epoch() {
			t.Errorf("two nodes are in epochs %q and %q", a.Epoch(), b.Epoch())
		}
		if err := a.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What passes our own checks and the database refuses is bad for good; everything else is worth another try.
func TestAddRefusedByDatabase(t *testing.T) {
	rules := map[string]string{
		"sqlite":   `CREATE TRIGGER never BEFORE INSERT ON positions WHEN NEW.next < 0 BEGIN SELECT RAISE(ABORT, 'never'); END`,
		"postgres": `ALTER TABLE positions ADD CHECK (next >= 0)`,
	}
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		engine, _, _ := strings.Cut(url, ":")
		if _, err := s.DB().ExecContext(t.Context(), rules[engine]); err != nil {
			t.Fatal(err)
		}
		bad := &notify.Batch{Topic: "order-events", Next: -1, Now: noon}
		if err := s.Add(t.Context(), bad); !errors.Is(err, notify.ErrBadRow) {
			t.Errorf("a row that breaks a rule: %v, want ErrBadRow", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Add(ctx, twoEvents()); err == nil || errors.Is(err, notify.ErrBadRow) {
			t.Errorf("a call that was given up: %v, want an error worth another try", err)
		}
		again := twoEvents()
		mustAdd(t, s, again)
		if !again.Events[0].New {
			t.Error("a call that was given up has left something")
		}
	})
}
