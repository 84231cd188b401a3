package sqlstore

import (
	"bytes"
	"strconv"
	"strings"

	"onmyway/notify"
)

// list is a query for the ids of the newest rows of a table. Tables have millions of rows and a page is to be there within
// milliseconds, whatever is asked for and however rare it is. So a list goes one of three ways, and says which:
//
//   - by an index that ends with the id and gives rows in that order. Leading columns of the index that the query leaves
//     open have few values: each value is one branch, and the page is merged from the branches.
//   - the same, but through the latest rows of each branch alone, in search of those that also pass the filter.
//   - narrow: by an index that finds all of the few rows in question, which are then put in order.
type list struct {
	table  string
	index  string // empty: the primary key
	open   []choice
	latest int // rows of a branch to look through; 0 for all
	narrow bool
	terms  []string
	filter string // of the latest rows, about the last of args
	args   []any
	limit  int
}

// choice is a column with all the values that it can have.
type choice struct {
	column string
	values []string
}

// What the open columns can have.
var (
	ownChannels = []notify.Channel{notify.SMS, notify.Push}
	ownStates   = []notify.State{notify.Pending, notify.Sending, notify.Verify, notify.Accepted, notify.Sent,
		notify.Delivered, notify.Undelivered, notify.Failed, notify.Suppressed, notify.Unknown}
	shownStates = []notify.State{notify.Sent, notify.Suppressed}
)

const (
	// manyOrders is from how many orders on the events of a customer are looked for among the latest of all events.
	manyOrders = 500
	// latestEvents is how many of those are looked through.
	latestEvents = 6_000
)

// messagesList asks for messages with a life of their own.
func messagesList(q *notify.Query) list {
	l := list{table: "messages", limit: q.Limit}
	l.ask(q)
	if q.Phone != "" {
		l.and("channel = 'sms' AND address = ", q.Phone)
	}
	if q.Channel != "" {
		l.and("channel = ", string(q.Channel))
	}
	switch {
	case q.OrderID != "":
		l.index, l.narrow = "messages_order", true
	case q.Phone != "":
		l.index = "messages_phone"
		openUnless(&l, q.State, "state", ownStates)
	case q.CustomerID != "":
		l.index = "messages_customer"
		openUnless(&l, q.State, "state", ownStates)
	case q.Milestone != "":
		l.index = "messages_milestone"
		openUnless(&l, q.Channel, "channel", ownChannels)
		openUnless(&l, q.State, "state", ownStates)
	case q.Channel != "" || q.State != "":
		l.index = "messages_state"
		openUnless(&l, q.Channel, "channel", ownChannels)
		openUnless(&l, q.State, "state", ownStates)
	}
	return l
}

// eventsList asks for events as their WebSocket messages.
func eventsList(q *notify.Query) list {
	l := list{table: "events", limit: q.Limit}
	l.ask(q)
	switch {
	case q.OrderID != "":
		l.index, l.narrow = "events_fact", true
	case q.CustomerID != "":
		// Events have no index by customer: the orders of a customer lead to them.
		l.index, l.narrow = "events_fact", true
		l.and("order_id IN (SELECT order_id FROM order_heads WHERE customer_id = ", q.CustomerID)
		l.terms[len(l.terms)-1] += ")"
	default:
		l.byWhatHappened(q)
	}
	return l
}

// latestEventsList asks for events of a customer among the latest of all that the page could have.
func latestEventsList(q *notify.Query) list {
	l := list{table: "events", limit: q.Limit, latest: latestEvents}
	of := *q
	of.CustomerID = ""
	l.ask(&of)
	l.byWhatHappened(&of)
	l.args = append(l.args, q.CustomerID)
	l.filter = "customer_id = $" + strconv.Itoa(len(l.args))
	return l
}

// byWhatHappened chooses the index of events by milestone and state.
func (l *list) byWhatHappened(q *notify.Query) {
	switch {
	case q.Milestone != "":
		l.index = "events_milestone"
		openUnless(l, q.State, "state", shownStates)
	case q.State == notify.Suppressed:
		l.index = "events_state"
		l.terms = append(l.terms, "state <> 'sent'") // SQLite uses the index only for queries that say so
	}
}

// ask adds what both tables know.
func (l *list) ask(q *notify.Query) {
	for _, f := range []struct{ column, value string }{
		{"order_id", q.OrderID}, {"customer_id", q.CustomerID}, {"state", string(q.State)}, {"milestone", q.Milestone},
	} {
		if f.value != "" {
			l.and(f.column+" = ", f.value)
		}
	}
	l.times(q)
}

// times adds what is about when events happened: ids begin with that. There is one bound above at most, because SQLite begins
// at any one of several and reads on from there.
func (l *list) times(q *notify.Query) {
	if !q.Since.IsZero() {
		since := notify.FirstID(q.Since)
		l.and("id >= ", since[:])
	}
	end := q.Before
	if until := notify.FirstID(q.Until); !q.Until.IsZero() && (end.IsZero() || bytes.Compare(until[:], end[:]) < 0) {
		end = until
	}
	if !end.IsZero() {
		l.and("id < ", end[:])
	}
}

func (l *list) and(term string, arg any) {
	l.args = append(l.args, arg)
	l.terms = append(l.terms, term+"$"+strconv.Itoa(len(l.args)))
}

// openUnless leaves a column of the index open when the query does not name it.
func openUnless[T ~string](l *list, asked T, column string, values []T) {
	if asked != "" {
		return
	}
	c := choice{column: column}
	for _, v := range values {
		c.values = append(c.values, string(v))
	}
	l.open = append(l.open, c)
}

// query writes the list. The limit stands in it: PostgreSQL would take a parameter for a tenth of the table.
func (l *list) query(d dialect) string {
	page := newestFirst + " LIMIT " + strconv.Itoa(l.limit)
	if l.narrow {
		return "WITH few AS MATERIALIZED (SELECT id" + l.from(d, "") + ") SELECT id FROM few" + page
	}
	var branches []string
	for _, values := range l.branches() {
		rows := "SELECT id" + l.from(d, values)
		if l.latest > 0 {
			rows = d.among(l.from(d, values), l.floor(d, values), l.filter, l.latest)
		}
		branches = append(branches, rows+page)
	}
	if len(branches) == 1 {
		return branches[0]
	}
	for i, b := range branches {
		branches[i] = "SELECT id FROM (" + b + ") AS b" + strconv.Itoa(i)
	}
	return strings.Join(branches, " UNION ALL ") + page
}

const newestFirst = " ORDER BY id DESC"

// from is where the rows of a branch are.
func (l *list) from(d dialect, values string) string {
	where := strings.Join(l.terms, " AND ")
	if where == "" {
		where = "true"
	}
	return " FROM " + l.table + d.by(l.index) + " WHERE " + where + values
}

// floor is the first row of a branch that is not among its latest.
func (l *list) floor(d dialect, values string) string {
	return "SELECT id" + l.from(d, values) + newestFirst + " LIMIT 1 OFFSET " + strconv.Itoa(l.latest)
}

// branches are the conditions for every combination of values of the open columns.
func (l *list) branches() []string {
	all := []string{""}
	for _, c := range l.open {
		var next []string
		for _, b := range all {
			for _, v := range c.values {
				next = append(next, b+" AND "+c.column+" = '"+v+"'")
			}
		}
		all = next
	}
	return all
}

// more asks whether any branch of a list of the latest has rows beyond them.
func (l *list) more(d dialect) (q string, args []any) {
	var branches []string
	for i, values := range l.branches() {
		branches = append(branches, "SELECT id FROM ("+l.floor(d, values)+") AS b"+strconv.Itoa(i))
	}
	return strings.Join(branches, " UNION ALL ") + " LIMIT 1", l.args[:len(l.args)-1]
}
