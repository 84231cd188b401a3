package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// queue runs parts that come while SQLite is busy, in this order, and returns how each of them ended.
func queue(t *testing.T, s *sqlstore.Store, rows int, cancelled int, parts ...func(tx *sql.Tx) error) []error {
	t.Helper()
	began, free := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = s.Together(t.Context(), 1, func(*sql.Tx) error {
			close(began)
			<-free
			return nil
		})
	})
	<-began
	errs := make([]error, len(parts))
	ctx, cancel := context.WithCancel(t.Context())
	for i, p := range parts {
		with := t.Context()
		if i == cancelled {
			with = ctx
		}
		all.Go(func() { errs[i] = s.Together(with, rows, p) })
		for s.Waiting() <= i {
			time.Sleep(time.Millisecond) // real time: SQLite is no bubble's
		}
	}
	cancel()
	if cancelled >= 0 {
		for s.Waiting() == len(parts) {
			time.Sleep(time.Millisecond)
		}
	}
	close(free)
	all.Wait()
	return errs
}

// put is a part that writes one row.
func put(name string) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO settings (name, value) VALUES ($1, 'x')`, name)
		return err
	}
}

func settings(t *testing.T, s *sqlstore.Store) (names []string) {
	t.Helper()
	rows, err := s.DB().Query(`SELECT name FROM settings WHERE value = 'x' ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func TestTogether(t *testing.T) {
	wrong := errors.New("wrong")
	fails := func(tx *sql.Tx) error { return errors.Join(put("no")(tx), wrong) }
	torn := func() func(tx *sql.Tx) error {
		first := true
		return func(tx *sql.Tx) error {
			if first {
				first = false
				_, err := tx.Exec("ROLLBACK") // as SQLite does by itself when the disk is full
				return errors.Join(wrong, err)
			}
			return put("torn")(tx)
		}
	}
	for _, tt := range []struct {
		name      string
		rows      int
		cancelled int
		parts     []func(tx *sql.Tx) error
		errs      []error
		stored    []string
		commits   int // besides the one that was waited for
	}{
		{"side by side", 1, -1, []func(*sql.Tx) error{put("a"), put("b"), put("c")}, []error{nil, nil, nil}, []string{"a", "b", "c"}, 1},
		{"many rows", 300, -1, []func(*sql.Tx) error{put("a"), put("b"), put("c")}, []error{nil, nil, nil}, []string{"a", "b", "c"}, 3},
		{"one fails", 1, -1, []func(*sql.Tx) error{put("a"), fails, put("c")}, []error{nil, wrong, nil}, []string{"a", "c"}, 1},
		{"bad data", 1, -1, []func(*sql.Tx) error{put("a"), put("a"), put("c")}, []error{nil, notify.ErrBadRow, nil}, []string{"a", "c"}, 1},
		{"all fail", 1, -1, []func(*sql.Tx) error{fails, fails}, []error{wrong, wrong}, nil, 1},
		{"one goes", 1, 1, []func(*sql.Tx) error{put("a"), put("b"), put("c")}, []error{nil, context.Canceled, nil}, []string{"a", "c"}, 1},
		{"the transaction ends in the middle", 1, -1, []func(*sql.Tx) error{put("a"), torn(), put("c")}, []error{nil, nil, nil}, []string{"a", "c", "torn"}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, engines["sqlite"](t))
			commits := 0
			s.CountCommits(&commits)
			errs := queue(t, s, tt.rows, tt.cancelled, tt.parts...)
			for i, err := range errs {
				if !errors.Is(err, tt.errs[i]) {
					t.Errorf("part %d: %v, want %v", i, err, tt.errs[i])
				}
			}
			if got := settings(t, s); !slices.Equal(got, tt.stored) {
				t.Errorf("stored %v, want %v", got, tt.stored)
			}
			if commits-1 != tt.commits {
				t.Errorf("%d transactions, want %d", commits-1, tt.commits)
			}
		})
	}
}

// What has patience waits for others, until somebody has none or there is enough to do.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first time.Duration // its patience
		other func(s *sqlstore.Store, hurry chan struct{}) error
		both  []string
	}{
		{"it ends", 50 * time.Millisecond, func(*sqlstore.Store, chan struct{}) error { return nil }, []string{"a"}},
		{"somebody has none", time.Hour, func(s *sqlstore.Store, _ chan struct{}) error {
			return s.Together(t.Context(), 1, put("b"))
		}, []string{"a", "b"}},
		{"enough rows", time.Hour, func(s *sqlstore.Store, _ chan struct{}) error {
			return s.Patiently(t.Context(), make(chan struct{}), 300, put("b"))
		}, []string{"a", "b"}},
		{"somebody waits for the first", time.Hour, func(_ *sqlstore.Store, hurry chan struct{}) error {
			select {
			case hurry <- struct{}{}:
				return nil
			case <-time.After(5 * time.Second):
				return errors.New("nobody listens")
			}
		}, []string{"a"}},
		{"somebody waits for the second", time.Hour, func(s *sqlstore.Store, _ chan struct{}) error {
			hurry := make(chan struct{}, 1)
			hurry <- struct{}{}
			return s.Patiently(t.Context(), hurry, 1, put("b"))
		}, []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, engines["sqlite"](t))
			commits := 0
			s.CountCommits(&commits)
			s.Patience = tt.first
			hurry, first, began := make(chan struct{}), make(chan error, 1), time.Now()
			go func() { first <- s.Patiently(t.Context(), hurry, 1, put("a")) }()
			for tt.first == time.Hour && s.Waiting() == 0 {
				if time.Since(began) > 5*time.Second {
					t.Fatal("it did not wait")
				}
				time.Sleep(time.Millisecond) // real time: SQLite is no bubble's
			}
			if err := errors.Join(tt.other(s, hurry), <-first); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < tt.first && tt.first < time.Hour {
				t.Errorf("it began after %s", took)
			}
			if got := settings(t, s); !slices.Equal(got, tt.both) || commits != 1 {
				t.Errorf("stored %v in %d transactions, want %v in one", got, commits, tt.both)
			}
		})
	}
}

// Whoever is told to hurry while another transaction runs waits for nobody when it is its turn.
func TestHurryInTheQueue(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	s.Patience = time.Hour
	began, free, hurry, done := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		done <- s.Together(t.Context(), 1, func(*sql.Tx) error {
			close(began)
			<-free
			return nil
		})
	}()
	<-began
	go func() { done <- s.Patiently(t.Context(), hurry, 1, put("a")) }()
	select {
	case hurry <- struct{}{}:
	case <-time.After(5 * time.Second):
		t.Error("nobody listens")
	}
	close(free)
	for range 2 {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("it still waits")
		}
	}
}

// Whoever waits for others stops when it is told to.
func TestPatienceEndsWithItsContext(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Patience = time.Hour
	if err := s.Patiently(ctx, make(chan struct{}), 1, put("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// When only COMMIT fails, nobody of those that are in it knows what became of them.
func TestTogetherUnclear(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	s.LoseCommits(2, true)
	for i, err := range queue(t, s, 1, -1, put("a"), put("b")) {
		if !errors.Is(err, sqlstore.ErrLost) {
			t.Errorf("part %d: %v, want that the answer was lost", i, err)
		}
	}
	if got := settings(t, s); len(got) != 2 {
		t.Errorf("stored %v, want both", got)
	}
}

// Everybody who waits is served, whoever gives up meanwhile.
func TestTogetherCrowd(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if i%5 == 0 {
				ctx, cancel = context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
			}
			defer cancel()
			if err := s.Together(ctx, 1+i, put(fmt.Sprint(i))); err != nil && i%5 != 0 {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(settings(t, s)); got < 160 {
		t.Errorf("%d rows, want 160 or more", got)
	}
	if n := s.Waiting(); n != 0 {
		t.Errorf("%d parts still wait", n)
	}
}
