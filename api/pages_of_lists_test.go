package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/api"
	"onmyway/notify"
)

// pageOf reads one page of a list and returns what f makes of each item.
func (f *fixture) pageOf(t rapid.TB, call string) (ids []string, next string) {
	t.Helper()
	w := f.do(call, "")
	f.log.Reset()
	var page struct {
		Items []struct {
			ID      string
			No      int
			Event   struct{ ID string }
			Message struct{ ID string }
		}
		Next string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s %v", call, w.Code, w.Body, err)
	}
	for _, i := range page.Items {
		switch {
		case i.No > 0:
			ids = append(ids, fmt.Sprint(i.No))
		default:
			ids = append(ids, i.ID+i.Event.ID+i.Message.ID)
		}
	}
	return ids, page.Next
}

// Whatever is added while somebody reads page after page: what was there is read once, in order.
func TestPagesUnderInserts(t *testing.T) {
	lists := map[string]func(f *fixture, ms int) (id string){
		"/v1/messages":             addEntry,
		"/v1/orders/CH-1/timeline": addEntry,
		"/v1/deadletters": func(f *fixture, ms int) string {
			d := notify.DeadLetter{ID: notify.NewID(noon.Add(time.Duration(ms)*time.Millisecond), fmt.Sprint(ms, len(f.deadLetters)))}
			f.deadLetters = append(f.deadLetters, d)
			slices.SortFunc(f.deadLetters, func(a, b notify.DeadLetter) int { return -strings.Compare(a.ID.String(), b.ID.String()) })
			return d.ID.String()
		},
		"/v1/audit": func(f *fixture, _ int) string {
			f.wrote(notify.Act{}, "x", "y", struct{}{})
			return fmt.Sprint(len(f.audit))
		},
	}
	for path, add := range lists {
		t.Run(path, func(t *testing.T) {
			base := newFixture(t, func(c *api.Config, _ *api.Deps) { c.RatePerMinute = math.MaxInt32 })
			rapid.Check(t, func(t *rapid.T) {
				f := base
				f.entries, f.deadLetters, f.audit = nil, nil, nil
				times := rapid.IntRange(0, 50)
				var there []string
				for range rapid.IntRange(1, 25).Draw(t, "there") {
					there = append(there, add(f, times.Draw(t, "at")))
				}
				var read []string
				next := ""
				for page := 0; page == 0 || next != ""; page++ {
					call := fmt.Sprintf("GET %s?limit=%d", path, rapid.IntRange(1, 6).Draw(t, "limit"))
					if next != "" {
						call += "&cursor=" + next
					}
					var ids []string
					ids, next = f.pageOf(t, call)
					read = append(read, ids...)
					for range rapid.IntRange(0, 3).Draw(t, "added") {
						add(f, times.Draw(t, "at"))
					}
				}
				seen := map[string]int{}
				for _, id := range read {
					if seen[id]++; seen[id] > 1 {
						t.Fatalf("%s is on two pages: %v", id, read)
					}
				}
				for _, id := range there {
					if seen[id] == 0 {
						t.Fatalf("%s is on no page: %v", id, read)
					}
				}
			})
		})
	}
}

func addEntry(f *fixture, ms int) string {
	e := told(noon.Add(time.Duration(ms)*time.Millisecond), notify.CarHaul, "picked_up", `{}`)
	e.ID = notify.NewID(e.OccurredAt, fmt.Sprint(ms, len(f.entries)))
	f.entries = append(f.entries, e)
	slices.SortFunc(f.entries, func(a, b notify.Entry) int { return -strings.Compare(a.ID.String(), b.ID.String()) })
	return e.ID.String()
}

// A cursor belongs to the filters of its first page. The limit may change.
func TestCursorOfAnotherQuery(t *testing.T) {
	f := newFixture(t)
	for i := range 5 {
		addEntry(f, i)
	}
	phone := url.QueryEscape("(415) 555-2671")
	first := "GET /v1/messages?limit=2&order_id=CH-1&since=2026-11-01T00:00:00Z"
	_, next := f.pageOf(t, first)
	tests := []struct {
		name, call string
		ok         bool
	}{
		{"the same", first, true},
		{"another limit", "GET /v1/messages?limit=3&order_id=CH-1&since=2026-11-01T00:00:00Z", true},
		{"the same moment, written otherwise", "GET /v1/messages?order_id=CH-1&since=2026-11-01T01:00:00%2B01:00", true},
		{"another order", "GET /v1/messages?order_id=CH-2&since=2026-11-01T00:00:00Z", false},
		{"one filter less", "GET /v1/messages?order_id=CH-1", false},
		{"one filter more", first + "&channel=sms", false},
		{"a number", first + "&phone=" + phone, false},
		{"the value under another name", "GET /v1/messages?customer_id=CH-1&since=2026-11-01T00:00:00Z", false},
		{"another list", "GET /v1/orders/CH-1/timeline?limit=2", false},
	}
	for _, tt := range tests {
		w := f.do(tt.call+"&cursor="+next, "")
		if tt.ok {
			wantStatus(t, w, http.StatusOK)
			continue
		}
		p := wantProblem(t, w, http.StatusBadRequest, "bad_cursor")
		if !strings.Contains(p.Detail, "another query") {
			t.Errorf("%s: it says %q", tt.name, p.Detail)
		}
	}
	p := wantProblem(t, f.do("GET /v1/audit?cursor="+next, ""), http.StatusBadRequest, "bad_cursor")
	if !strings.Contains(p.Detail, "not one of ours") {
		t.Errorf("it says %q", p.Detail)
	}
}

func TestListAudit(t *testing.T) {
	f := newFixture(t)
	for i := range 250 {
		f.wrote(notify.Act{At: noon, By: "desk", Request: "r"}, notify.DidWriteCustomer, notify.CustomerObject(fmt.Sprintf("c-%d", i%2)), map[string]int{"i": i})
	}
	w := f.do("GET /v1/audit?limit=1", "")
	wantStatus(t, w, http.StatusOK)
	if want := `{"items":[{"no":250,"at":"2026-11-21T20:00:00Z","by":"desk","request":"r","did":"customer.write","object":"customer:c-1",
		"detail":{"i":249},"hash":"` + strings.Repeat("0", 64) + `"}],"next":`; !strings.HasPrefix(w.Body.String(), strings.NewReplacer("\n", "", "\t", "").Replace(want)) {
		t.Errorf("%s", w.Body)
	}
	var read []string
	for next := "-"; next != ""; {
		call := "GET /v1/audit?limit=30&object=customer:c-1"
		if next != "-" {
			call += "&cursor=" + next
		}
		var ids []string
		ids, next = f.pageOf(t, call)
		read = append(read, ids...)
	}
	var want []string
	for no := 250; no > 0; no -= 2 {
		want = append(want, fmt.Sprint(no))
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDeadLetters(t *testing.T) {
	f := newFixture(t)
	f.deadLetters = []notify.DeadLetter{{ID: entryID, Reject: notify.Reject{
		Record: notify.Record{Topic: "order-events", Partition: 3, Offset: 99, Time: noon, Key: []byte("CH-1"), Value: []byte("\xff\x00")},
		Reason: "invalid_utf8", Problems: []notify.Problem{{Detail: "is not UTF-8"}}, At: noon,
	}}}
	w := f.do("GET /v1/deadletters", "")
	wantStatus(t, w, http.StatusOK)
	wantJSON(t, w, `{"items":[{"id":"`+entryID.String()+`","reason":"invalid_utf8","problems":[{"field":"","detail":"is not UTF-8"}],
		"at":"2026-11-21T20:00:00Z","topic":"order-events","partition":3,"offset":99,"recorded_at":"2026-11-21T20:00:00Z",
		"key":{"encoding":"text","shown":"CH-1","size":4},"value":{"encoding":"base64","shown":"/wA=","size":2}}]}`)
}

func TestShowValue(t *testing.T) {
	tests := []struct {
		name, value, encoding string
		shown                 int // bytes
	}{
		{"nothing", "", "text", 0},
		{"text", "{\n\t\"a\": \"é\"\r\n}", "text", 15},
		{"long text", strings.Repeat("x", 5000), "text", 4096},
		{"cut before a character", strings.Repeat("x", 4095) + "é…", "text", 4095},
		{"cut before a long character", strings.Repeat("x", 4093) + "😀😀", "text", 4093},
		{"control characters", "a\x01", "base64", 4},
		{"bytes", "\x80\x81", "base64", 4},
		{"long bytes", strings.Repeat("\x80", 5000), "base64", 5464},
	}
	for _, tt := range tests {
		v := api.ShowValue([]byte(tt.value))
		if v.Encoding != tt.encoding || len(v.Shown) != tt.shown || v.Size != len(tt.value) {
			t.Errorf("%s: %s, %d bytes of %d", tt.name, v.Encoding, len(v.Shown), v.Size)
		}
	}
}
