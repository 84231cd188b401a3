package twilio

import (
	"net/mail"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"onmyway/notify"
)

// copied is what Twilio knows of a text.
type copied struct {
	sid, to, from, service, body, status string
	outbound                             bool
	code                                 int
	created                              time.Time
}

// readCopy reads one text. One without a name or a date of creation is not readable.
func readCopy(m *api.ApiV2010Message) (*copied, error) {
	created, err := mail.ParseDate(deref(m.DateCreated))
	if err != nil || !isSID(deref(m.Sid)) {
		return nil, errUnreadable
	}
	return &copied{
		sid: deref(m.Sid), to: deref(m.To), from: deref(m.From), service: deref(m.MessagingServiceSid),
		body: deref(m.Body), status: deref(m.Status), code: deref(m.ErrorCode), created: created.UTC(),
		outbound: strings.HasPrefix(deref(m.Direction), "outbound"),
	}, nil
}

// report tells what became of it. Twilio has it, so a status that we do not know is at least Accepted.
func (c *copied) report() notify.Report {
	state, known := states[c.status]
	if !known {
		state = notify.Accepted
	}
	r := report(state, c.status, c.code)
	r.ProviderID, r.At = c.sid, c.created
	return r
}

// deref is the value of a field that may be null.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
