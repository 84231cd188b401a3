package twiliotest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// Entry is one line of the ledger.
type Entry struct {
	At                  time.Time `json:"at"`
	SID                 string    `json:"sid"`
	To                  string    `json:"to"`
	From                string    `json:"from"`
	MessagingServiceSID string    `json:"messaging_service_sid,omitempty"`
	Body                string    `json:"body"`
	StatusCallback      string    `json:"status_callback"` // what is called: without the options behind "#"
}

// OpenLedger opens a ledger file to append to, and creates it when it is not there. The caller closes it after the server.
func OpenLedger(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return f, nil
}

// record writes the line of m, whole, in one Write: with O_APPEND two servers may share a file. The caller holds mu.
func (s *Server) record(m *Message) error {
	if s.opt.Ledger == nil {
		return nil
	}
	callback, _, _ := strings.Cut(m.StatusCallback, "#")
	line, err := json.Marshal(Entry{
		At: m.At, SID: m.SID, To: m.To, From: m.From, MessagingServiceSID: m.MessagingServiceSID,
		Body: m.Body, StatusCallback: callback,
	})
	if err != nil {
		return fmt.Errorf("encode ledger line: %w", err)
	}
	if _, err := s.opt.Ledger.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	return nil
}
