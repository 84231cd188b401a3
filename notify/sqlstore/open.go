package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"onmyway/notify"
)

// Store is the truth in SQL. It is safe for concurrent use. Open it, Migrate or check Pending, Register, and Close it.
type Store struct {
	// Died, when set, is called by Reclaim with the Owner of a process that it found dead. It must be quick.
	Died func(owner string)
	// Patience is for how long, at most, a small batch with a Hurry waits for others, to become one transaction with them. SQLite
	// only; 0: not at all; to be set before the first Add.
	Patience time.Duration

	dialect  dialect
	db       *sql.DB // for writing
	read     *sql.DB // the same as db in PostgreSQL
	log      *slog.Logger
	me       string // the name of this process in messages.owner
	lock     lock
	tell     func(m *notify.Message) // of OnReport
	unsure   unsure
	together *together           // SQLite only
	commit   func(*sql.Tx) error // replaced by tests

	reads   statements // SQLite only; made by Register
	writes  statements // SQLite only; made by Register
	watched watched
	epoch   string
	secret  []byte
}

var (
	_ notify.Store     = (*Store)(nil)
	_ notify.Ledger    = (*Store)(nil)
	_ notify.Outbox    = (*Store)(nil)
	_ notify.Unsettled = (*Store)(nil)
	_ notify.Unheard   = (*Store)(nil)
	_ notify.OptOuts   = (*Store)(nil)
	_ notify.Archive   = (*Store)(nil)
)

// Open connects to "postgres://user@host/database" or "sqlite:path" and asks for a sign of life, which ctx bounds. The
// folder of a SQLite file is made when it is not there. The schema is left alone: see Migrate and Register.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	s := &Store{
		log: log, me: randomHex(8), tell: func(*notify.Message) {}, commit: (*sql.Tx).Commit,
		unsure: newUnsure(),
	}
	var err error
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "postgres", "postgresql":
		err = s.openPostgres(ctx, url)
	case "sqlite":
		err = s.openSQLite(ctx, rest)
	default:
		err = fmt.Errorf(`database.url begins with %q: write "postgres://user@host/database" or "sqlite:path"`, scheme)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Owner is the name of this process among all that share the database.
func (s *Store) Owner() string { return s.me }

// Register makes this process an owner of messages: it takes the lock that proves it alive and reads the settings of the
// system, which the first process makes. The schema must be there.
func (s *Store) Register(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("prepare statements: %w", err)
	}
	if err := s.lock.take(ctx, s.me); err != nil {
		return fmt.Errorf("take the lock that says that this process lives: %w", err)
	}
	if err := s.enlist(ctx); err != nil {
		return err
	}
	return s.loadSettings(ctx)
}

// enlist makes this process known to its peers.
func (s *Store) enlist(ctx context.Context) error {
	const q = `INSERT INTO owners (id, since) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	if _, err := s.db.ExecContext(ctx, q, s.me, time.Now().UnixMilli()); err != nil {
		return fmt.Errorf("register this process: %w", err)
	}
	return nil
}

// loadSettings reads what is made once for the whole system, and makes what is missing.
func (s *Store) loadSettings(ctx context.Context) error {
	secret, err := s.setting(ctx, "token_secret", randomHex(32))
	if err != nil {
		return err
	}
	if s.secret, err = hex.DecodeString(secret); err != nil {
		return fmt.Errorf("read setting token_secret: %w", err)
	}
	s.epoch, err = s.setting(ctx, "store_epoch", randomHex(8))
	return err
}

// setting reads a setting, which is first unless somebody was faster.
func (s *Store) setting(ctx context.Context, name, first string) (value string, err error) {
	const make = `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	if _, err = s.db.ExecContext(ctx, make, name, first); err == nil {
		err = s.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	}
	if err != nil {
		return "", fmt.Errorf("load setting %s: %w", name, err)
	}
	return value, nil
}

// Epoch names this database: a copy that was restored keeps it, a new one has another. It is empty before Register.
func (s *Store) Epoch() string { return s.epoch }

// TokenSecret is the 32-byte key of customers' tokens, the same on every node. It is nil before Register.
func (s *Store) TokenSecret() []byte { return s.secret }

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Close lets go of the lock and closes all connections. Messages that are still owned go to a peer or the next start.
func (s *Store) Close() error {
	err := s.lock.release()
	s.reads.close()
	s.writes.close()
	if closed := s.db.Close(); err == nil {
		err = closed
	}
	if s.read == s.db {
		return err
	}
	if closed := s.read.Close(); err == nil {
		err = closed
	}
	return err
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
