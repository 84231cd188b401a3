package sqlstore_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

func TestFileLockOutlivesGarbageCollection(t *testing.T) {
	url := newSQLite(t)
	s, peer := open(t, url), open(t, url)
	mustAdd(t, s, twoEvents())
	for range 20 {
		runtime.GC()
	}
	if n, err := peer.Reclaim(t.Context(), noon); n != 0 || err != nil {
		t.Errorf("reclaimed %d (%v) from a process that lives", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := peer.Reclaim(t.Context(), noon); n != 2 || err != nil {
		t.Errorf("reclaimed %d (%v) from a process that died, want 2", n, err)
	}
	locks, err := filepath.Glob(strings.TrimPrefix(url, "sqlite:") + ".owners/*.lock")
	if err != nil || len(locks) != 1 {
		t.Errorf("%d lock files are left (%v), want the living one's", len(locks), err)
	}
}

func TestUnregisteredOwnerIsFound(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s, peer := open(t, url), open(t, url)
		mustAdd(t, s, twoEvents())
		if _, err := s.DB().ExecContext(t.Context(), `DELETE FROM owners`); err != nil {
			t.Fatal(err)
		}
		if n, err := peer.Reclaim(t.Context(), noon); n != 0 || err != nil {
			t.Errorf("reclaimed %d (%v) from a process that lives", n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n, err := peer.Reclaim(t.Context(), noon); n != 2 || err != nil {
			t.Errorf("reclaimed %d (%v) from a process that died, want 2", n, err)
		}
	})
}

// Postgres may drop the session that holds the lock while the process lives. Peers may then take its messages; the process
// gets the same lock again and goes on.
func TestSessionLockIsTakenAgain(t *testing.T) {
	url := newPostgres(t)
	s, peer := open(t, url), open(t, url)
	b := twoEvents()
	mustAdd(t, s, b)
	ok := make([]bool, 1)
	if err := s.Begin(t.Context(), noon, []*notify.Message{&b.Messages[0]}, ok); err != nil || !ok[0] {
		t.Fatal(ok, err)
	}
	first := session(t, s)
	if _, err := s.DB().ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, first); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for alive := 1; alive > 0; runtime.Gosched() { // the server ends a session a moment after it says so
		if err := s.DB().QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`, first).Scan(&alive); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the session does not end")
		}
	}
	if n, err := peer.Reclaim(t.Context(), noon); n != 2 || err != nil {
		t.Errorf("reclaimed %d (%v) while the lock was free, want 2", n, err)
	}
	for now := first; now == first || now == 0; now = session(t, s) {
		if time.Now().After(deadline) {
			t.Fatal("the lock was not taken again")
		}
		runtime.Gosched()
	}
	// The outcome of what was being sent still counts: its attempt is the same.
	done := []notify.Outcome{{Message: b.Messages[0].ID, State: notify.Accepted,
		Attempt: notify.Attempt{No: 1, StartedAt: noon, FinishedAt: noon, Verdict: notify.Took}}}
	if err := s.Finish(t.Context(), noon, done); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Entry(t.Context(), b.Messages[0].ID); err != nil || e.State != notify.Accepted {
		t.Errorf("message is %s (%v), want accepted", e.State, err)
	}
	if n, err := peer.Reclaim(t.Context(), noon); n != 0 || err != nil {
		t.Errorf("reclaimed %d (%v) from a process that has its lock again", n, err)
	}
	claimed(t, s, 1)
	lock := s.LockNumber()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for holds := 1; holds != 0; runtime.Gosched() { // the server lets go a moment after the session has ended
		if time.Now().After(deadline) {
			t.Fatal("the lock is held by nobody")
		}
		holds = sessionOf(t, peer, lock)
	}
	if n, err := peer.Reclaim(t.Context(), noon); n != 1 || err != nil {
		t.Errorf("reclaimed %d (%v) from a process that died in the end, want 1", n, err)
	}
}

// session is the server process that holds the lock of s; 0 when none does.
func session(t *testing.T, s *sqlstore.Store) (pid int) { return sessionOf(t, s, s.LockNumber()) }

// sessionOf asks the server that s is connected to.
func sessionOf(t *testing.T, s *sqlstore.Store, lock int64) (pid int) {
	t.Helper()
	err := s.DB().QueryRowContext(t.Context(), sqlstore.LockSession, lock).Scan(&pid)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	return pid
}

func TestRejectsAreStoredOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		r := notify.Reject{Reason: "not_json", At: noon, Record: notify.Record{Topic: "order-events", Offset: 9, Time: noon, Value: []byte("\x00\xff")}}
		for range 2 {
			mustAdd(t, s, &notify.Batch{Now: noon, Rejects: []notify.Reject{r}})
		}
		var n int
		var value []byte
		const q = `SELECT (SELECT count(*) FROM dead_letters), value FROM dead_letters`
		if err := s.DB().QueryRowContext(t.Context(), q).Scan(&n, &value); err != nil {
			t.Fatal(err)
		}
		if n != 1 || string(value) != "\x00\xff" {
			t.Errorf("%d dead letters with %q, want the one record as it was", n, value)
		}
	})
}

func TestSQLiteFolderIsPrivate(t *testing.T) {
	url := newSQLite(t)
	open(t, url)
	info, err := os.Stat(filepath.Dir(strings.TrimPrefix(url, "sqlite:")))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the folder of the database is open to others: %v", info.Mode())
	}
}
