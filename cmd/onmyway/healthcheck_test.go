package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthcheck: 0 when the service is ready, 1 when it is not or nobody answers.
func TestHealthcheck(t *testing.T) {
	ready := true
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		ready bool
		args  []string
		code  int
		says  string
	}{
		{"ready", true, []string{"--url", server.URL + "/"}, 0, ""},
		{"by its own address", true, []string{"--http.addr", ":" + port}, 0, ""},
		{"by any address", true, []string{"--http.addr", "0.0.0.0:" + port}, 0, ""},
		{"not ready", false, []string{"--url", server.URL}, 1, "503"},
		{"not ready, but alive", false, []string{"--url", server.URL, "--live"}, 0, ""},
		{"nobody there", true, []string{"--url", "http://" + address(t)}, 1, "refused"},
		{"no URL", true, []string{"--url", "::"}, 2, "--url"},
		{"broken configuration", true, []string{"--http.addr", "80"}, 2, "http.addr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ready = tt.ready
			invoke(t, nil, "", append([]string{"healthcheck"}, tt.args...)...).want(t, tt.code, tt.says)
		})
	}
}

func TestOwnURL(t *testing.T) {
	for addr, want := range map[string]string{
		":8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:80": "http://127.0.0.1:80",
		"10.0.0.7:80": "http://10.0.0.7:80", "[::1]:80": "http://[::1]:80", "localhost:80": "http://localhost:80",
	} {
		if got := ownURL(addr); got != want {
			t.Errorf("%s is reached at %s, want %s", addr, got, want)
		}
	}
}
