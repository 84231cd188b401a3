package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// brittle is a store that breaks after so many batches.
type brittle struct {
	customerStore
	batches int
	lines   []int // how many customers each batch had
}

var errBroke = errors.New("the database is gone")

func (b *brittle) EditCustomers(ctx context.Context, act notify.Act, ids []string, edit func(int, *notify.Customer) error) (int, int, error) {
	if b.batches--; b.batches < 0 {
		return 0, 0, errBroke
	}
	b.lines = append(b.lines, len(ids))
	return b.customerStore.EditCustomers(ctx, act, ids, edit)
}

// TestImportResumes: what is stored is not written again, the counts are those of the whole file, and a changed file is
// refused.
func TestImportResumes(t *testing.T) {
	url, env := database(t)
	var b strings.Builder
	b.WriteString("id,name\n")
	for i := range 1800 {
		fmt.Fprintf(&b, "c-%d,Name %d\n", i, i)
		if i == 300 || i == 1700 {
			b.WriteString(",nobody\n")
		}
	}
	path := fileWith(t, "c.csv", b.String())
	var sums []imported
	run := func(batches int, resume bool) (*brittle, error) {
		store := &brittle{batches: batches}
		var err error
		onStore(t, url, func(ctx context.Context, s *sqlstore.Store) error {
			store.customerStore = s
			in := strings.NewReader(b.String())
			rows, fault := openCSV(in)
			if fault != nil {
				return fault
			}
			bar := newProgress(io.Discard, 0)
			m := customerImport{store: store, rows: rows, bar: bar, wrong: wrongLines{bar: bar}}
			if m.mark, err = openMark(ctx, path, resume, bar.say); err == nil {
				err = m.report(io.Discard, asJSON, m.all(ctx))
			}
			sums = append(sums, m.sum)
			return nil
		})
		return store, err
	}
	store, err := run(2, false)
	if !errors.Is(err, errBroke) || !strings.Contains(err.Error(), "everything up to line 1002 is stored; --resume goes on there") {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{500, 500}, store.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	store, err = run(9, true)
	if err == nil || !strings.Contains(err.Error(), "2 of 1,802 customers were rejected") {
		t.Error(err)
	}
	if diff := cmp.Diff([]int{500, 300}, store.lines); diff != "" {
		t.Errorf("the second run wrote (-want +got):\n%s", diff)
	}
	if s := sums[1]; s.Read != 1802 || s.Created != 1800 || s.RejectedCount != 2 || s.ResumedAt != 1002 {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(path + ".progress"); err == nil {
		t.Error("the mark of an import that is through stays")
	}

	if _, err := run(1, false); !errors.Is(err, errBroke) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(b.String()+"c-new,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	invoke(t, env, "", "customers", "import", "--resume", path).want(t, 1, "has changed since its import stopped")
	invoke(t, env, "", "customers", "import", path).want(t, 1, "an earlier import stopped at line ", "1 created, 0 changed, 1,800 unchanged")
	invoke(t, env, "", "customers", "import", "--resume", path).want(t, 1, "starting with the first line", "1,801 unchanged")
}

// TestImportStops: an interrupt leaves the mark, and says so.
func TestImportStops(t *testing.T) {
	url, _ := database(t)
	onStore(t, url, func(ctx context.Context, s *sqlstore.Store) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		path := fileWith(t, "c.csv", "id\n"+strings.Repeat("x\n", 3))
		rows, err := openCSV(strings.NewReader(bigCSV(1200)))
		if err != nil {
			return err
		}
		bar := newProgress(io.Discard, 0)
		m := customerImport{store: &interrupted{s, cancel, 1}, rows: rows, bar: bar, wrong: wrongLines{bar: bar}}
		if m.mark, err = openMark(ctx, path, false, bar.say); err != nil {
			return err
		}
		var out bytes.Buffer
		err = m.report(&out, asTable, stopped(ctx, m.all(ctx)))
		if !errors.Is(err, errStopped) || !strings.Contains(err.Error(), "up to line 501 is stored") || !strings.Contains(out.String(), "500 created") {
			t.Errorf("%v\n%s", err, out.String())
		}
		return nil
	})
}

func bigCSV(n int) string {
	var b strings.Builder
	b.WriteString("id\n")
	for i := range n {
		fmt.Fprintf(&b, "c-%d\n", i)
	}
	return b.String()
}

// interrupted is a store during whose second batch somebody presses Ctrl-C.
type interrupted struct {
	customerStore
	cancel context.CancelFunc
	left   int
}

func (s *interrupted) EditCustomers(ctx context.Context, act notify.Act, ids []string, edit func(int, *notify.Customer) error) (int, int, error) {
	if s.left--; s.left < 0 {
		s.cancel()
	}
	return s.customerStore.EditCustomers(ctx, act, ids, edit)
}
