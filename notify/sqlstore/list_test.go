package sqlstore_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// raced is set in tests under the race detector, which make SQLite ten times as slow.
var raced bool

// archiveRows is how many messages the lists are tested on: ONMYWAY_TEST_ROWS, or what is quick.
func archiveRows(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("ONMYWAY_TEST_ROWS"))
	switch {
	case os.Getenv("ONMYWAY_TEST_ROWS") == "":
		return 50_000
	case err != nil || n < 10_000:
		t.Fatal("ONMYWAY_TEST_ROWS is no number of rows: write 1000000")
	}
	return n
}

// listCases are what support staff ask for.
func listCases(a *archive) []struct {
	name string
	q    notify.Query
} {
	middle := a.began(a.orders / 2)
	order := a.order(a.orders / 2)
	n := a.orders/2 + 3
	return []struct {
		name string
		q    notify.Query
	}{
		{"all", notify.Query{}},
		{"order", notify.Query{OrderID: order}},
		{"unknown order", notify.Query{OrderID: "none"}},
		{"customer", notify.Query{CustomerID: a.customer(n)}},
		{"unknown customer", notify.Query{CustomerID: "nobody"}},
		{"dealer", notify.Query{CustomerID: "dealer"}},
		{"dealer failed", notify.Query{CustomerID: "dealer", State: notify.Failed}},
		{"dealer suppressed", notify.Query{CustomerID: "dealer", State: notify.Suppressed}},
		{"dealer by SMS", notify.Query{CustomerID: "dealer", Channel: notify.SMS}},
		{"dealer picked up", notify.Query{CustomerID: "dealer", Milestone: "picked_up"}},
		{"dealer who reads", notify.Query{CustomerID: "reader"}},
		{"former dealer", notify.Query{CustomerID: "former"}},
		{"phone", notify.Query{Phone: a.phone(n)}},
		{"phone failed", notify.Query{Phone: a.phone(n), State: notify.Failed}},
		{"phone of a dealer", notify.Query{Phone: a.phone(0)}},
		{"phone of a dealer failed", notify.Query{Phone: a.phone(0), State: notify.Failed}},
		{"phone of a dealer sending", notify.Query{Phone: a.phone(0), State: notify.Sending}},
		{"unknown phone", notify.Query{Phone: "+19999999999"}},
		{"sms", notify.Query{Channel: notify.SMS}},
		{"push", notify.Query{Channel: notify.Push}},
		{"websocket", notify.Query{Channel: notify.WebSocket}},
		{"pending", notify.Query{State: notify.Pending}},
		{"sending (none)", notify.Query{State: notify.Sending}},
		{"verify", notify.Query{State: notify.Verify}},
		{"accepted", notify.Query{State: notify.Accepted}},
		{"sent", notify.Query{State: notify.Sent}},
		{"delivered", notify.Query{State: notify.Delivered}},
		{"undelivered", notify.Query{State: notify.Undelivered}},
		{"failed", notify.Query{State: notify.Failed}},
		{"suppressed", notify.Query{State: notify.Suppressed}},
		{"push delivered (none)", notify.Query{Channel: notify.Push, State: notify.Delivered}},
		{"websocket suppressed", notify.Query{Channel: notify.WebSocket, State: notify.Suppressed}},
		{"websocket failed (none)", notify.Query{Channel: notify.WebSocket, State: notify.Failed}},
		{"milestone", notify.Query{Milestone: "picked_up"}},
		{"rare milestone", notify.Query{Milestone: "claim_opened"}},
		{"unknown milestone", notify.Query{Milestone: "none"}},
		{"milestone by push", notify.Query{Milestone: "carrier_assigned", Channel: notify.Push}},
		{"milestone failed", notify.Query{Milestone: "delivered", State: notify.Failed}},
		{"milestone suppressed (none)", notify.Query{Milestone: "order_booked", State: notify.Suppressed}},
		{"since", notify.Query{Since: middle}},
		{"until", notify.Query{Until: middle}},
		{"an hour", notify.Query{Since: middle, Until: middle.Add(time.Hour)}},
		{"failed since", notify.Query{State: notify.Failed, Since: middle}},
		{"failed until", notify.Query{State: notify.Failed, Until: middle}},
		{"milestone until", notify.Query{Milestone: "picked_up", Until: middle}},
		{"dealer until", notify.Query{CustomerID: "dealer", Until: middle}},
		{"dealer before anything", notify.Query{CustomerID: "dealer", Until: a.start}},
	}
}

// Every list is read by an index that leads to its page, and no list reads a big table whole. The times are printed, not
// checked.
func TestLists(t *testing.T) {
	if raced {
		t.Skip("plans of queries have no races: run without -race")
	}
	eachEngine(t, func(t *testing.T, url string) {
		s := open(t, url)
		a := newArchive(archiveRows(t))
		began := time.Now()
		if strings.HasPrefix(url, "sqlite") {
			a.fillSQLite(t, s)
		} else {
			a.fillPostgres(t, s)
		}
		calls := 6
		if os.Getenv("ONMYWAY_TEST_ROWS") != "" {
			calls = 400
		}
		t.Logf("%d orders stored in %s", a.orders, time.Since(began).Round(time.Millisecond))
		for _, c := range listCases(a) {
			c.q.Limit = 100
			usesIndexes(t, s, c.name, c.q)
			if calls < 100 { // it would take an hour for a million
				a.findsAll(t, s, c.name, c.q)
			}
			first, deep := a.times(t, s, c.q, calls)
			t.Logf("%-28s first page p50 %6.2f ms p99 %6.2f ms · deep p50 %6.2f ms p99 %6.2f ms", c.name,
				quantile(first, 0.5), quantile(first, 0.99), quantile(deep, 0.5), quantile(deep, 0.99))
		}
	})
}

// scanned is a step of a plan that reads one of the big tables whole.
var scanned = regexp.MustCompile(`Seq Scan on (events|messages)\b|SCAN (events|messages)$`)

func usesIndexes(t *testing.T, s *sqlstore.Store, name string, q notify.Query) {
	t.Helper()
	lists, err := s.Lists(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		plan := explain(t, s, l.SQL, l.Args...)
		used := slices.ContainsFunc(plan, func(step string) bool {
			// PostgreSQL may walk the primary key where that is short too: a range of time, or the latest rows of a dealer.
			return strings.Contains(step, l.Index) || (l.Short || !q.Until.IsZero()) && strings.Contains(step, l.Table+"_pkey")
		})
		whole := slices.ContainsFunc(plan, scanned.MatchString)
		if !used || whole {
			t.Errorf("%s: want %s and no table read whole:\n%s\n%s", name, l.Index, l.SQL, strings.Join(plan, "\n"))
		}
		if testing.Verbose() {
			t.Logf("%s: %s", name, strings.Join(slices.Compact(plan), "\n    "))
		}
	}
}

func explain(t *testing.T, s *sqlstore.Store, q string, args ...any) (steps []string) {
	t.Helper()
	how := "EXPLAIN (COSTS OFF) "
	if s.Engine() == "sqlite" {
		how = "EXPLAIN QUERY PLAN "
	}
	rows, err := s.DB().QueryContext(t.Context(), how+q, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, q)
	}
	defer rows.Close()
	for rows.Next() {
		var step, id, parent, unused string
		into := []any{&step}
		if s.Engine() == "sqlite" {
			into = []any{&id, &parent, &unused, &step}
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	return steps
}

// findsAll checks two pages against what a plain statement gives.
func (a *archive) findsAll(t *testing.T, s *sqlstore.Store, name string, q notify.Query) {
	t.Helper()
	for _, before := range []notify.ID{{}, notify.FirstID(a.began(a.orders * 2 / 3)), notify.FirstID(a.began(a.orders / 50))} {
		q.Before = before
		found, err := s.Find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want := wholeList(t, s, q)
		if !slices.EqualFunc(found, want, func(e notify.Entry, id notify.ID) bool { return e.ID == id }) {
			t.Errorf("%s before %s: found %d messages, want %d, or they are others", name, before, len(found), len(want))
		}
	}
}

// wholeList answers a query by one plain statement over both tables.
func wholeList(t *testing.T, s *sqlstore.Store, q notify.Query) (ids []notify.ID) {
	t.Helper()
	where, args := "true", []any{}
	and := func(asked bool, term string, arg any) {
		if asked {
			args = append(args, arg)
			where += fmt.Sprintf(" AND %s $%d", term, len(args))
		}
	}
	since, until := notify.FirstID(q.Since), notify.FirstID(q.Until)
	and(q.OrderID != "", "order_id =", q.OrderID)
	and(q.CustomerID != "", "customer_id =", q.CustomerID)
	and(q.Phone != "", "channel = 'sms' AND address =", q.Phone)
	and(q.Channel != "", "channel =", string(q.Channel))
	and(q.State != "", "state =", string(q.State))
	and(q.Milestone != "", "milestone =", q.Milestone)
	and(!q.Since.IsZero(), "id >=", since[:])
	and(!q.Until.IsZero(), "id <", until[:])
	and(!q.Before.IsZero(), "id <", q.Before[:])
	rows, err := s.DB().QueryContext(t.Context(), `WITH everything AS (
		SELECT id, order_id, customer_id, channel, address, state, milestone FROM messages UNION ALL
		SELECT id, order_id, customer_id, 'websocket', '', state, milestone FROM events)
		SELECT id FROM everything WHERE `+where+fmt.Sprintf(" ORDER BY id DESC LIMIT %d", q.Limit), args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte // of PostgreSQL; SQLite gives the bytes
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		id := notify.ID{}
		if len(text) == len(id) {
			copy(id[:], text)
		} else if id, err = notify.ParseID(string(text)); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// times measures a list, its first page and pages from anywhere.
func (a *archive) times(t *testing.T, s *sqlstore.Store, q notify.Query, calls int) (first, deep []time.Duration) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range calls {
		if i%2 == 1 {
			q.Before = notify.FirstID(a.began(random.IntN(a.orders)))
		}
		began := time.Now()
		if _, err := s.Find(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		if i%2 == 1 {
			deep = append(deep, took)
			q.Before = notify.ID{}
		} else {
			first = append(first, took)
		}
	}
	return first, deep
}

func quantile(times []time.Duration, p float64) float64 {
	slices.Sort(times)
	return float64(times[int(p*float64(len(times)-1)+0.5)].Microseconds()) / 1000
}
