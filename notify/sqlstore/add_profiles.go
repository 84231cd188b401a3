package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"onmyway/notify"
)

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
			fresh = appendHead(fresh, h, a.b.Now)
		} else {
			changed = append(appendHead(changed, h, a.b.Now), h.Version)
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
		c := &a.b.Told[i]
		if other := changed[c.ID]; other != nil && other.Version != c.Version {
			c = &notify.Customer{ID: c.ID, Version: -1} // one of them is wrong for certain
		}
		changed[c.ID] = c
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
	rows, err := a.s.askIn(ctx, tx, holdCustomers(d, lock), d.texts(held))
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

func holdCustomers(d dialect, lock string) string {
	return `SELECT id, version FROM customers WHERE id` + d.inTexts(1) + ` ORDER BY id` + lock
}

func sortedKeys(customers map[string]*notify.Customer) []string {
	keys := make([]string, 0, len(customers))
	for id := range customers {
		keys = append(keys, id)
	}
	slices.Sort(keys)
	return keys
}
