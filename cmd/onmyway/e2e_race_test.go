package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// atOnce makes calls at the same time, by turns through nodes, and counts their answers by status and code.
func atOnce(t *testing.T, calls int, nodes []*node, call func(i int, n *node) (status int, answer []byte, err error)) map[string]int {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for i := range calls {
		wg.Go(func() {
			status, answer, err := call(i, nodes[i%len(nodes)])
			var problem struct{ Code string }
			if err == nil {
				err = json.Unmarshal(answer, &problem)
			}
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[strings.TrimSpace(fmt.Sprint(status, " ", problem.Code))]++
		})
	}
	wg.Wait()
	return got
}

// TestWritesAtOnce: of many writes on the same version one is stored, and of many without a version none gets lost.
func TestWritesAtOnce(t *testing.T) {
	const calls = 50
	w, a, b := twoNodes(t, twiliotest.Options{})
	nodes := []*node{a, b}
	const path = "/v1/customers/c-race"
	a.call(http.StatusOK, nil, http.MethodPut, path, map[string]any{"name": "Dana"})

	got := atOnce(t, calls, nodes, func(i int, n *node) (int, []byte, error) {
		return n.try(http.MethodPatch, path, map[string]string{"name": fmt.Sprint("Dana ", i)}, "If-Match", `"1"`)
	})
	if got["200"] != 1 || got["412 changed_meanwhile"] != calls-1 {
		t.Errorf("with If-Match: %v", got)
	}

	locales := []string{"en-US", "es-MX"}
	fields := []func(i int) map[string]any{
		func(i int) map[string]any { return map[string]any{"name": fmt.Sprint("Dana ", i)} },
		func(i int) map[string]any { return map[string]any{"locale": locales[i/3%2]} },
		func(i int) map[string]any {
			return map[string]any{"preferences": map[string]any{"channels": map[string]bool{"sms": i%2 == 0}}}
		},
	}
	got = atOnce(t, calls, nodes, func(i int, n *node) (int, []byte, error) {
		return n.try(http.MethodPatch, path, fields[i%3](i))
	})
	if got["200"] != calls {
		t.Errorf("without If-Match: %v", got)
	}
	var c struct {
		Name, Locale string
		Preferences  struct{ Channels map[string]bool }
	}
	b.call(http.StatusOK, &c, http.MethodGet, path, nil)
	if _, said := c.Preferences.Channels["sms"]; !strings.HasPrefix(c.Name, "Dana ") || c.Locale == "" || !said {
		t.Errorf("a write got lost: %+v", c)
	}
	rows := w.count(`SELECT count(*) FROM audit WHERE object = 'customer:c-race'`)
	version := w.count(`SELECT version FROM customers WHERE id = 'c-race'`)
	t.Logf("%d audit rows, version %d", rows, version)
	if rows != version {
		t.Errorf("%d audit rows for version %d", rows, version)
	}
}

// TestResendsAtOnce: one key through two nodes makes one message, and many people who resend what failed make one too.
func TestResendsAtOnce(t *testing.T) {
	const calls = 50
	var met sync.Map // numbers
	w, a, b := twoNodes(t, twiliotest.Options{Faults: func(r twiliotest.Request) twiliotest.Fault {
		if _, before := met.LoadOrStore(r.To, true); !before {
			return twiliotest.Fault{Kind: twiliotest.Refused, Code: 30008}
		}
		return twiliotest.Fault{}
	}})
	nodes := []*node{a, b}
	failed := func(e event) (of message) {
		t.Helper()
		w.produce(20*time.Second, e)
		within(t, 20*time.Second, "the text failed", func() error {
			ms, err := a.tryMessages("channel=sms&state=failed&order_id=" + e.OrderID)
			if err == nil && len(ms) != 1 {
				err = fmt.Errorf("%d failed texts", len(ms))
			}
			if err == nil {
				of = ms[0]
			}
			return err
		})
		return of
	}
	resend := func(of message, key func(i int) string) map[string]int {
		return atOnce(t, calls, nodes, func(i int, n *node) (int, []byte, error) {
			return n.try(http.MethodPost, "/v1/messages/"+of.ID+"/resend", map[string]any{"reason": "changed phones"}, "Idempotency-Key", key(i))
		})
	}
	first, second := onTheWay(1, 10), onTheWay(2, 10)
	of := failed(first)
	got := resend(of, func(int) string { return "k-1" })
	t.Logf("one key: %v", got)
	if got["202"] != calls {
		t.Errorf("one key: %v", got)
	}
	within(t, 20*time.Second, "it is accepted", func() error { return w.accepted(b, first.OrderID, 1) })

	of = failed(second)
	got = resend(of, func(i int) string { return fmt.Sprint("k-", 2+i) })
	t.Logf("a key each: %v", got)
	refused := got["409 "+notify.RefuseJustSent] + got["409 "+notify.RefusePending]
	if got["202"] != 1 || refused != calls-1 {
		t.Errorf("a key each: %v", got)
	}
	within(t, 20*time.Second, "it is accepted", func() error { return w.accepted(b, second.OrderID, 1) })
	if got := len(w.sms.Accepted()); got != 2 {
		t.Errorf("%d texts, want 2", got)
	}
}

// TestPagesWhileEventsFlow: who turns pages while events come sees every message that was there, each once, newest first.
func TestPagesWhileEventsFlow(t *testing.T) {
	const there = 120
	overEngines(t, twiliotest.Options{}, func(t *testing.T, w *world) {
		n := w.node().start()
		before := manyOnTheWay(there, 40)
		w.produce(20*time.Second, before...)
		within(t, 30*time.Second, "all is stored", func() error { return w.arrived(n, before) })

		done, flow := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(flow)
			for i := there; ; i++ {
				select {
				case <-done:
					return
				default:
					w.produce(20*time.Second, onTheWay(i, 40))
				}
			}
		}()
		within(t, 20*time.Second, "events come", func() error {
			if n := len(n.messages("channel=sms")); n <= there {
				return fmt.Errorf("%d messages, as before", n)
			}
			return nil
		})
		seen, pages, cursor := map[string]int{}, 0, ""
		for last := ""; pages == 0 || cursor != ""; pages++ {
			var page struct {
				Items []message
				Next  string
			}
			n.call(http.StatusOK, &page, http.MethodGet, "/v1/messages?channel=sms&limit=7"+cursor, nil)
			for _, m := range page.Items {
				seen[m.ID]++
				if last != "" && m.ID > last {
					t.Errorf("page %d: %s comes after %s", pages, m.ID, last)
				}
				last = m.ID
			}
			if cursor = ""; page.Next != "" {
				cursor = "&cursor=" + url.QueryEscape(page.Next)
			}
		}
		close(done)
		<-flow
		all := n.messages("channel=sms")
		t.Logf("%d pages, %d messages on them; %d in the end", pages, len(seen), len(all))
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s was on %d pages", id, times)
			}
		}
		old := map[string]bool{}
		for _, e := range before {
			old[e.OrderID] = true
		}
		for _, m := range all {
			if old[m.OrderID] && seen[m.ID] == 0 {
				t.Errorf("the message of %s was on no page", m.OrderID)
			}
		}
		if len(all) <= there {
			t.Error("no event came meanwhile")
		}
	})
}
