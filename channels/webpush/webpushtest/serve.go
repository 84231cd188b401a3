package webpushtest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	pushPath = "/push/"
	// maxBody is the largest body that every push service must take (RFC 8030, section 7.2). Ours takes no more.
	maxBody = 4096
	maxTTL  = 30 * 24 * 3600
)

var (
	topics    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	urgencies = map[string]bool{"": true, "very-low": true, "low": true, "normal": true, "high": true}
)

// refusal is an answer that says no. errno is that of Mozilla's push service.
type refusal struct {
	status, errno int
	message       string
}

// ServeHTTP takes a push message: 201 with the Location of the message, or what is wrong with it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return // the sender has gone
	}
	if !s.wait(r, s.options.Latency) {
		return
	}
	b, no := s.enter(r)
	fault := s.faultOf(b, no)
	if fault.isNone() {
		s.answer(w, r, b, body)
		return
	}
	if fault.Accepted {
		if _, no := s.accept(r, b, body); no != nil {
			no.write(w)
			return
		}
	}
	s.fail(w, r, fault)
}

// enter finds the browser of a request, nil for none, and counts.
func (s *Server) enter(r *http.Request) (*browser, int) {
	token, ok := strings.CutPrefix(r.URL.Path, pushPath)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if !ok {
		return nil, s.requests
	}
	return s.byToken[token], s.requests
}

func (s *Server) faultOf(b *browser, no int) Fault {
	if s.options.Fault == nil {
		return Fault{}
	}
	req := Request{No: no}
	if b != nil {
		req.Subscription = b.id
	}
	return s.options.Fault(req)
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, f Fault) {
	switch {
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		panic(http.ErrAbortHandler)
	case f.Drop:
		panic(http.ErrAbortHandler)
	}
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Body)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, b *browser, body []byte) {
	message, no := s.accept(r, b, body)
	if no != nil {
		no.write(w)
		return
	}
	w.Header().Set("Location", s.URL+"/m/"+message)
	w.Header().Set("TTL", r.Header.Get("TTL"))
	w.WriteHeader(http.StatusCreated)
}

// accept checks a message in the order in which push services do, puts it into the ledger and hands it on. It returns
// the name of the message.
func (s *Server) accept(r *http.Request, b *browser, body []byte) (string, *refusal) {
	if no := s.check(r, b, len(body)); no != nil {
		return "", no
	}
	text, err := Decrypt(body, b.private, b.auth)
	if err != nil {
		return "", &refusal{400, 110, err.Error()}
	}
	ttl, _ := strconv.Atoi(r.Header.Get("TTL")) // checked
	n := Notification{
		At: s.now(), Subscription: b.id, Payload: text, TTL: ttl, Urgency: r.Header.Get("Urgency"), Topic: r.Header.Get("Topic"),
	}
	if n.Urgency == "" {
		n.Urgency = "normal"
	}
	s.mu.Lock()
	if b.gone { // meanwhile
		s.mu.Unlock()
		return "", &refusal{410, 105, "the endpoint became unavailable"}
	}
	if err := s.write(n); err != nil {
		s.mu.Unlock()
		return "", &refusal{500, 999, err.Error()}
	}
	arrived := s.take(b, n)
	s.accepted++
	name := "m" + strconv.Itoa(s.accepted)
	s.mu.Unlock()
	if arrived {
		s.tell(n)
	}
	return name, nil
}

func (s *Server) check(r *http.Request, b *browser, size int) *refusal {
	if b == nil {
		return &refusal{404, 102, "unknown endpoint"}
	}
	s.mu.Lock()
	gone := b.gone
	s.mu.Unlock()
	auth := checkVAPID(r.Header.Get("Authorization"), s.URL, s.options.VAPIDPublic, s.now())
	ttl, err := strconv.ParseUint(r.Header.Get("TTL"), 10, 31)
	topic, hasTopic := r.Header["Topic"]
	switch {
	case r.Method != http.MethodPost:
		return &refusal{405, 0, "only POST"}
	case gone:
		return &refusal{410, 106, "the subscription has expired"}
	case errors.Is(auth, errKey):
		return &refusal{403, 109, auth.Error()}
	case auth != nil:
		return &refusal{401, 109, auth.Error()}
	case r.Header.Get("TTL") == "":
		return &refusal{400, 111, "the header TTL is missing"}
	case err != nil || ttl > maxTTL:
		return &refusal{400, 112, "the header TTL is not a number of seconds up to 30 days"}
	case hasTopic && (len(topic) != 1 || !topics.MatchString(topic[0])):
		return &refusal{400, 113, "the header Topic is not 1 to 32 characters of base64url"}
	case !urgencies[r.Header.Get("Urgency")]:
		return &refusal{400, 101, "the header Urgency is none of very-low, low, normal, high"}
	case r.Header.Get("Content-Encoding") != "aes128gcm":
		return &refusal{400, 110, "the content coding is not aes128gcm"}
	case size > maxBody:
		return &refusal{413, 104, "the body has more than 4096 bytes"}
	}
	return nil
}

// wait lets d pass, and is false when the sender or the server went away meanwhile.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-s.quit:
	}
	return false
}

func (no *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(no.status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"code": no.status, "errno": no.errno, "error": http.StatusText(no.status), "message": no.message,
	})
}
