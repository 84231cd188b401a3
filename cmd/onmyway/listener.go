package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// listener is an HTTP server that can stop at once. http.Server.Shutdown waits seconds for connections that have not sent
// anything yet, and browsers open such in advance.
type listener struct {
	*http.Server
	*gate
}

// listen opens the port of a server, for at most so many connections at once; key is its name in the configuration.
func listen(s *http.Server, key string, most int, cut func()) (*listener, error) {
	port, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (%s): %w", s.Addr, key, err)
	}
	l := &listener{Server: s, gate: newGate(port, most, cut)}
	s.ConnState = l.note
	return l, nil
}

// serve answers until stop.
func (l *listener) serve() error {
	if err := l.Serve(l.gate); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", l.Listener.Addr(), err)
	}
	return nil
}

// stop closes the port and lets calls under way end, for a while. What is left then is cut, and is no failure.
func (l *listener) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, httpDrain)
	defer cancel()
	l.clear()
	err := l.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return l.Server.Close()
	}
	return err
}
