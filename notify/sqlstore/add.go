package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"onmyway/notify"
)

// Add implements notify.Store.
func (s *Store) Add(ctx context.Context, b *notify.Batch) error {
	a := &addition{s: s, b: b, inserted: make([]bool, len(b.Events)), ours: s.unsure.stored(b)}
	a.careful = slices.Contains(a.ours, true)
	err := s.inTx(ctx, func(tx *sql.Tx) error { return a.write(ctx, tx) })
	if errors.Is(err, errLookCloser) {
		a.careful = true
		err = s.inTx(ctx, func(tx *sql.Tx) error { return a.write(ctx, tx) })
	}
	if err != nil {
		if isUnclear(err) {
			s.unsure.mayHaveStored(b, a.inserted)
		}
		return fmt.Errorf("store batch of %d events: %w", len(b.Events), err)
	}
	for i := range b.Events {
		b.Events[i].New = a.inserted[i] || a.ours[i]
	}
	for _, i := range a.replaced {
		if m := &b.Messages[i]; m.State == notify.Pending {
			m.State, m.Reason = notify.Suppressed, notify.Superseded
		}
	}
	s.unsure.settle(b)
	return nil
}

// errLookCloser stops a try that only counted rows, when the count shows that not all is new and as expected.
var errLookCloser = errors.New("not all of the batch is new")

// addition is one try to store a batch. It changes the batch only through Add, when all is durable.
//
// Almost always everything in a batch is new, so the first try only counts the rows that statements meet: having them
// returned costs a fifth of the time. When a count is short, all is rolled back and tried again, carefully.
type addition struct {
	s        *Store
	careful  bool
	b        *notify.Batch
	inserted []bool // by event: it was not there
	ours     []bool // by event: it is there already, from a try of ours whose answer was lost
	replaced []int  // messages of the batch that a later one of the batch supersedes
}

func (a *addition) write(ctx context.Context, tx *sql.Tx) error {
	steps := []struct {
		what string
		do   func(context.Context, *sql.Tx) error
	}{
		{"events", a.events},
		{"order heads and customers", a.profiles},
		{"messages", a.messages},
		{"consents", a.consents},
		{"dead letters", a.letters},
		{"position", a.position},
	}
	for _, step := range steps {
		if err := step.do(ctx, tx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// events inserts those that are not there, under their id or as the same fact. Of repeats within the batch the first is
// inserted, because both engines insert in the order given.
func (a *addition) events(ctx context.Context, tx *sql.Tx) (err error) {
	rows := make(cells, 0, len(a.b.Events)*len(eventColumns))
	first := make(map[notify.ID]int, len(a.b.Events))
	for i := range a.b.Events {
		e := &a.b.Events[i]
		if rows, err = appendEvent(rows, e, a.b.Now); err != nil {
			return err
		}
		if _, repeat := first[e.ID]; !repeat {
			first[e.ID] = i
		}
	}
	if !a.careful {
		for i := range a.inserted {
			a.inserted[i] = true
		}
		return a.all(ctx, tx, insertEvents, rows)
	}
	clear(a.inserted)
	var id notify.ID
	_, err = a.s.run(ctx, tx, insertEvents, rows, func(scan func(...any) error) error {
		if err := scan(idOf{&id}); err != nil {
			return err
		}
		a.inserted[first[id]] = true
		return nil
	})
	return err
}

// all runs a batch that should meet as many rows as it has.
func (a *addition) all(ctx context.Context, tx *sql.Tx, b *batch, rows cells) error {
	n, err := a.s.run(ctx, tx, b, rows, nil)
	if err == nil && int(n) != len(rows)/len(b.given) {
		err = errLookCloser
	}
	return err
}

// profiles writes heads and customers that an event of the batch has changed. Those that only repeats have touched stay:
// what a repeat has to say was said when it came first.
func (a *addition) profiles(ctx context.Context, tx *sql.Tx) error {
	orders, customers := map[notify.OrderLine]bool{}, map[string]bool{} // touched; true by a new event
	for i, e := range a.b.Events {
		o := notify.OrderLine{OrderID: e.OrderID, Line: e.Line}
		orders[o] = orders[o] || a.inserted[i]
		customers[e.CustomerID] = customers[e.CustomerID] || a.inserted[i]
	}
	moved := &notify.HeadMoved{}
	var err error
	if moved.Orders, err = a.heads(ctx, tx, orders); err != nil {
		return err
	}
	told, err := a.hold(ctx, tx)
	if err != nil {
		return err
	}
	if moved.Customers, err = a.customers(ctx, tx, customers); err != nil {
		return err
	}
	moved.Customers = append(moved.Customers, told...)
	if len(moved.Orders)+len(moved.Customers) > 0 {
		return moved
	}
	return nil
}

// heads returns those that were not as the batch was decided on.
func (a *addition) heads(ctx context.Context, tx *sql.Tx, touched map[notify.OrderLine]bool) ([]notify.OrderLine, error) {
	missing := map[notify.OrderLine]*notify.Head{}
	for i := range a.b.Heads {
		h := &a.b.Heads[i]
		o := notify.OrderLine{OrderID: h.OrderID, Line: h.Line}
		if isNew, known := touched[o]; isNew || !known {
			missing[o] = h
		}
	}
	var fresh, changed cells
	for _, o := range sortedOrders(missing) { // always in the same order, so that two processes cannot wait for each other
		h := missing[o]
		if h.Version == 0 {
			fresh = appendHead(fresh, h, 1, a.b.Now)
		} else {
			changed = appendHead(changed, h, h.Version, a.b.Now)
		}
	}
	if !a.careful {
		if err := a.all(ctx, tx, insertHeads, fresh); err != nil {
			return nil, err
		}
		return nil, a.all(ctx, tx, updateHeads, changed)
	}
	met := func(scan func(...any) error) error {
		var o notify.OrderLine
		err := scan(&o.OrderID, &o.Line)
		delete(missing, o)
		return err
	}
	if _, err := a.s.run(ctx, tx, insertHeads, fresh, met); err != nil {
		return nil, err
	}
	if _, err := a.s.run(ctx, tx, updateAnyHeads, changed, met); err != nil {
		return nil, err
	}
	return sortedOrders(missing), nil
}

func sortedOrders(heads map[notify.OrderLine]*notify.Head) []notify.OrderLine {
	orders := make([]notify.OrderLine, 0, len(heads))
	for o := range heads {
		orders = append(orders, o)
	}
	slices.SortFunc(orders, func(a, b notify.OrderLine) int {
		if c := strings.Compare(a.OrderID, b.OrderID); c != 0 {
			return c
		}
		return strings.Compare(string(a.Line), string(b.Line))
	})
	return orders
}

// customers returns those that were not as the batch was decided on.
func (a *addition) customers(ctx context.Context, tx *sql.Tx, touched map[string]bool) ([]string, error) {
	missing := map[string]*notify.Customer{}
	for i := range a.b.Customers {
		c := &a.b.Customers[i]
		if isNew, known := touched[c.ID]; isNew || !known {
			missing[c.ID] = c
		}
	}
	var fresh, changed cells
	var err error
	for _, id := range sortedKeys(missing) {
		c := missing[id]
		if c.Version == 0 {
			fresh, err = appendCustomer(fresh, c, 1, a.b.Now)
		} else {
			changed, err = appendCustomer(changed, c, c.Version, a.b.Now)
		}
		if err != nil {
			return nil, err
		}
	}
	if !a.careful {
		if err := a.all(ctx, tx, insertCustomers, fresh); err != nil {
			return nil, err
		}
		return nil, a.all(ctx, tx, updateCustomers, changed)
	}
	met := func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		delete(missing, id)
		return err
	}
	if _, err := a.s.run(ctx, tx, insertCustomers, fresh, met); err != nil {
		return nil, err
	}
	if _, err := a.s.run(ctx, tx, updateCustomers, changed, met); err != nil {
		return nil, err
	}
	return sortedKeys(missing), nil
}

// hold locks the rows of all customers that the batch writes or tells, in one order, so that two processes cannot wait for
// each other. It returns those that messages are for and that have changed: a message must not slip in behind a choice that
// was made while it was decided, and a choice made from here on finds the message and suppresses it.
func (a *addition) hold(ctx context.Context, tx *sql.Tx) ([]string, error) {
	changed := make(map[string]*notify.Customer, len(a.b.Told))
	for i := range a.b.Told {
		changed[a.b.Told[i].ID] = &a.b.Told[i]
	}
	d := a.s.dialect
	held, lock := sortedKeys(changed), d.forShare()
	if d.forUpdate() != "" && len(a.b.Customers) > 0 { // one writer needs no locks
		lock = d.forUpdate()
		for i := range a.b.Customers {
			held = append(held, a.b.Customers[i].ID)
		}
	}
	if len(held) == 0 {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, version FROM customers WHERE id`+d.inTexts(1)+` ORDER BY id`+lock, d.texts(held))
	if err != nil {
		return nil, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var id string
		var version int64
		err := scan(&id, &version)
		if c := changed[id]; c != nil && c.Version == version {
			delete(changed, id)
		}
		return err
	})
	return sortedKeys(changed), err
}

func sortedKeys(customers map[string]*notify.Customer) []string {
	keys := make([]string, 0, len(customers))
	for id := range customers {
		keys = append(keys, id)
	}
	slices.Sort(keys)
	return keys
}

func (a *addition) letters(ctx context.Context, tx *sql.Tx) (err error) {
	var rows cells
	for i := range a.b.Rejects {
		if rows, err = appendReject(rows, &a.b.Rejects[i]); err != nil {
			return err
		}
	}
	_, err = a.s.run(ctx, tx, insertLetters, rows, nil)
	return err
}

// position may go back: a topic that was made anew begins at 0 again.
func (a *addition) position(ctx context.Context, tx *sql.Tx) error {
	if a.b.Topic == "" {
		return nil
	}
	if !a.b.Since.Known {
		const q = `INSERT INTO positions (topic, part, next) VALUES ($1, $2, $3)
			ON CONFLICT (topic, part) DO UPDATE SET next = excluded.next`
		_, err := tx.ExecContext(ctx, q, a.b.Topic, a.b.Partition, a.b.Next)
		return err
	}
	const q = `UPDATE positions SET next = $3 WHERE topic = $1 AND part = $2 AND next IN ($3, $4)`
	done, err := tx.ExecContext(ctx, q, a.b.Topic, a.b.Partition, a.b.Next, a.b.Since.Next)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return notify.ErrRewound
}
