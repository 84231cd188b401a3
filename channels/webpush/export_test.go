package webpush

import (
	"net/http"
	"time"

	"onmyway/notify"
)

// MaxPayload and MaxShort are the bounds that tests hold payloads to.
const (
	MaxPayload = maxPayload
	MaxShort   = maxShort
)

// Payload is what Send encrypts, in its usual or its short form.
func Payload(m *notify.Message, link string, short bool) ([]byte, bool) {
	p := newPayload(m, link)
	if short {
		return p.short()
	}
	return p.fit(maxPayload)
}

// AnswerOf reads a response as Send does.
func AnswerOf(status int, h http.Header, body []byte) notify.Answer {
	return answerOf(status, h, body, time.Now())
}

// Origins are the breakers of push services.
type Origins struct{ all origins }

// NewOrigins makes breakers that open at a share of failures.
func NewOrigins(share float64) *Origins { return &Origins{origins{share: share}} }

// Of is the breaker of an endpoint's push service.
func (o *Origins) Of(endpoint string) *notify.Breaker { return o.all.of(endpoint) }

// Len is how many there are.
func (o *Origins) Len() int { return len(o.all.breakers) }
