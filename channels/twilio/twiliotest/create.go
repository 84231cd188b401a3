package twiliotest

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// accepted is the status of a message whose sender is still to be picked by a messaging service.
const accepted = "accepted"

// maxForm bounds a request, in bytes: a text of 1600 characters is 15 kB at most when all of it is escaped.
const maxForm = 64 << 10

// form is what a request for a new message says.
type form struct {
	to, from, service, body, callback string
	validity                          int
}

// create answers the request for a new message: faults that come before acceptance, the rules, the ledger, then the answer.
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		refuse(w, problem{http.StatusBadRequest, 20001, "Unknown parameters"})
		return
	}
	f := readForm(r.PostForm)
	fault := s.fault(f)
	if s.failBefore(w, r, fault) {
		return
	}
	if p, ok := f.check(r.PostForm.Get("ValidityPeriod")); !ok {
		refuse(w, p)
		return
	}
	if s.hasStopped(f.to) {
		refuse(w, problem{http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient"})
		return
	}
	m, early, err := s.accept(f)
	if err != nil {
		refuse(w, problem{http.StatusInternalServerError, 20500, "An internal server error has occurred"})
		return
	}
	select {
	case <-early:
	case <-r.Context().Done():
	}
	if s.failAfter(w, r, fault, m) {
		return
	}
	writeJSON(w, http.StatusCreated, s.resource(m))
}

func readForm(v url.Values) form {
	f := form{
		to: v.Get("To"), from: v.Get("From"), service: v.Get("MessagingServiceSid"),
		body: v.Get("Body"), callback: v.Get("StatusCallback"), validity: 36000,
	}
	if s := v.Get("ValidityPeriod"); s != "" {
		f.validity, _ = strconv.Atoi(s) // 0, which check refuses, for what is not a number
	}
	return f
}

var (
	e164      = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	shortCode = regexp.MustCompile(`^[0-9]{3,8}$`)
	senderID  = regexp.MustCompile(`^[0-9A-Za-z ]{1,11}$`)
)

// check applies Twilio's rules in Twilio's order; ok is true when none is broken.
func (f form) check(validity string) (p problem, ok bool) {
	code, message := 0, ""
	switch {
	case f.to == "":
		code, message = 21604, "A 'To' phone number is required."
	case !e164.MatchString(f.to):
		code, message = 21211, "Invalid 'To' Phone Number: "+masked(f.to)
	case f.from == "" && f.service == "":
		code, message = 21603, "A 'From' or 'MessagingServiceSid' parameter is required."
	case f.from != "" && !e164.MatchString(f.from) && !shortCode.MatchString(f.from) && !senderID.MatchString(f.from):
		code, message = 21212, "Invalid From Number (caller ID): "+masked(f.from)
	case f.service != "" && !strings.HasPrefix(f.service, "MG"):
		code, message = 21705, "The Messaging Service is invalid"
	case f.body == "":
		code, message = 21602, "Message body is required."
	case len(utf16.Encode([]rune(f.body))) > 1600:
		code, message = 21617, "The concatenated message body exceeds the 1600 character limit"
	case validity != "" && (f.validity < 1 || f.validity > 36000):
		code, message = 21624, "Invalid validity period value"
	case f.callback != "" && !isWebURL(f.callback):
		code, message = 21609, "Invalid 'StatusCallback'"
	default:
		return problem{}, true
	}
	return problem{http.StatusBadRequest, code, message}, false
}

// masked hides the end of a number, as Twilio does in its messages.
func masked(number string) string {
	if len(number) <= 4 {
		return "XXXX"
	}
	return number[:len(number)-4] + "XXXX"
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 4000
}

// accept makes the message, and returns it as it is at this moment. It is accepted when its ledger line is written. Its
// sender may have the answer when ready is closed.
func (s *Server) accept(f form) (m Message, ready <-chan struct{}, err error) {
	now := s.opt.Now()
	kept := &Message{
		At: now, UpdatedAt: now, SID: s.sid("SM"), To: f.to, From: f.from, MessagingServiceSID: f.service,
		Body: f.body, StatusCallback: f.callback, ValidityPeriod: f.validity, Status: "queued",
	}
	if f.from == "" {
		kept.From, kept.Status = pool, accepted
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.record(kept); err != nil {
		return Message{}, nil, err
	}
	s.place[kept.SID] = len(s.messages)
	s.messages = append(s.messages, kept)
	m = *kept
	if s.callbacks == nil || m.StatusCallback == "" {
		// Nobody is told, so nothing needs an order in time: who asks finds it at its end.
		s.advance(kept, "sent")
		s.advance(kept, s.end(kept))
		return m, atOnce, nil
	}
	return m, s.callbacks.put(m), nil
}

// end is the last status of a message.
func (s *Server) end(m *Message) string {
	if s.opt.Undelivered != nil && s.opt.Undelivered(*m) != 0 {
		return "undelivered"
	}
	return "delivered"
}

// advance sets a later status. The caller holds mu.
func (s *Server) advance(m *Message, status string) {
	m.Status, m.UpdatedAt = status, s.opt.Now()
	switch status {
	case "sent":
		m.SentAt = m.UpdatedAt
	case "undelivered":
		m.ErrorCode = s.opt.Undelivered(*m)
	}
}
