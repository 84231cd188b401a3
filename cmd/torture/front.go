package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// front is the load balancer before the processes: it asks each whether it takes work, and hands calls to those in turn.
// It is the public address of the service, for the provider's callbacks too.
type front struct {
	url     string
	server  *http.Server
	stop    context.CancelFunc
	working sync.WaitGroup
	next    atomic.Uint64
	hooks   atomic.Int64 // callbacks that a process has taken

	mu    sync.Mutex
	nodes []*node
	ready map[*node]bool
}

const probeEvery = 200 * time.Millisecond

func openFront() (*front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the load balancer: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &front{url: "http://" + l.Addr().String(), stop: stop, ready: map[*node]bool{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport: &balancer{front: f, base: &http.Transport{
			MaxIdleConnsPerHost: 256, IdleConnTimeout: 5 * time.Second, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
		}},
		ErrorLog:       log.New(io.Discard, "", 0),
		ModifyResponse: f.note,
	}
	f.server = &http.Server{Handler: proxy, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second}
	f.working.Go(func() { _ = f.server.Serve(l) })
	f.working.Go(func() { f.probe(ctx) })
	return f, nil
}

func (f *front) note(r *http.Response) error {
	if r.StatusCode < 300 && r.Request.Method == http.MethodPost && len(r.Request.URL.Path) > 7 && r.Request.URL.Path[:7] == "/hooks/" {
		f.hooks.Add(1)
	}
	return nil
}

func (f *front) add(n *node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes = append(f.nodes, n)
}

// probe asks all processes again and again.
func (f *front) probe(ctx context.Context) {
	for wait(ctx, probeEvery) == nil {
		f.mu.Lock()
		nodes := append([]*node(nil), f.nodes...)
		f.mu.Unlock()
		var asking sync.WaitGroup
		for _, n := range nodes {
			asking.Go(func() {
				ok := false
				if n.running() {
					asked, cancel := context.WithTimeout(ctx, 2*time.Second)
					status, err := n.probe(asked)
					cancel()
					ok = err == nil && status == http.StatusOK
				}
				f.mu.Lock()
				f.ready[n] = ok
				f.mu.Unlock()
			})
		}
		asking.Wait()
	}
}

// order lists the processes to try: those that are ready in turn, then the others that run.
func (f *front) order() (list []*node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var others []*node
	for _, n := range f.nodes {
		switch {
		case f.ready[n]:
			list = append(list, n)
		case n.running():
			others = append(others, n)
		}
	}
	if k := len(list); k > 1 {
		at := int(f.next.Add(1)) % k
		list = append(list[at:], list[:at]...)
	}
	return append(list, others...)
}

func (f *front) close() {
	if f == nil {
		return
	}
	f.stop()
	_ = f.server.Close()
	f.working.Wait()
}

// balancer sends a call to the first process that can be connected to.
type balancer struct {
	front *front
	base  *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	err := errors.New("no process runs")
	for _, n := range b.front.order() {
		to, bad := url.Parse(n.address())
		if bad != nil {
			continue
		}
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = to.Scheme, to.Host
		var resp *http.Response
		if resp, err = b.base.RoundTrip(out); err == nil {
			return resp, nil
		}
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			return nil, err // it may have been heard
		}
	}
	return nil, err
}
