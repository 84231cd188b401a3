package main

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

// TestFewFiles: a process that may open few files refuses live sockets and cuts who says nothing. It stays healthy, is seen by
// Prometheus, and does its work.
func TestFewFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: only TestEveryLine runs whole processes")
	}
	if runtime.GOOS == "windows" {
		t.Skip("this system has no limit of open files")
	}
	const allowed = 200
	cfg := defaultConfig()
	room := shareFiles(allowed, &cfg).sockets
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node("ONMYWAY_LOG__LEVEL=warn")
	n.files = allowed
	n.start()
	opened := map[int]int{}
	for range room + 10 {
		opened[upgrade(t, n, "")]++
	}
	if opened[http.StatusSwitchingProtocols] != room || opened[http.StatusServiceUnavailable] != 10 {
		t.Errorf("of %d sockets %v, want %d open", room+10, opened, room)
	}
	for range 2 * allowed { // more than there can be; the listener's queue keeps the rest
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(n.url, "http://"), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	for range 20 {
		answersSoon(t, n.url+"/healthz")
		answersSoon(t, n.ops+"/healthz")
		answersSoon(t, n.ops+"/metrics")
	}
	used := n.metric("process_open_fds")
	if used >= allowed || n.metric("onmyway_websocket_sockets_limit") != float64(room) || n.metric("onmyway_http_connections_cut_total") == 0 {
		t.Errorf("%g of %d files are open, at most %g live sockets, %g connections were cut", used, allowed,
			n.metric("onmyway_websocket_sockets_limit"), n.metric("onmyway_http_connections_cut_total"))
	}
	e := onTheWay(1, 10)
	n.call(http.StatusAccepted, nil, http.MethodPost, "/v1/events", e)
	within(t, 20*time.Second, "its text is accepted", func() error { return w.accepted(n, e.OrderID, 1) })
	t.Logf("%g of %d files are open with %d live sockets", used, allowed, room)
	warned := false
	for _, line := range n.lines() {
		warned = warned || strings.Contains(line, "http.max_sockets")
		if strings.Contains(line, "too many open files") {
			t.Errorf("the process ran out of files: %s", line)
		}
	}
	if !warned {
		t.Error("the log does not say that fewer sockets fit than were asked for")
	}
}

// answersSoon asks on a connection of its own.
func answersSoon(t *testing.T, url string) {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if took := time.Since(began); resp.StatusCode != http.StatusOK || took > slower*time.Second {
		t.Errorf("%s answers %d after %s, want 200 within %s", url, resp.StatusCode, took, slower*time.Second)
	}
}
