package webpush

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

const (
	mendAfter     = time.Minute // for what the operator has to mend: soon after they did, messages leave
	maxRetryAfter = time.Hour
)

// verdict is one row of the table of statuses.
type verdict struct {
	verdict notify.Verdict
	reason  notify.Reason
	detail  string
}

// verdicts says what a status proves, from RFC 8030 (sections 5 to 7), the documents of Mozilla's push service and what
// Apple, Google and Microsoft answer. Only 404 and 410 make us forget a browser. What is not here is judged by its class,
// see classOf.
var verdicts = map[int]verdict{
	http.StatusBadRequest:            {notify.Permanent, notify.Refused, "the push service finds the request malformed"},
	http.StatusUnauthorized:          {notify.NotTaken, notify.Misconfigured, "the push service does not accept the VAPID keys or push.vapid.subject"},
	http.StatusForbidden:             {notify.NotTaken, notify.Misconfigured, "the push service does not accept the VAPID keys or push.vapid.subject"},
	http.StatusNotFound:              {notify.Gone, notify.BadAddress, "the browser's subscription exists no more"},
	http.StatusGone:                  {notify.Gone, notify.BadAddress, "the browser's subscription exists no more"},
	http.StatusNotAcceptable:         {notify.NotTaken, notify.RateLimited, "the push service asks to slow down"}, // Microsoft's throttling
	http.StatusRequestTimeout:        {notify.NotTaken, notify.Unreachable, "the push service did not read the request in time"},
	http.StatusRequestEntityTooLarge: {notify.Permanent, notify.BadContent, "the push service finds even the short form too large"},
	http.StatusTooEarly:              {notify.NotTaken, notify.Unreachable, "the push service asks to come again"},
	http.StatusTooManyRequests:       {notify.NotTaken, notify.RateLimited, "the push service asks to slow down"},
}

func classOf(status int) verdict {
	switch {
	case status >= 200 && status < 300:
		return verdict{notify.Took, "", "the push service has it"}
	case status >= 300 && status < 400:
		return verdict{notify.Permanent, notify.Refused, "the push service answers with a redirect, which is not followed"}
	case status >= 500:
		return verdict{notify.NotTaken, notify.Unreachable, "the push service has a fault of its own"}
	}
	return verdict{notify.Permanent, notify.Refused, "the push service refuses the message"}
}

// answerOf reads a response: the status decides, headers and body only explain.
func answerOf(status int, h http.Header, body []byte, now time.Time) notify.Answer {
	v, ok := verdicts[status]
	if !ok {
		v = classOf(status)
	}
	a := notify.Answer{Verdict: v.verdict, Reason: v.reason, Status: status, Detail: v.detail}
	switch v.verdict {
	case notify.Took:
		a.ProviderID = providerID(h.Get("Location"))
		return a
	case notify.NotTaken:
		a.RetryAfter = outhttp.RetryAfter(h, now, maxRetryAfter)
		if v.reason == notify.Misconfigured {
			a.RetryAfter = mendAfter
		}
	}
	var said string
	a.Code, said = explanation(body)
	if said != "" {
		a.Detail += ": " + said
	}
	return a
}

// providerID is the last segment of the Location of the message resource; the rest would only repeat the endpoint.
func providerID(location string) string {
	location, _, _ = strings.Cut(location, "?")
	id := location[strings.LastIndexByte(location, '/')+1:]
	if !isWord(id, 200) {
		return ""
	}
	return id
}

// explanation reads what push services say about an error: Mozilla's {"errno":109}, Apple's {"reason":"BadJwtToken"}.
// Anything but a single word is left out, because some services repeat the endpoint in their sentences.
func explanation(body []byte) (code int, reason string) {
	var e struct {
		Errno  int    `json:"errno"`
		Reason string `json:"reason"`
	}
	if json.Unmarshal(body, &e) != nil || e.Errno < 0 {
		return 0, ""
	}
	if len(e.Reason) > 40 || strings.ContainsFunc(e.Reason, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' }) {
		e.Reason = ""
	}
	return e.Errno, e.Reason
}

func isWord(s string, longest int) bool {
	return len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
