package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// pageSize is how many things one call lists at most.
const pageSize = 100

// howMany is what people say about the length of a list.
type howMany struct {
	limit int
	all   bool
}

func (h *howMany) flags(fs *pflag.FlagSet) {
	fs.IntVar(&h.limit, "limit", 50, "how many at most")
	fs.BoolVar(&h.all, "all", false, "all of them")
}

func (h *howMany) check(fs *pflag.FlagSet) error {
	switch {
	case h.all && fs.Changed("limit"):
		return errors.New("--limit and --all don't go together")
	case h.limit < 1:
		return errors.New("--limit must be 1 or more")
	}
	return nil
}

// restList is what a call lists page after page.
type restList struct {
	client *restClient
	path   string
	query  url.Values
	flags  map[string]string // as in restCall
	howMany

	next string // the cursor of the page after the last one read; empty for none
}

// columns are how people see a list.
type columns struct {
	none string // what is said of an empty list
	head []string
	row  func(item json.RawMessage) ([]string, error)
}

// pages calls f with each page. It holds one page at a time.
func (l *restList) pages(ctx context.Context, f func(items []json.RawMessage) error) error {
	for left := l.limit; l.all || left > 0; {
		size := pageSize
		if !l.all {
			size = min(size, left)
		}
		l.query.Set("limit", strconv.Itoa(size))
		if l.next != "" {
			l.query.Set("cursor", l.next)
		}
		body, err := l.client.call(ctx, restCall{method: http.MethodGet, path: l.path, query: l.query, flags: l.flags})
		if err != nil {
			return err
		}
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return fmt.Errorf("read the list: %w", err)
		}
		if err := f(page.Items); err != nil {
			return err
		}
		left -= len(page.Items)
		if l.next = page.Next; l.next == "" || len(page.Items) == 0 {
			return nil
		}
	}
	return nil
}

// print writes the list as it comes.
func (l *restList) print(ctx context.Context, w io.Writer, f format, c columns) error {
	if f == asJSON {
		return l.printJSON(ctx, w)
	}
	found := 0
	err := l.pages(ctx, func(items []json.RawMessage) error {
		var rows [][]string
		if found == 0 {
			rows = append(rows, c.head)
		}
		for _, item := range items {
			row, err := c.row(item)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		if found += len(items); len(items) == 0 {
			return nil
		}
		return printTable(w, rows)
	})
	switch {
	case err != nil:
		return err
	case found == 0:
		_, err = fmt.Fprintln(w, c.none)
	case l.next != "":
		_, err = fmt.Fprintln(w, "there are more: --all lists them")
	}
	return err
}

// printJSON passes on what the service says, as one page.
func (l *restList) printJSON(ctx context.Context, w io.Writer) error {
	before, end := `{"items":[`, "]}"
	err := l.pages(ctx, func(items []json.RawMessage) error {
		for _, item := range items {
			if _, err := fmt.Fprintf(w, "%s\n%s", before, item); err != nil {
				return fmt.Errorf("write the answer: %w", err)
			}
			before = ","
		}
		return nil
	})
	if err != nil {
		return err
	}
	if l.next != "" {
		next, err := json.Marshal(l.next)
		if err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
		end = `],"next":` + string(next) + "}"
	}
	if _, err := fmt.Fprintln(w, strings.TrimPrefix(before, ",")+"\n"+end); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
