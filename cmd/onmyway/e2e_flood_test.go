package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

// TestOneAddressStarvesNobody: a flood of calls and of live sockets from one address is refused with 429, while other
// addresses go on.
func TestOneAddressStarvesNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: only TestEveryLine runs whole processes")
	}
	const rate, sockets = 300, 10
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node("ONMYWAY_HTTP__RATE_PER_MINUTE=300", "ONMYWAY_HTTP__SOCKETS_PER_ADDRESS=10", "ONMYWAY_HTTP__TRUSTED_PROXIES=127.0.0.0/8").start()
	const flood, other = "192.0.2.1", "198.51.100.7"
	pushKey := func(from string) int {
		t.Helper()
		status, _, err := n.try(http.MethodGet, "/v1/push-key", nil, "X-Forwarded-For", from)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	answers := map[int]int{}
	for range 4 * rate {
		answers[pushKey(flood)]++
	}
	if answers[http.StatusOK] > 2*rate || answers[http.StatusTooManyRequests] < 2*rate { // a minute may end meanwhile
		t.Errorf("a flood of %d calls: %v", 4*rate, answers)
	}
	if status := pushKey(other); status != http.StatusOK {
		t.Errorf("a call from elsewhere: %d", status)
	}
	opened := map[int]int{}
	for range 2 * sockets {
		opened[upgrade(t, n, flood)]++
	}
	if opened[http.StatusSwitchingProtocols] != sockets || opened[http.StatusTooManyRequests] != sockets {
		t.Errorf("a flood of %d sockets: %v", 2*sockets, opened)
	}
	if status := upgrade(t, n, other); status != http.StatusSwitchingProtocols {
		t.Errorf("a socket from elsewhere: %d", status)
	}
	t.Logf("calls %v, sockets %v", answers, opened)
	warnings := 0
	for _, line := range n.lines() {
		if strings.Contains(line, "http.sockets_per_address") {
			warnings++
		}
	}
	if warnings != 1 {
		t.Errorf("%d warnings, want one a minute", warnings)
	}
}

// upgrade asks for a live socket, which stays open until the test ends, and returns the status of the answer.
func upgrade(t *testing.T, n *node, from string) int {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(n.url, "http://"), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, strings.ReplaceAll("GET /connection/websocket HTTP/1.1\nHost: onmyway\nConnection: Upgrade\n"+
		"Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nX-Forwarded-For: "+from+"\n\n", "\n", "\r\n"))
	err = errors.Join(err, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	resp, err2 := http.ReadResponse(bufio.NewReader(conn), nil)
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
