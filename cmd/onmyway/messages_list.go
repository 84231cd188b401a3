package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// pageSize is how many messages one call gives at most.
const pageSize = 100

// messageList reads page after page.
type messageList struct {
	client *restClient
	path   string // of the call: other lists come by pages alike
	query  url.Values
	limit  int // messages in all, unless all is set
	all    bool

	next string // the cursor of the page after the last one read; empty for none
}

// pages calls f with each page. It holds one page at a time.
func (l *messageList) pages(ctx context.Context, f func(items []json.RawMessage) error) error {
	for left := l.limit; l.all || left > 0; {
		size := pageSize
		if !l.all {
			size = min(size, left)
		}
		l.query.Set("limit", strconv.Itoa(size))
		if l.next != "" {
			l.query.Set("cursor", l.next)
		}
		body, err := l.client.call(ctx, restCall{method: http.MethodGet, path: l.path, query: l.query})
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
func (l *messageList) print(ctx context.Context, w io.Writer, f format) error {
	if f == asJSON {
		return l.printJSON(ctx, w)
	}
	found := 0
	err := l.pages(ctx, func(items []json.RawMessage) error {
		var rows [][]string
		if found == 0 {
			rows = append(rows, []string{"TIME", "MESSAGE", "STATE", "CHANNEL", "ORDER", "MILESTONE", "WHY"})
		}
		for _, item := range items {
			var m staffMessage
			if err := json.Unmarshal(item, &m); err != nil {
				return fmt.Errorf("read a message: %w", err)
			}
			rows = append(rows, []string{clockTime(m.CreatedAt), m.ID, string(m.State), string(m.Channel), m.OrderID, m.Milestone, m.because()})
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
		_, err = fmt.Fprintln(w, "no messages")
	case l.next != "":
		_, err = fmt.Fprintln(w, "there are more: --all lists them")
	}
	return err
}

// printJSON passes on what the service says, as one page.
func (l *messageList) printJSON(ctx context.Context, w io.Writer) error {
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
