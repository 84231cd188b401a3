package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"onmyway/cmd/torture/ledger"
)

// client calls the service over REST, as a partner or a member of staff does.
type client struct{ url func() string }

var web = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 5 * time.Second}}

// try makes one call and returns what came back.
func (c client) try(ctx context.Context, method, path string, body any) (status int, answer []byte, err error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, fmt.Errorf("write a call: %w", err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url()+path, in)
	if err != nil {
		return 0, nil, fmt.Errorf("make a call: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := web.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("call the service: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		return resp.StatusCode, nil, fmt.Errorf("read an answer: %w", err)
	}
	return resp.StatusCode, answer, nil
}

// call makes a call until it has the wanted answer, for up to half a minute, and reads that into dst unless it is nil.
func (c client) call(ctx context.Context, want int, dst any, method, path string, body any) error {
	return until(ctx, 30*time.Second, func() error {
		status, answer, err := c.try(ctx, method, path, body)
		if err == nil && status != want {
			err = fmt.Errorf("%s %s: %d %s, want %d", method, path, status, answer, want)
		}
		if err == nil && dst != nil {
			err = json.Unmarshal(answer, dst)
		}
		return err
	})
}

// message is one of GET /v1/messages, as far as the harness looks at it.
type message struct {
	ID        string `json:"id"`
	OrderID   string `json:"order_id"`
	Sequence  int    `json:"sequence"`
	Channel   string `json:"channel"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	ExpiresAt string `json:"expires_at"`
	Attempts  []struct {
		Verdict string `json:"verdict"`
	} `json:"attempts"`
}

func (m *message) fact() ledger.Fact { return ledger.Fact{Order: m.OrderID, Step: m.Sequence} }

// messages reads all pages of a query such as "state=verify", up to limit of them; 0 for all.
func (c client) messages(ctx context.Context, query string, limit int) (all []message, err error) {
	for cursor := ""; ; {
		var page struct {
			Items []message
			Next  string
		}
		if err := c.call(ctx, http.StatusOK, &page, http.MethodGet, "/v1/messages?limit=100&"+query+cursor, nil); err != nil {
			return nil, fmt.Errorf("list messages with %s: %w", query, err)
		}
		all = append(all, page.Items...)
		if page.Next == "" || limit > 0 && len(all) >= limit {
			return all, nil
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}

// doubtful are the states in which the service says that it does not know.
var doubtful = []string{"verify", "unknown"}

// unclear are the texts that the service itself says it is unclear about.
func (c client) unclear(ctx context.Context) (map[ledger.Fact]bool, error) {
	facts := map[ledger.Fact]bool{}
	for _, state := range doubtful {
		list, err := c.messages(ctx, "channel=sms&state="+state, 0)
		if err != nil {
			return nil, err
		}
		for i := range list {
			facts[list[i].fact()] = true
		}
	}
	return facts, nil
}

// busy tells how many texts are on their way, up to a hundred per state.
func (c client) busy(ctx context.Context, states ...string) (n int, err error) {
	for _, state := range states {
		list, err := c.messages(ctx, "channel=sms&state="+state, 1)
		if err != nil {
			return 0, err
		}
		n += len(list)
	}
	return n, nil
}

// mention counts texts whose story has a word, in what the service tells of each.
func (c client) mention(ctx context.Context, word string) (n int, err error) {
	list, err := c.messages(ctx, "channel=sms", 0)
	if err != nil {
		return 0, err
	}
	for i := range list {
		var story json.RawMessage
		if err := c.call(ctx, http.StatusOK, &story, http.MethodGet, "/v1/messages/"+list[i].ID, nil); err != nil {
			return n, err
		}
		if bytes.Contains(story, []byte(`"`+word+`"`)) {
			n++
		}
	}
	return n, nil
}
