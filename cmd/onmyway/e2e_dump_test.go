package main

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// tables are those of the database.
func (w *world) tables() (names []string) {
	w.t.Helper()
	query := `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
	if w.database[0] == "sqlite" {
		query = `SELECT name FROM sqlite_master WHERE type = 'table'`
	}
	for _, row := range w.rows(query) {
		names = append(names, strings.TrimSuffix(row, "\n"))
	}
	return names
}

// dump is a table, one row a string: each value on a line, and bytes as hex too.
func (w *world) dump(table string) []string {
	w.t.Helper()
	return w.rows(`SELECT * FROM "` + table + `"`)
}

func (w *world) rows(query string) (all []string) {
	w.t.Helper()
	db, err := sql.Open(w.database[0], w.database[1])
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(query)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	columns, err := rows.Columns()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() && err == nil {
		err = rows.Scan(into...)
		var row strings.Builder
		for _, v := range values {
			if b, ok := v.([]byte); ok {
				fmt.Fprintf(&row, "%s %x\n", b, b)
				continue
			}
			fmt.Fprintln(&row, v)
		}
		all = append(all, row.String())
	}
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return all
}
