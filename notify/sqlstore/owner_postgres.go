package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// watchEvery bounds for how long a lost lock goes unnoticed. Until then peers may take our messages; every statement
	// checks the owner, so this costs work and no truth.
	watchEvery   = time.Second
	watchTimeout = 5 * time.Second
	retryAtMost  = 5 * time.Second
)

var errLockHeld = errors.New("the database still holds it for a session of ours that has gone")

// sessionLock holds an advisory lock on a session of its own. When the session drops, because the server restarted or the
// network failed, it takes the same lock again.
type sessionLock struct {
	db     *sql.DB
	log    *slog.Logger
	enlist func(context.Context) error // repeats what peers deleted when they took us for dead

	session *sql.Conn // used by take, then by watch alone
	stop    context.CancelFunc
	watched sync.WaitGroup
}

func newSessionLock(db *sql.DB, log *slog.Logger, enlist func(context.Context) error) *sessionLock {
	db.SetMaxOpenConns(1)
	return &sessionLock{db: db, log: log, enlist: enlist, stop: func() {}}
}

func (l *sessionLock) take(ctx context.Context, me string) error {
	if err := l.acquire(ctx, me); err != nil {
		return err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.watched.Go(func() { l.watch(watching, me) })
	return nil
}

// acquire opens a session and takes the lock on it.
func (l *sessionLock) acquire(ctx context.Context, me string) error {
	session, err := l.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	var got bool
	err = session.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, lockNumber(me)).Scan(&got)
	if err == nil && !got {
		err = errLockHeld
	}
	if err != nil {
		session.Close()
		return err
	}
	l.session = session
	return nil
}

// watch notices when the session is gone, and takes the lock again.
func (l *sessionLock) watch(ctx context.Context, me string) {
	defer l.leave(ctx, me)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if l.holds(ctx, me) {
			continue
		}
		l.log.Warn("the database session that says that this process lives was lost; taking the lock again")
		if !l.again(ctx, me) {
			return
		}
		l.log.Info("the lock that says that this process lives is held again")
	}
}

// leave frees the lock at once: a session that is only closed holds it until the server has noticed.
func (l *sessionLock) leave(ctx context.Context, me string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), watchTimeout)
	defer cancel()
	var freed bool
	if err := l.session.QueryRowContext(ctx, `SELECT pg_advisory_unlock($1)`, lockNumber(me)).Scan(&freed); err != nil {
		l.log.Debug("freeing the lock that says that this process lives", "error", err)
	}
	l.session.Close()
}

// holds asks the session itself whether it still has the lock.
func (l *sessionLock) holds(ctx context.Context, me string) bool {
	// Not cut short by Close: that would break the session, and leave would have none.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), watchTimeout)
	defer cancel()
	const q = `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
		AND granted AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = $1)`
	var has bool
	err := l.session.QueryRowContext(ctx, q, lockNumber(me)).Scan(&has)
	return err == nil && has
}

// again takes the lock until it has it; false when ctx ends first.
func (l *sessionLock) again(ctx context.Context, me string) bool {
	l.session.Close()
	for wait := 50 * time.Millisecond; ; wait = min(wait*2, retryAtMost) {
		try, cancel := context.WithTimeout(ctx, watchTimeout)
		err := l.acquire(try, me)
		if err == nil {
			err = l.enlist(try)
			if err != nil {
				l.session.Close()
			}
		}
		cancel()
		if err == nil {
			return true
		}
		l.log.Debug("taking the lock again", "error", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

func (l *sessionLock) dead(ctx context.Context, tx *sql.Tx, owner string) (dead bool, done func(), err error) {
	err = tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, lockNumber(owner)).Scan(&dead)
	return dead, func() {}, err
}

// migration has nothing to do: goose takes a session lock.
func (l *sessionLock) migration() (func(), error) { return func() {}, nil }

func (l *sessionLock) release() error {
	l.stop()
	l.watched.Wait()
	return l.db.Close()
}

// lockNumber is the advisory lock of an owner: 63 bits of a hash of its name, which is random.
func lockNumber(owner string) int64 {
	sum := sha256.Sum256([]byte("onmyway owner " + owner))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}
