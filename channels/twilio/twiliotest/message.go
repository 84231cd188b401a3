package twiliotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Message is a text that the server accepted.
type Message struct {
	At                  time.Time // of acceptance
	SID                 string
	To                  string
	From                string // the sender that a messaging service picked, where one was asked
	MessagingServiceSID string
	Body                string
	StatusCallback      string
	ValidityPeriod      int    // seconds
	Status              string // accepted or queued, sent, delivered or undelivered
	ErrorCode           int    // of an undelivered one
	UpdatedAt           time.Time
	SentAt              time.Time // zero before it was sent
}

// resource is a Message as the API writes it.
type resource struct {
	AccountSID          string            `json:"account_sid"`
	APIVersion          string            `json:"api_version"`
	Body                string            `json:"body"`
	DateCreated         string            `json:"date_created"`
	DateSent            *string           `json:"date_sent"`
	DateUpdated         string            `json:"date_updated"`
	Direction           string            `json:"direction"`
	ErrorCode           *int              `json:"error_code"`
	ErrorMessage        *string           `json:"error_message"`
	From                *string           `json:"from"`
	MessagingServiceSID *string           `json:"messaging_service_sid"`
	NumMedia            string            `json:"num_media"`
	NumSegments         string            `json:"num_segments"`
	Price               *string           `json:"price"`
	PriceUnit           string            `json:"price_unit"`
	SID                 string            `json:"sid"`
	Status              string            `json:"status"`
	SubresourceURIs     map[string]string `json:"subresource_uris"`
	To                  string            `json:"to"`
	URI                 string            `json:"uri"`
}

func (s *Server) resource(m Message) resource {
	path := "/2010-04-01/Accounts/" + s.opt.AccountSID + "/Messages/" + m.SID
	r := resource{
		AccountSID: s.opt.AccountSID, APIVersion: "2010-04-01", Body: m.Body, Direction: "outbound-api",
		DateCreated: rfc2822(m.At), DateUpdated: rfc2822(m.UpdatedAt),
		NumMedia: "0", NumSegments: strconv.Itoa(segments(m.Body)), PriceUnit: "USD",
		SID: m.SID, Status: m.Status, To: m.To, URI: path + ".json",
		SubresourceURIs: map[string]string{"media": path + "/Media.json"},
	}
	if m.MessagingServiceSID != "" {
		r.MessagingServiceSID = &m.MessagingServiceSID
	}
	if m.Status == accepted { // the messaging service has picked no sender yet
		r.NumSegments = "0"
	} else {
		r.From = &m.From
	}
	if !m.SentAt.IsZero() {
		sent := rfc2822(m.SentAt)
		r.DateSent = &sent
	}
	if m.ErrorCode != 0 {
		text := "Message not delivered"
		r.ErrorCode, r.ErrorMessage = &m.ErrorCode, &text
	}
	return r
}

func rfc2822(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }

// problem is a refusal as the API writes it.
type problem struct {
	status  int
	code    int
	message string
}

func notFound(r *http.Request) problem {
	return problem{http.StatusNotFound, 20404, "The requested resource " + r.URL.Path + " was not found"}
}

func refuse(w http.ResponseWriter, p problem) {
	writeJSON(w, p.status, struct {
		Code     int    `json:"code"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
		Status   int    `json:"status"`
	}{p.code, p.message, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", p.code), p.status})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body := encode(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone: its loss
}

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("twiliotest: encode answer: %v", err)) // only texts and numbers go in
	}
	return body
}
