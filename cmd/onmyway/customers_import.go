package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"onmyway/notify"
)

// importBatch is how many customers are written in one transaction.
const importBatch = 500

// customerStore is where customers are imported to.
type customerStore interface {
	EditCustomers(ctx context.Context, act notify.Act, ids []string, edit func(i int, c *notify.Customer) error) (created, changed int, err error)
	Lookup(ctx context.Context, customers []string, profiles []notify.Profile, orders []notify.OrderLine, heads []notify.Head) error
}

// customerRow is one customer of a file.
type customerRow struct {
	line     int // on which it begins, from 1
	id       string
	edit     func(c *notify.Customer) // has no other effect, and may be called again
	problems []notify.Problem         // with any, edit is not to be called
}

// imported is what became of a file of customers.
type imported struct {
	Read          int         `json:"read"`
	Created       int         `json:"created"`
	Changed       int         `json:"changed"`
	Unchanged     int         `json:"unchanged"`
	DryRun        bool        `json:"dry_run,omitempty"`
	ResumedAt     int         `json:"resumed_at,omitempty"` // the line that an earlier run had come to: its counts are in here
	RejectedCount int         `json:"rejected_count"`
	Rejected      []wrongLine `json:"rejected"` // the first 10,000
}

// customerImport reads a file and writes it, batch by batch.
type customerImport struct {
	store  customerStore
	rows   customerRows
	mark   *importMark // nil for a dry run
	bar    *progress
	wrong  wrongLines
	dryRun bool

	sum   imported
	batch []customerRow
	seed  maphash.Seed
	seen  map[uint64]int // hash of an id -> its line: a whole id would need ten times the memory
}

// all imports the file. What is stored when it ends early stands in the mark.
func (m *customerImport) all(ctx context.Context) error {
	m.seed, m.seen, m.sum.DryRun = maphash.MakeSeed(), map[uint64]int{}, m.dryRun
	done := 0
	if m.mark != nil {
		done = m.mark.Line
		m.sum.ResumedAt, m.sum.Created, m.sum.Changed, m.sum.Unchanged = done, m.mark.Created, m.mark.Changed, m.mark.Unchanged
	}
	for {
		row, err := m.rows.next()
		if err == io.EOF {
			if err := m.flush(ctx); err != nil {
				return err
			}
			return m.mark.remove()
		}
		if err != nil {
			return errors.Join(m.flush(ctx), fmt.Errorf("read customers: %w", err))
		}
		m.sum.Read++
		if !m.good(&row) || row.line <= done {
			continue
		}
		if m.batch = append(m.batch, row); len(m.batch) == importBatch {
			if err := m.flush(ctx); err != nil {
				return err
			}
		}
		m.bar.show(m.rows.at(), m.sum.Read, "customers")
	}
}

// good tells whether a row can be imported, and tells of one that can't.
func (m *customerImport) good(row *customerRow) bool {
	if row.id != "" {
		sum := maphash.String(m.seed, row.id)
		if first, twice := m.seen[sum]; twice {
			row.problems = append(row.problems, notify.Problem{Field: "id",
				Detail: fmt.Sprintf("came before, on line %d: keep one of the two lines", first)})
		} else {
			m.seen[sum] = row.line
		}
	}
	if len(row.problems) > 0 {
		m.wrong.add(row.line, "invalid_customer", row.problems...)
		return false
	}
	return true
}

// flush writes the batch, or finds out what would become of it.
func (m *customerImport) flush(ctx context.Context) error {
	if len(m.batch) == 0 {
		return nil
	}
	ids := make([]string, len(m.batch))
	for i := range m.batch {
		ids[i] = m.batch[i].id
	}
	first, last := m.batch[0].line, m.batch[len(m.batch)-1].line
	write := m.write
	if m.dryRun {
		write = m.compare
	}
	created, changed, err := write(ctx, ids)
	if err != nil {
		return fmt.Errorf("import lines %d to %d: %w", first, last, err)
	}
	m.sum.Created += created
	m.sum.Changed += changed
	m.sum.Unchanged += len(ids) - created - changed
	m.batch = m.batch[:0]
	return m.mark.put(last, &m.sum)
}

func (m *customerImport) write(ctx context.Context, ids []string) (created, changed int, err error) {
	act := notify.Act{At: time.Now(), By: byCommandLine}
	return m.store.EditCustomers(ctx, act, ids, func(i int, c *notify.Customer) error {
		m.batch[i].edit(c)
		return nil
	})
}

// compare does what write does, in memory only.
func (m *customerImport) compare(ctx context.Context, ids []string) (created, changed int, err error) {
	profiles := make([]notify.Profile, len(ids))
	if err := m.store.Lookup(ctx, ids, profiles, nil, nil); err != nil {
		return 0, 0, fmt.Errorf("look customers up: %w", err)
	}
	for i := range profiles {
		old := &profiles[i].Customer
		now := *old
		m.batch[i].edit(&now)
		switch {
		case old.Version == 0:
			created++
		case len(notify.Changes(old, &now)) > 0:
			changed++
		}
	}
	return created, changed, nil
}

// report tells what became of the file. Err is how the import ended.
func (m *customerImport) report(w io.Writer, f format, err error) error {
	m.sum.Rejected, m.sum.RejectedCount = append([]wrongLine{}, m.wrong.list...), m.wrong.count
	if told := m.sum.print(w, f); told != nil {
		return errors.Join(err, told)
	}
	switch {
	case err != nil && m.mark != nil && m.mark.Line > 0:
		return fmt.Errorf("%w: everything up to line %d is stored; --resume goes on there", err, m.mark.Line)
	case err == nil && m.wrong.count > 0:
		return fmt.Errorf("%s of %s customers were rejected", thousands(m.wrong.count), thousands(m.sum.Read))
	}
	return err
}

func (s *imported) print(w io.Writer, f format) error {
	if f == asJSON {
		return printJSON(w, s)
	}
	words := "%s read, %s created, %s changed, %s unchanged, %s rejected\n"
	if s.DryRun {
		words = "%s read, %s would be created, %s changed, %s unchanged, %s rejected; nothing was written\n"
	}
	_, err := fmt.Fprintf(w, words, thousands(s.Read), thousands(s.Created), thousands(s.Changed), thousands(s.Unchanged), thousands(s.RejectedCount))
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
