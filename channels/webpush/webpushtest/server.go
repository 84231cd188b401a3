package webpushtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say how a Server behaves. The zero Options are a healthy service that takes any VAPID key.
type Options struct {
	// VAPIDPublic pins the application server's key, base64url: subscriptions are made for it, others get 403.
	VAPIDPublic string
	// Ledger gets one JSON line per accepted notification, in one Write, before the answer leaves. For a file, open it
	// with O_APPEND.
	Ledger io.Writer
	// Latency is how long every answer takes.
	Latency time.Duration
	// Fault decides per request what goes wrong; nil: nothing.
	Fault func(Request) Fault
	// OnDelivery is called for each notification that reached its browser, before the answer leaves; it may block it.
	OnDelivery func(Notification)
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

// Request is what a Fault is decided on.
type Request struct {
	No           int    // counts from 1 over all requests
	Subscription string // its id; empty when the endpoint is unknown
}

// Fault is what goes wrong with one request. The zero Fault is nothing.
type Fault struct {
	Accepted bool        // the notification is taken, ledger and all, before the rest happens
	Status   int         // answer this
	Header   http.Header // of the answer: Retry-After, Location
	Body     string      // of the answer
	Drop     bool        // cut the connection without an answer
	Hang     bool        // answer nothing until the sender gives up or the server closes
}

func (f Fault) isNone() bool { return f.Status == 0 && !f.Drop && !f.Hang }

// Server is a push service. It is an http.Handler for endpoints below its URL.
type Server struct {
	// URL is the origin under which Subscribe makes endpoints and for which VAPID tokens must be signed: set it before
	// the first use when the Server is served by somebody else. Start sets it.
	URL string

	options Options
	now     func() time.Time
	quit    chan struct{}
	close   func() error

	mu        sync.Mutex
	requests  int
	accepted  int
	byToken   map[string]*browser
	byID      map[string]*browser
	delivered []Notification
}

// New makes a Server that somebody else serves. Close it to let go of requests that hang.
func New(o Options) *Server {
	s := &Server{
		options: o, now: o.Now, quit: make(chan struct{}), close: func() error { return nil },
		byToken: map[string]*browser{}, byID: map[string]*browser{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Start makes a Server that listens on a free port of loopback, by plain HTTP.
func Start(o Options) (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start push service: %w", err)
	}
	s := New(o)
	s.URL = "http://" + ln.Addr().String()
	web := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = web.Serve(ln)
	}()
	s.close = func() error {
		err := web.Close()
		<-done
		return err
	}
	return s, nil
}

// Close lets go of requests that hang and, after Start, stops listening. Call it once.
func (s *Server) Close() error {
	close(s.quit)
	return s.close()
}

// line is one notification in the ledger.
type line struct {
	At           time.Time       `json:"at"`
	Subscription string          `json:"subscription"`
	Payload      json.RawMessage `json:"payload"` // as it was when it is JSON, else as a string
	TTL          int             `json:"ttl"`
	Urgency      string          `json:"urgency"`
	Topic        string          `json:"topic,omitempty"`
}

// write puts a notification into the ledger. The caller holds the lock.
func (s *Server) write(n Notification) error {
	if s.options.Ledger == nil {
		return nil
	}
	l := line{At: n.At.UTC(), Subscription: n.Subscription, Payload: n.Payload, TTL: n.TTL, Urgency: n.Urgency, Topic: n.Topic}
	if !json.Valid(n.Payload) {
		l.Payload, _ = json.Marshal(string(n.Payload)) // a string can always be written
	}
	b, err := json.Marshal(l)
	if err == nil {
		_, err = s.options.Ledger.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	return nil
}
