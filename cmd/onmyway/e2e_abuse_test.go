package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

const (
	slowSockets  = 2000 / slower
	abuseRSS     = 50 << 20         // bytes that a process may grow by
	abuseEnds    = 60 * time.Second // after which nothing of it is left
	callers      = 4
	callersPause = 5 * time.Millisecond
	patience     = 5 * time.Second // of honest callers on a machine that has more to do than this test; see the log for the ratio
)

// pace is how long the calls of honest callers took.
type pace struct {
	mu    sync.Mutex
	took  []time.Duration
	fault error
	stop  chan struct{}
	ended sync.WaitGroup
}

// honest lets callers ask for something small again and again until stop is closed.
func honest(n *node) *pace {
	p := &pace{stop: make(chan struct{})}
	for range callers {
		p.ended.Go(func() {
			for {
				select {
				case <-p.stop:
					return
				case <-time.After(callersPause):
				}
				began := time.Now()
				status, answer, err := n.try(http.MethodGet, "/v1/customers/c-1", nil)
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("%d %s", status, answer)
				}
				p.mu.Lock()
				p.took = append(p.took, time.Since(began))
				if err != nil {
					p.fault = err
				}
				p.mu.Unlock()
			}
		})
	}
	return p
}

// p99 stops the callers and returns what 99 of 100 calls stayed below.
func (p *pace) p99(t *testing.T) time.Duration {
	t.Helper()
	close(p.stop)
	p.ended.Wait()
	if p.fault != nil || len(p.took) == 0 {
		t.Errorf("of %d honest calls one failed: %v", len(p.took), p.fault)
		return 0
	}
	slices.Sort(p.took)
	return p.took[len(p.took)*99/100]
}

// drip opens a connection, sends the start of a request and then one byte a second, until the other side ends it.
func drip(addr string) (lasted time.Duration, err error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn) // until it is closed
	}()
	_, _ = io.WriteString(conn, "GET /v1/customers/c-1 HTTP/1.1\r\nX-Slow: ")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for time.Since(began) < abuseEnds {
		select {
		case <-gone:
			return time.Since(began), nil
		case <-tick.C:
			_, _ = io.WriteString(conn, "a") // a closed connection shows in gone
		}
	}
	return time.Since(began), fmt.Errorf("the connection is open after %s", abuseEnds)
}

// TestSlowConnections: two thousand connections that send one byte a second are ended, and others hardly notice.
func TestSlowConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: only TestEveryLine runs whole processes")
	}
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node("ONMYWAY_LOG__LEVEL=warn").start()
	n.call(http.StatusOK, nil, http.MethodPut, "/v1/customers/c-1", map[string]string{"name": canary})
	usual := honest(n)
	pause(2 * time.Second)
	before := usual.p99(t)
	rss := n.metric("process_resident_memory_bytes")

	under := honest(n)
	var wg sync.WaitGroup
	var mu sync.Mutex
	longest, failures := time.Duration(0), map[string]int{}
	for range slowSockets {
		wg.Go(func() {
			lasted, err := drip(strings.TrimPrefix(n.url, "http://"))
			mu.Lock()
			defer mu.Unlock()
			longest = max(longest, lasted)
			if err != nil {
				failures[err.Error()]++
			}
		})
	}
	pause(3 * time.Second) // all are open
	grown := n.metric("process_resident_memory_bytes") - rss
	wg.Wait()
	during := under.p99(t)
	t.Logf("p99 of %d calls %s, with %d slow connections %s (%.1f times, %d calls); %.1f MB more; the last connection ended after %s",
		len(usual.took), before, slowSockets, during, float64(during)/float64(before), len(under.took), grown/(1<<20), longest.Round(time.Millisecond))
	if len(failures) > 0 {
		t.Errorf("connections: %v", failures)
	}
	if during > patience {
		t.Errorf("p99 of honest calls is %s", during)
	}
	if grown > abuseRSS && slower == 1 {
		t.Errorf("the process grew by %.1f MB", grown/(1<<20))
	}
}

// lie is a request that is not what it says.
type lie struct {
	name   string
	head   string // after the request line and the key
	write  func(w io.Writer)
	status int
}

func liesOfEveryKind() []lie {
	const events = "POST /v1/events"
	item := `{"id":"x","order_id":"o"},`
	kib := strings.Repeat("x", 1<<10)
	body := func(s string) func(io.Writer) { return func(w io.Writer) { _, _ = io.WriteString(w, s) } }
	return []lie{
		{"ends before its length", events + "\nContent-Length: 100", body(`[]`), 400},
		{"is longer than its length", events + "\nContent-Length: 2", body(`{}GARBAGE`), 422},
		{"two lengths", events + "\nContent-Length: 2\nContent-Length: 9", body(`{}`), 400},
		{"negative length", events + "\nContent-Length: -1", body(`{}`), 400},
		{"length of 1 GB", "PUT /v1/customers/c-2\nContent-Length: 1073741824", body(strings.Repeat(kib, 1<<10)), 413},
		{"chunks that are none", events + "\nTransfer-Encoding: chunked", body("zz\r\n"), 400},
		{"unknown transfer coding", events + "\nTransfer-Encoding: gzip", body(`{}`), 501},
		{"1 GB in chunks", events + "\nTransfer-Encoding: chunked", func(w io.Writer) {
			for range 1 << 20 {
				if _, err := fmt.Fprintf(w, "400\r\n%s\r\n", kib); err != nil {
					return // the service has closed it
				}
			}
		}, 413},
		{"a header of 1 MB", "GET /v1/messages\nX-Bomb: " + strings.Repeat("a", 1<<20), body(""), 431},
		{"10,000 headers", "GET /v1/messages\n" + strings.TrimSuffix(strings.Repeat("X-Bomb: aaaa\n", 10_000), "\n"), body(""), 431},
		{"10,000 items", fmt.Sprintf("%s\nContent-Length: %d", events, 10_000*len(item)+1), body("[" + strings.Repeat(item, 10_000-1) + item[:len(item)-1] + "]"), 422},
		{"an address of 1 MB", "GET /v1/messages?phone=" + strings.Repeat("1", 1<<20), body(""), 431},
		{"a name of 60 KiB", fmt.Sprintf("PUT /v1/customers/c-2\nContent-Length: %d", 11+60*len(kib)), body(`{"name":"` + strings.Repeat(kib, 60) + `"}`), 422},
	}
}

// tell makes the request and returns the status of the answer, and its text.
func (l *lie) tell(addr string) (status int, text string, err error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(abuseEnds)); err != nil {
		return 0, "", err
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		line, headers, _ := strings.Cut(l.head, "\n")
		head := line + " HTTP/1.1\nHost: onmyway\nContent-Type: application/json\nAuthorization: Bearer " + apiKey + "\n" + headers
		_, _ = io.WriteString(conn, strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n")+"\r\n\r\n")
		l.write(conn)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		var b []byte
		b, err = io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		if errors.Is(err, syscall.ECONNRESET) {
			err = nil // the answer is here: net/http resets a connection of which it left something unread
		}
		status, text = resp.StatusCode, string(b)
		_ = resp.Body.Close()
	}
	_ = conn.Close()
	<-said
	return status, text, err
}

// TestRequestsThatLie: each gets its own 4xx with a sentence, all at the same time and again and again, while others are
// served and memory stays.
func TestRequestsThatLie(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: only TestEveryLine runs whole processes")
	}
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node("ONMYWAY_LOG__LEVEL=warn").start()
	addr := strings.TrimPrefix(n.url, "http://")
	n.call(http.StatusOK, nil, http.MethodPut, "/v1/customers/c-1", map[string]string{"name": canary})
	usual := honest(n)
	pause(2 * time.Second)
	before := usual.p99(t)
	rss := n.metric("process_resident_memory_bytes")

	under := honest(n)
	began := time.Now()
	var wg sync.WaitGroup
	for _, l := range liesOfEveryKind() {
		wg.Go(func() {
			for i := range 10 {
				pause(100 * time.Millisecond) // a crowd, not a race for the processor
				status, text, err := l.tell(addr)
				if i == 0 {
					t.Logf("%s: %d %.160s", l.name, status, strings.TrimSpace(text))
				}
				if err != nil || status != l.status || text == "" {
					t.Errorf("%s: %d %q, %v; want %d", l.name, status, text, err, l.status)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	during := under.p99(t)
	grown := n.metric("process_resident_memory_bytes") - rss
	t.Logf("p99 of %d calls %s, beside lies %s (%.1f times, %d calls); %.1f MB more; all over after %s", len(usual.took), before,
		during, float64(during)/float64(before), len(under.took), grown/(1<<20), took.Round(time.Millisecond))
	if grown > abuseRSS && slower == 1 {
		t.Errorf("the process grew by %.1f MB", grown/(1<<20))
	}
	if during > patience || took > abuseEnds {
		t.Errorf("p99 of honest calls is %s; all took %s", during, took)
	}
}
