package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// growing measures whether an event costs more in an installation that has grown old.
type growing struct {
	lab    *lab
	seed   string // folder of a product that has stored little
	rounds int
}

// How much an old installation holds. Of its messages one in five was a text; the others showed on live pages.
type age struct{ customers, live, texts, orders int }

func (g *growing) old() age {
	return age{
		customers: g.lab.size(1_000_000, 10_000), live: g.lab.size(4_000_000, 40_000), texts: g.lab.size(1_000_000, 10_000),
		orders: g.lab.size(1_000_000, 10_000),
	}
}

func (g *growing) young() age { return age{customers: g.lab.size(10_000, 1000)} }

func (g *growing) close() error { return nil }

func (g *growing) round(ctx context.Context, _ int) (readings, error) {
	if g.seed == "" {
		if err := g.plant(ctx); err != nil {
			return nil, err
		}
	}
	young, err := g.measure(ctx, "young.db", g.young())
	if err != nil {
		return nil, err
	}
	old, err := g.measure(ctx, "old.db", g.old())
	if err != nil {
		return nil, err
	}
	return readings{"grow": {old, young}}, nil
}

// plant makes both databases: the product stores some rows, and copies of them fill the tables.
func (g *growing) plant(ctx context.Context) (err error) {
	home, err := g.lab.textingSite(ctx, 0, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	if _, err := home.text(ctx, g.lab, 100, 0); err != nil {
		return err
	}
	dir := home.dir
	if err := home.close(); err != nil {
		return err
	}
	for name, a := range map[string]age{"young.db": g.young(), "old.db": g.old()} {
		if err := copyFile(filepath.Join(dir, "onmyway.db"), filepath.Join(dir, name)); err != nil {
			return err
		}
		if err := fill(ctx, filepath.Join(dir, name), a); err != nil {
			return err
		}
	}
	g.seed = dir
	return nil
}

// measure lets events of customers from all over the database flow, and returns what one costs, in µs of the processor.
func (g *growing) measure(ctx context.Context, name string, a age) (cost float64, err error) {
	file := filepath.Join(g.seed, name)
	g.rounds++
	run := "grow" + strconv.Itoa(g.rounds) // a topic of its own: the database remembers how far it has read the others
	home, err := g.lab.site(ctx, map[string]string{"database.url": "sqlite:" + file, "kafka.topics": run, "kafka.group": run})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	before, err := home.rows.count(ctx, storedRecords)
	if err != nil {
		return 0, err
	}
	s := steady{g.lab}
	deck := s.deck(0)
	deck.Run, deck.Seed, deck.People, deck.Orders = run, uint64(g.rounds), a.customers, deck.Events/2
	c, err := s.run(ctx, loadTask{Deck: deck, Brokers: home.brokers, Topic: run, Socket: home.socketURL(), Sockets: pages}, home.product.process)
	if err != nil {
		return 0, err
	}
	_, err = home.rows.stored(ctx, before+deck.Events)
	return c.cpu, err
}

// fill puts old rows into a database of the product: copies of rows that are there, under other names. So it knows little
// of the schema.
func fill(ctx context.Context, file string, a age) (err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-262144)&_pragma=wal_autocheckpoint(65536)")
	if err != nil {
		return fmt.Errorf("open the database to fill: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	// Ids begin with a time, of which the oldest come first; 5 events are an order's, and an order is one customer's.
	id := fmt.Sprintf(`unhex(printf('%%012x70008000%%012x', %d + n, n))`, time.Now().AddDate(0, 0, -200).UnixMilli())
	customer, order := fmt.Sprintf(`'c-' || (n / 5 %% %d)`, max(a.customers, 1)), fmt.Sprintf(`'old-' || (n / 5 %% %d)`, max(a.orders, 1))
	for _, t := range []struct {
		name string
		n    int
		set  map[string]string
	}{
		{"customers", a.customers, map[string]string{"id": `'c-' || n`, "phone": `''`}},
		{"order_heads", a.orders, map[string]string{"order_id": `'old-' || n`, "customer_id": fmt.Sprintf(`'c-' || (n %% %d)`, max(a.customers, 1))}},
		{"events", a.live, map[string]string{"id": id, "event_key": `'old-' || n`, "order_id": order, "customer_id": customer, "fact": "n", "sequence": "n"}},
		{"messages", a.texts, map[string]string{"id": id, "event_id": id, "order_id": order, "customer_id": customer, "sequence": "n",
			"address": `'+1212' || (2000000 + n % 4000000)`}},
	} {
		if err := copyRows(ctx, db, t.name, t.n, t.set); err != nil {
			return fmt.Errorf("fill %s with %d rows: %w", t.name, t.n, err)
		}
	}
	return nil
}

// copyRows inserts n copies of the newest row of a table, with some columns set by expressions over n.
func copyRows(ctx context.Context, db *sql.DB, name string, n int, set map[string]string) error {
	found, err := db.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, name)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	var columns, values []string
	for found.Next() {
		var column string
		if err := found.Scan(&column); err != nil {
			return err
		}
		value, given := set[column]
		if !given {
			value = "model." + column
		}
		columns, values = append(columns, column), append(values, value)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `CREATE TEMP TABLE model_of_`+name+` AS SELECT * FROM `+name+` ORDER BY rowid DESC LIMIT 1`); err != nil {
		return err
	}
	const step = 200_000 // rows of a transaction
	for from := 0; from < n; from += step {
		_, err := db.ExecContext(ctx, `WITH RECURSIVE seq(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < ?)
			INSERT OR IGNORE INTO `+name+` (`+strings.Join(columns, ",")+`) SELECT `+strings.Join(values, ",")+
			` FROM seq, model_of_`+name+` AS model`, from, min(from+step, n))
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy a database: %w", err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copy a database: %w", err)
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(fmt.Errorf("copy a database: %w", err), out.Close())
	}
	return out.Close()
}
