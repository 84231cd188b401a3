package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"onmyway/notify"
	"onmyway/notify/sqlstore"
)

// archive is a database as it looks after two months: of ten rows six are events and four are messages, ten rows of
// events for each order. Dealers have many orders: "dealer" is told by SMS, "reader" only looks at the live page, and
// "former" has had no order for a month.
type archive struct {
	orders int
	start  time.Time
	random *rand.Rand
}

const archiveDays = 60

func newArchive(rows int) *archive {
	return &archive{orders: rows * 6 / 100, start: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), random: rand.New(rand.NewPCG(7, 7))}
}

// began is when an order was booked.
func (a *archive) began(n int) time.Time {
	return a.start.Add(time.Duration(n) * (archiveDays * 24 * time.Hour / time.Duration(a.orders)))
}

func (a *archive) order(n int) string { return fmt.Sprintf("CH-%06d", n) }

// customer gives a twelfth of the orders to each dealer, but enough to count as many, and one or two to others.
func (a *archive) customer(n int) string {
	each := min(a.orders/550, 12)
	switch {
	case n%each == 0:
		return "dealer"
	case n%each == 1:
		return "reader"
	case n%each < 4 && n < a.orders/2:
		return "former"
	}
	return fmt.Sprintf("c-%06d", n/2)
}

func (a *archive) phone(n int) string {
	if a.customer(n) == "dealer" {
		return "+14155550000"
	}
	return fmt.Sprintf("+1415%07d", 1_000_000+n/2)
}

// milestones are those of an order. One in a thousand ends with a claim.
func (a *archive) milestones(n int) []*notify.Milestone {
	names := []string{"order_booked", "order_confirmed", "posted_to_carriers", "carrier_assigned", "driver_assigned",
		"pickup_window_set", "driver_en_route_to_pickup", "picked_up", "in_transit", "delivered"}
	if n%1000 == 7 {
		names[9] = "claim_opened"
	}
	var list []*notify.Milestone
	for _, name := range names {
		list = append(list, notify.MilestoneOf(notify.CarHaul, name))
	}
	return list
}

// state is that of a message: most are delivered or accepted, few failed, and of the latest some wait.
func (a *archive) state(n int, ch notify.Channel) (notify.State, notify.Reason) {
	switch p := a.random.IntN(1000); {
	case p < 10:
		return notify.Failed, notify.BadAddress
	case p < 40:
		return notify.Suppressed, notify.Superseded
	case p < 42:
		return notify.Undelivered, notify.BadAddress
	case p < 45:
		return notify.Verify, notify.UnclearEnd
	case n > a.orders*99/100 && p < 300:
		return notify.Pending, ""
	case ch == notify.SMS:
		return notify.Delivered, ""
	}
	return notify.Accepted, ""
}

// rows gives all rows of the tables to put, order by order.
func (a *archive) rows(put func(table string, row []any) error) error {
	for n := range a.orders {
		if err := a.rowsOf(n, put); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) rowsOf(n int, put func(table string, row []any) error) error {
	order, customer, at := a.order(n), a.customer(n), a.began(n)
	for i, m := range a.milestones(n) {
		at = at.Add(time.Duration(1+a.random.IntN(8)) * time.Hour)
		e := &notify.Event{Key: fmt.Sprintf("%s-%d", order, i), OrderID: order, CustomerID: customer, Line: m.Line, Milestone: m,
			Sequence: int64(i + 1), OccurredAt: at}
		e.ID = notify.NewID(at, e.Key)
		state, reason := notify.Sent, notify.Reason("")
		if !m.Visible {
			state, reason = notify.Suppressed, notify.NotVisible
		}
		if err := put("events", []any{e.ID[:], e.Key, order, string(m.Line), m.Name, e.Sequence, e.Sequence, customer, at.UnixMilli(),
			at.UnixMilli(), string(state), string(reason), "Your driver is on the way", archiveText, "en", "9f3c2a", archiveData, nil,
			"order-events", int64(n % 12), int64(n), at.UnixMilli(), ""}); err != nil {
			return err
		}
		for _, ch := range a.channels(n, i) {
			if err := put("messages", a.message(n, e, ch)); err != nil {
				return err
			}
		}
	}
	return put("order_heads", []any{order, string(notify.CarHaul), customer, "delivered", int64(10), at.UnixMilli(), archiveData,
		int64(10), at.UnixMilli()})
}

const (
	archiveText = "Sam is on the way to pick up your 2021 Honda Civic and should arrive between 12 and 1 pm."
	archiveData = `{"driver_name":"Sam","vehicle":"2021 Honda Civic","eta":{"start":"2026-11-21T19:00:00Z"},"tracking_url":"https://example.com/t/abc"}`
)

// channels are those on which an event was told besides the live page: about seven messages for ten events.
func (a *archive) channels(n, i int) []notify.Channel {
	switch {
	case i == 2 || a.customer(n) == "reader":
		return nil
	case i%4 == 3 && n%2 == 1:
		return []notify.Channel{notify.SMS, notify.Push}
	case i%2 == 1 || i > 5:
		return []notify.Channel{notify.SMS}
	}
	return nil
}

func (a *archive) message(n int, e *notify.Event, ch notify.Channel) []any {
	address := a.phone(n)
	if ch == notify.Push {
		address = fmt.Sprintf("device-%d", n/2)
	}
	id, at := notify.MessageID(e, ch, address, 0), e.OccurredAt.UnixMilli()
	state, reason := a.state(n, ch)
	return []any{id[:], e.ID[:], e.OrderID, e.CustomerID, string(e.Line), e.Milestone.Name, e.Sequence, string(ch), address, "",
		archiveText, "", "en", "9f3c2a", "high", false, string(state), string(reason), at, at, at, at + 7_200_000, at, nil, int64(1),
		nil, "SM1", nil, int64(0), "", "", "", at, ""}
}

var archiveColumns = map[string]string{
	"events": `id, event_key, order_id, line, milestone, fact, sequence, customer_id, occurred_at, received_at, state, reason, title,
		body, locale, template, data, not_sent, topic, part, off, record_at, asked`,
	"messages": `id, event_id, order_id, customer_id, line, milestone, sequence, channel, address, title, body, link, locale, template,
		urgency, standing, state, reason, occurred_at, created_at, due_at, expires_at, updated_at, owner, attempt, attempts,
		provider_id, resend_of, resend_no, asked_by, asked_why, asked, recorded_at, trace`,
	"order_heads": `order_id, line, customer_id, milestone, sequence, occurred_at, facts, version, updated_at`,
}

// fillSQLite stores the archive in one transaction.
func (a *archive) fillSQLite(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	tx, err := s.DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	inserts := map[string]*sql.Stmt{}
	for table, columns := range archiveColumns {
		places := strings.TrimSuffix(strings.Repeat("?,", 1+strings.Count(columns, ",")), ",")
		if inserts[table], err = tx.Prepare("INSERT INTO " + table + " (" + columns + ") VALUES (" + places + ")"); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.rows(func(table string, row []any) error { _, err := inserts[table].Exec(row...); return err }); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// fillPostgres copies the archive in, table by table, and gathers statistics as autovacuum does in the background.
func (a *archive) fillPostgres(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	rows := map[string][][]any{}
	flush := func(table string) error {
		err := copyRows(t.Context(), s.DB(), table, rows[table])
		rows[table] = rows[table][:0]
		return err
	}
	if err := a.rows(func(table string, row []any) error {
		rows[table] = append(rows[table], row)
		if len(rows[table]) < 20_000 {
			return nil
		}
		return flush(table)
	}); err != nil {
		t.Fatal(err)
	}
	for table := range archiveColumns {
		if err := flush(table); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().ExecContext(t.Context(), "VACUUM ANALYZE "+table); err != nil {
			t.Fatal(err)
		}
	}
}

func copyRows(ctx context.Context, db *sql.DB, table string, rows [][]any) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	columns := strings.FieldsFunc(archiveColumns[table], func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
	return conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(slices.Clone(rows)))
		return err
	})
}
