package demo

import (
	"net/http"
	"strings"
	"time"

	"onmyway/notify"
)

// What tests of the parts need.
type (
	Key      = key
	Arrival  = arrival
	EventKey = eventKey
	Message  = message
)

var (
	ParseText  = parseText
	ParsePush  = parsePush
	Linked     = linked
	Counts     = counts
	Latencies  = latencies
	Percentile = percentile
	PageHosts  = pageHosts
	Clock      = clock
	Thousands  = thousands
)

// Decided is what the page and the terminal say of an event to the first buyer about which the service decided ms, the last
// of which is that of the live page.
func Decided(now time.Time, ms ...Message) (rows, lines string) {
	var out strings.Builder
	s := newStage(newTerminal(&out, false), func() time.Time { return now })
	s.begin(people(), "http://127.0.0.1:1")
	t := newNarrator("", people()).next(now)[0]
	s.published(t)
	for i := range ms {
		ms[i].Line, ms[i].Milestone, ms[i].Lineage.EventID = t.Buyer.Line, t.Milestone, t.ID
	}
	s.settle(ms)
	for _, r := range s.recent[0].Rows {
		rows += r.Badge + " | " + r.Words + "\n"
	}
	return rows, out.String()
}

// Judge is judge with its verdict taken apart.
func Judge(due []Key, got []Arrival, held map[Key]bool) (lost, doubled, strays []Key) {
	v := judge(due, got, held)
	return v.Lost, v.Doubled, v.Strays
}

// Guard is what stands before the page.
func Guard(hosts []string, next http.Handler) http.Handler {
	return guard(hosts, "ws://127.0.0.1:1234/connection/websocket", next)
}

// Written is what Once would publish to so many events, with devices that need no service.
func Written(events int) (ids []string, repeats int, due []Key) {
	buyers := crowd("test", events)
	for _, b := range buyers {
		for range b.Devices {
			b.browsers = append(b.browsers, b.ID+"-"+string(rune('a'+len(b.browsers))))
		}
	}
	in := write("test", buyers, events, time.Now(), 1)
	for _, e := range in.Events {
		ids = append(ids, e.ID)
	}
	return ids, in.Repeats, in.Due
}

// Told is what the narrator publishes first: the events as JSON, and which of them come again.
func Told(n int) (records []notify.Record, again []bool) {
	narrator := newNarrator("", people())
	for len(records) < n {
		for _, t := range narrator.next(time.Now()) {
			r, err := t.record()
			if err != nil {
				panic(err)
			}
			records, again = append(records, r), append(again, t.again)
		}
	}
	return records, again
}
