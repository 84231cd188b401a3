package twiliotest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
)

// Kind is a way in which a request for a new message goes wrong.
type Kind int

// The kinds. The message is accepted only where it is said so.
const (
	None         Kind = iota
	TooMany           // 429, with Fault.RetryAfter
	ServerError       // 500
	LateError         // accepted, then 500
	Dropped           // the connection closes without an answer
	LateDrop          // accepted, then the connection closes without an answer
	Hang              // no answer until the client goes
	LateHang          // accepted, then no answer until the client goes
	HTML              // 200 with a web page, as a captive portal answers
	Truncated         // accepted, then half of the JSON and a closed connection
	Refused           // 400 with Fault.Code
	Unauthorized      // 401, as after a key was revoked
)

// Accepts tells that the message is accepted all the same, if it keeps the rules.
func (k Kind) Accepts() bool {
	return slices.Contains([]Kind{None, LateError, LateDrop, LateHang, Truncated}, k)
}

// Fault is what happens to one request. The zero value is none.
type Fault struct {
	Kind       Kind
	Code       int    // of Refused; 21211 when 0
	RetryAfter string // of TooMany, as the header is written; empty for no header
}

// Request is what a decision on faults may depend on.
type Request struct {
	N              int // the first request is 1
	To             string
	From           string
	Body           string
	StatusCallback string
}

// Mix makes faults at random: rates are the chance of each kind, between 0 and 1; what is left to 1 goes well. The same
// seed gives the same sequence.
func Mix(seed uint64, rates map[Kind]float64) func(Request) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	return func(Request) Fault {
		mu.Lock()
		x := random.Float64()
		mu.Unlock()
		for k := TooMany; k <= Unauthorized; k++ {
			if x < rates[k] {
				return Fault{Kind: k, RetryAfter: "1"}
			}
			x -= rates[k]
		}
		return Fault{}
	}
}

func (s *Server) fault(f form) Fault {
	s.mu.Lock()
	s.requests++
	n := s.requests
	s.mu.Unlock()
	if s.opt.Faults == nil {
		return Fault{}
	}
	return s.opt.Faults(Request{N: n, To: f.to, From: f.from, Body: f.body, StatusCallback: f.callback})
}

// failBefore plays a fault that leaves the message unaccepted. It is true when it has answered.
func (s *Server) failBefore(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case TooMany:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		refuse(w, problem{http.StatusTooManyRequests, 20429, "Too Many Requests"})
	case ServerError:
		refuse(w, problem{http.StatusInternalServerError, 20500, "An internal server error has occurred"})
	case Dropped:
		panic(http.ErrAbortHandler)
	case Hang:
		s.hang(r)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><p>Please sign in to use this network.")
	case Refused:
		code := f.Code
		if code == 0 {
			code = 21211
		}
		refuse(w, problem{http.StatusBadRequest, code, fmt.Sprintf("Error %d", code)})
	case Unauthorized:
		refuse(w, problem{http.StatusUnauthorized, 20003, "Authenticate"})
	default:
		return false
	}
	return true
}

// failAfter plays a fault on an accepted message. It is true when it has answered.
func (s *Server) failAfter(w http.ResponseWriter, r *http.Request, f Fault, m Message) bool {
	switch f.Kind {
	case LateError:
		refuse(w, problem{http.StatusInternalServerError, 20500, "An internal server error has occurred"})
	case LateDrop:
		panic(http.ErrAbortHandler)
	case LateHang:
		s.hang(r)
	case Truncated:
		writeJSON(half{w}, http.StatusCreated, s.resource(m))
	default:
		return false
	}
	return true
}

// half sends the first half of what is written to it at once, and drops the connection.
type half struct{ http.ResponseWriter }

func (h half) Write(b []byte) (int, error) {
	_, _ = h.ResponseWriter.Write(b[:len(b)/2])
	_ = http.NewResponseController(h.ResponseWriter).Flush() // or the half would stay in the buffer
	panic(http.ErrAbortHandler)
}

// failRead plays a fault on a list or a fetch. When failed is false the answer goes to out.
func (s *Server) failRead(w http.ResponseWriter, r *http.Request) (out http.ResponseWriter, failed bool) {
	s.mu.Lock()
	s.lists++
	n := s.lists
	s.mu.Unlock()
	if s.opt.ListFaults == nil {
		return w, false
	}
	f := s.opt.ListFaults(n)
	if f.Kind == Truncated {
		return half{w}, false
	}
	return w, s.failBefore(w, r, f) || s.failAfter(w, r, f, Message{})
}

// hang gives no answer: the client goes, or the server closes and drops the connection.
func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closing:
	}
	panic(http.ErrAbortHandler)
}
