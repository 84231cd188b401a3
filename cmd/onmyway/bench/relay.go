package bench

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sync/errgroup"
)

type relayTask struct{ Brokers, Group string }

type relayAnswer struct{ URL string }

// relay is the least that brings a record to a page: a consumer, a parser, and one write to the customer's socket. It
// checks no token, keeps nothing, and knows no repeats.
type relay struct {
	mu    sync.RWMutex
	pages map[string]net.Conn
}

// runRelay is the part that is measured as the baseline of processor time.
func runRelay(ctx context.Context, l *line) error {
	var task relayTask
	l.hear(&task)
	r := &relay{pages: map[string]net.Conn{}}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		return consume(ctx, task.Brokers, task.Group, r.show)
	})
	err = l.say(relayAnswer{"ws://" + listener.Addr().String() + "/"})
	l.wait()
	cancel()
	_ = server.Close()
	r.close()
	return errors.Join(err, g.Wait())
}

// ServeHTTP takes a page in.
func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(req, w) // what the page says is not read: everybody is welcome
	if err != nil {
		return
	}
	r.mu.Lock()
	r.pages[req.URL.Query().Get("customer")] = conn
	r.mu.Unlock()
	if err := ws.WriteFrame(conn, ws.NewTextFrame([]byte(`{"id":1,"connect":{}}`))); err != nil {
		_ = conn.Close()
	}
}

// show writes a record to the page of its customer.
func (r *relay) show(value []byte) {
	var event struct {
		CustomerID string `json:"customer_id"`
	}
	if json.Unmarshal(value, &event) != nil {
		return
	}
	r.mu.RLock()
	conn := r.pages[event.CustomerID]
	r.mu.RUnlock()
	if conn == nil {
		return
	}
	frame, err := ws.CompileFrame(ws.NewTextFrame(value)) // head and text leave in one write
	if err == nil {
		_, err = conn.Write(frame)
	}
	if err != nil {
		_ = conn.Close() // the load notices what is missing
	}
}

func (r *relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.pages {
		_ = conn.Close()
	}
}
