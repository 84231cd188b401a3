package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// canary is a server that nobody has a reason to call: who does was led there.
type canary struct {
	url     string
	server  *http.Server
	serving sync.WaitGroup
	called  atomic.Int64
}

func openCanary() (*canary, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a canary: %w", err)
	}
	c := &canary{url: "http://" + l.Addr().String() + "/internal"}
	c.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c.called.Add(1)
		w.WriteHeader(http.StatusCreated)
	})}
	c.serving.Go(func() { _ = c.server.Serve(l) })
	return c, nil
}

func (c *canary) hits() int { return int(c.called.Load()) }

func (c *canary) close() {
	_ = c.server.Close()
	c.serving.Wait()
}
