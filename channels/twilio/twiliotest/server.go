package twiliotest

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The account of a Server whose Options name none.
const (
	AccountSID = "AC00000000000000000000000000000001"
	AuthToken  = "00000000000000000000000000000002"
)

// pool is the sender that the simulated messaging services pick.
const pool = "+15005550006"

// Options set up a Server. The zero value is an account that takes everything and calls nobody.
type Options struct {
	AccountSID string // AccountSID when empty
	APIKey     string // with APISecret: accepted beside the auth token
	APISecret  string
	AuthToken  string // AuthToken when empty; it signs the callbacks

	Ledger          io.Writer             // gets one line of JSON per accepted message, in one Write; see OpenLedger
	Latency         time.Duration         // before every answer
	Now             func() time.Time      // time.Now when nil
	Seed            uint64                // of the SIDs; 0 for other ones each time
	StatusCallbacks bool                  // report to the StatusCallback of each message
	Faults          func(r Request) Fault // decides on each new message; nil for none; safe for concurrent use
	// Undelivered returns Twilio's error code for a message that will not arrive and 0 for one that will; nil when all do.
	// It must not call the server.
	Undelivered func(m Message) int
	// Delivery tells how the status callbacks of a message are made; nil for the zero Delivery. It must not call the server.
	Delivery func(m Message) Delivery
	// ListFaults decides on each list and each fetch, the first of which is 1; nil for none; safe for concurrent use. Of the
	// kinds that accept a message those that break the answer do the same here.
	ListFaults func(n int) Fault
	Lag        time.Duration // until lists show a new message
	// OptOut acts on STOP and START, see Text, as Advanced Opt-Out does: later messages to who wrote STOP get 21610.
	OptOut bool

	// What the account looks like to somebody who asks, without sending.
	AccountStatus string   // "active" when empty
	Trial         bool     // of the account
	MainKey       bool     // the API key may look at the account too: others may only send and list
	Services      []string // messaging services that exist; nil: every one
	EmptyPool     bool     // they have no sender
	Numbers       []string // phone numbers of the account; nil: every one
	VoiceOnly     bool     // they can't send texts
}

// Server is the simulated Twilio. It is an http.Handler; Listen serves it. Close it after use.
type Server struct {
	opt       Options
	mux       http.ServeMux
	callbacks *callbacks
	closing   chan struct{} // closed when hanging requests must end
	closeOnce sync.Once

	mu       sync.Mutex
	random   *rand.Rand
	messages []*Message // in order of acceptance
	place    map[string]int
	requests int
	lists    int             // and fetches
	stopped  map[string]bool // numbers that wrote STOP
	http     []*http.Server
	serving  sync.WaitGroup
}

// New makes a server.
func New(opt Options) *Server {
	if opt.AccountSID == "" {
		opt.AccountSID = AccountSID
	}
	if opt.AuthToken == "" {
		opt.AuthToken = AuthToken
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Seed == 0 {
		opt.Seed = rand.Uint64()
	}
	s := &Server{
		opt: opt, closing: make(chan struct{}),
		random: rand.New(rand.NewPCG(opt.Seed, 0)), place: map[string]int{}, stopped: map[string]bool{},
	}
	if opt.StatusCallbacks {
		s.callbacks = startCallbacks(s)
	}
	s.mux.HandleFunc("/2010-04-01/Accounts/{account}/Messages.json", s.collection)
	s.mux.HandleFunc("/2010-04-01/Accounts/{account}/Messages/{file}", s.single)
	s.mux.HandleFunc("/2010-04-01/Accounts/{file}", s.account)
	s.mux.HandleFunc("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", s.numbers)
	s.mux.HandleFunc("GET /v1/Services/{service}", s.service)
	s.mux.HandleFunc("GET /v1/Services/{service}/{senders}", s.service)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, notFound(r)) })
	return s
}

// Listen serves on addr ("127.0.0.1:0" for any free port) until Close, and returns the base URL.
func (s *Server) Listen(addr string) (url string, err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start simulated Twilio: %w", err)
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	s.http = append(s.http, srv)
	s.mu.Unlock()
	s.serving.Go(func() { _ = srv.Serve(l) }) // its error is that of Close
	return "http://" + l.Addr().String(), nil
}

// grace is how long Close waits for status callbacks that are still to be made.
const grace = 5 * time.Second

// Close ends all requests, makes the status callbacks that are still due, for at most 5 s, and waits for everything that
// the server started.
func (s *Server) Close() error {
	var err error
	s.closeOnce.Do(func() {
		close(s.closing)
		s.mu.Lock()
		servers := s.http
		s.mu.Unlock()
		for _, srv := range servers {
			err = errors.Join(err, stop(srv))
		}
		s.serving.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if s.callbacks != nil {
			s.callbacks.close(ctx)
		}
	})
	if err != nil {
		return fmt.Errorf("stop simulated Twilio: %w", err)
	}
	return nil
}

// stop lets requests end, for at most a second: connections that clients opened in advance would hold it up for longer.
func stop(srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if srv.Shutdown(ctx) == nil {
		return nil
	}
	return srv.Close()
}

// Accepted returns all accepted messages in their order.
func (s *Server) Accepted() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, len(s.messages))
	for i, m := range s.messages {
		out[i] = *m
	}
	return out
}

// Requests tells how many new messages were asked for, accepted or not.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// ServeHTTP answers one request of the Messages API. Like net/http's own handlers it panics with http.ErrAbortHandler to
// drop a connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Twilio-Request-Id", s.sid("RQ"))
	if s.opt.Latency > 0 {
		s.wait(r)
	}
	s.mux.ServeHTTP(w, r)
}

// wait lets the latency pass, or drops the connection when the client has gone or the server closes.
func (s *Server) wait(r *http.Request) {
	t := time.NewTimer(s.opt.Latency)
	defer t.Stop()
	select {
	case <-t.C:
		return
	case <-r.Context().Done():
	case <-s.closing:
	}
	panic(http.ErrAbortHandler)
}

// allow checks credentials and account. It has answered when it is false.
func (s *Server) allow(w http.ResponseWriter, r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	byKey := s.opt.APIKey != "" && same(user, s.opt.APIKey) && same(password, s.opt.APISecret)
	byToken := same(user, s.opt.AccountSID) && same(password, s.opt.AuthToken)
	switch {
	case !ok || !byKey && !byToken:
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		refuse(w, problem{http.StatusUnauthorized, 20003, "Authenticate"})
		return false
	case r.PathValue("account") != s.opt.AccountSID:
		refuse(w, notFound(r))
		return false
	}
	return true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Server) collection(w http.ResponseWriter, r *http.Request) {
	if !s.allow(w, r) {
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.create(w, r)
	case http.MethodGet:
		if w, failed := s.failRead(w, r); !failed {
			s.list(w, r)
		}
	default:
		refuse(w, problem{http.StatusMethodNotAllowed, 20004, "Method not allowed"})
	}
}

func (s *Server) single(w http.ResponseWriter, r *http.Request) {
	if !s.allow(w, r) {
		return
	}
	if r.Method != http.MethodGet {
		refuse(w, problem{http.StatusMethodNotAllowed, 20004, "Method not allowed"})
		return
	}
	w, failed := s.failRead(w, r)
	if failed {
		return
	}
	sid, isJSON := strings.CutSuffix(r.PathValue("file"), ".json")
	m, known := s.message(sid)
	if !isJSON || !known {
		refuse(w, notFound(r))
		return
	}
	writeJSON(w, http.StatusOK, s.resource(m))
}

func (s *Server) message(sid string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.place[sid]
	if !ok {
		return Message{}, false
	}
	return *s.messages[i], true
}

// sid makes a name: two letters and 32 hex digits.
func (s *Server) sid(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s%016x%016x", prefix, s.random.Uint64(), s.random.Uint64())
}
