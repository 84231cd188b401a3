package twilio

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

// maxRetryAfter bounds what we wait because Twilio asked: a text is news for minutes or hours, not for days.
const maxRetryAfter = 5 * time.Minute

// answer tells what the exchange proved. err is what the generated client returned: it counts only where no answer came.
func (x *exchange) answer(err error, now time.Time) notify.Answer {
	if x.status == 0 {
		return x.silence(err)
	}
	sid, code := parseAnswer(x.body)
	a := notify.Answer{Status: x.status, Code: code}
	switch {
	case x.status >= 200 && x.status < 300 && sid != "":
		a.Verdict, a.ProviderID, a.Code = notify.Took, sid, 0
		return a
	case x.status >= 400 && x.status < 500:
		c := classify(x.status, code)
		a.Verdict, a.Reason, a.RetryAfter, a.Detail = c.verdict, c.reason, c.after, c.words
	case x.status >= 300 && x.status < 400 && x.status != http.StatusSeeOther:
		c := refused(notify.Misconfigured, "a redirect, which is not followed: see sms.twilio.base_url")
		a.Verdict, a.Reason, a.RetryAfter, a.Detail = c.verdict, c.reason, c.after, c.words
	default:
		// A server error may come after the message was stored, and so may a page of some proxy: neither is a no.
		a.Verdict, a.Reason, a.Detail = notify.Unclear, notify.UnclearEnd, "no clear yes or no"
		if x.readErr != nil {
			a.Detail = "the answer broke off: " + outhttp.Describe(x.readErr)
		}
	}
	if a.Reason == notify.RateLimited {
		a.RetryAfter = outhttp.RetryAfter(x.header, now, maxRetryAfter)
	}
	a.Detail = spell(a)
	return a
}

// silence is the answer when none came.
func (x *exchange) silence(err error) notify.Answer {
	switch {
	case !x.used:
		// The generated client refuses what it is configured with before it makes a request.
		c := refused(notify.Misconfigured, "the request could not be made: see the credentials")
		return notify.Answer{Verdict: c.verdict, Reason: c.reason, RetryAfter: c.after, Detail: c.words}
	case x.unsent():
		return notify.Answer{Verdict: notify.NotTaken, Reason: notify.Unreachable, Detail: "nothing was sent: " + outhttp.Describe(err)}
	}
	return notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd, Detail: "no answer came: " + outhttp.Describe(err)}
}

// spell writes what staff read of an answer: status, code, words.
func spell(a notify.Answer) string {
	if a.Code == 0 {
		return fmt.Sprintf("Twilio answered %d: %s", a.Status, a.Detail)
	}
	return fmt.Sprintf("Twilio answered %d, code %d: %s", a.Status, a.Code, a.Detail)
}

// parseAnswer reads the name of the message or the error code. Both are empty when body is not Twilio's JSON.
func parseAnswer(body []byte) (sid string, code int) {
	var answer struct {
		SID  string      `json:"sid"`
		Code json.Number `json:"code"`
	}
	var other *json.UnmarshalTypeError // one field of another type does not hide the rest
	if err := json.Unmarshal(body, &answer); err != nil && !errors.As(err, &other) {
		return "", 0
	}
	if n, err := strconv.Atoi(answer.Code.String()); err == nil && n > 0 {
		code = n
	}
	if !isSID(answer.SID) {
		return "", code
	}
	return answer.SID, code
}

// isSID tells that s may name a message: "SM" or "MM" and what follows, 34 characters at Twilio.
func isSID(s string) bool {
	named := strings.HasPrefix(s, "SM") || strings.HasPrefix(s, "MM")
	return named && len(s) > 2 && len(s) <= 64 && alphanumeric.MatchString(s)
}
