package twilio

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"onmyway/notify"
)

// Code explains one of Twilio's error codes to support staff.
type Code struct {
	Number   int
	Reason   notify.Reason // of a message that Twilio did not take because of it
	Happened string        // in words, without a full stop
	Todo     string        // what staff or the operator can do; a sentence
}

// Codes holds what an answer to a new text or a report on one can carry, by number: twilio.com/docs/api/errors. Twilio splits
// and adds codes over time; what is not here is judged by its status.
var Codes = func() []Code {
	all := slices.Concat(answerCodes, reportCodes)
	slices.SortFunc(all, func(a, b Code) int { return a.Number - b.Number })
	return all
}()

// byNumber finds a code.
var byNumber = func() map[int]*Code {
	m := make(map[int]*Code, len(Codes))
	for i := range Codes {
		m[Codes[i].Number] = &Codes[i]
	}
	return m
}()

// The acts that several codes ask for.
const (
	askNumber   = "Ask the customer for a mobile number that takes texts, then resend."
	mendText    = "The operator changes the template, then resend."
	mendSender  = "The operator checks sms.twilio.from or the senders of the messaging service."
	mendAccount = "The operator checks the account in Twilio's console."
	runDoctor   = "The operator runs: onmyway doctor."
	nothing     = "Nothing: it is tried again by itself."
	later       = "Resend later if it still matters."
	register    = "The operator finishes the registration of the sender in Twilio's console."
)

func badAddress(number int, happened string) Code {
	return Code{number, notify.BadAddress, happened, askNumber}
}

func badContent(number int, happened string) Code {
	return Code{number, notify.BadContent, happened, mendText}
}

func misconfigured(number int, happened, todo string) Code {
	return Code{number, notify.Misconfigured, happened, todo}
}

func slowDown(number int, happened, todo string) Code {
	return Code{number, notify.RateLimited, happened, todo}
}

// class is what a refusal means to us.
type class struct {
	verdict notify.Verdict
	reason  notify.Reason
	after   time.Duration
	words   string // for staff
}

// refused is the class of a refusal for a reason. One that is ours to mend is kept and tried each minute: nothing was sent,
// and every other text meets the same.
func refused(reason notify.Reason, words string) class {
	switch reason {
	case notify.RateLimited:
		return class{notify.NotTaken, reason, 0, words}
	case notify.Misconfigured:
		return class{notify.NotTaken, reason, time.Minute, words}
	}
	return class{notify.Permanent, reason, 0, words}
}

// classify tells what a 4xx means. Twilio's code says more than the status.
func classify(status, code int) class {
	if c, ok := byNumber[code]; ok {
		return refused(c.Reason, c.Happened)
	}
	if c, ok := byStatus[status]; ok {
		return c
	}
	return refused(notify.Refused, "the request was refused")
}

// byStatus holds what the status alone says. A wrong path, method or account can only be ours: the text was never looked at.
var byStatus = map[int]class{
	http.StatusUnauthorized:      refused(notify.Misconfigured, "the credentials are not accepted"),
	http.StatusForbidden:         refused(notify.Misconfigured, "the credentials do not allow it"),
	http.StatusNotFound:          refused(notify.Misconfigured, "not found: see sms.twilio.account_sid and sms.twilio.base_url"),
	http.StatusMethodNotAllowed:  refused(notify.Misconfigured, "not Twilio: see sms.twilio.base_url"),
	http.StatusProxyAuthRequired: refused(notify.Misconfigured, "a proxy wants credentials"),
	http.StatusTooManyRequests:   refused(notify.RateLimited, "too many requests"),
	// Load balancers say this of a connection that they gave up on, whatever stood behind it did.
	http.StatusRequestTimeout: {notify.Unclear, notify.UnclearEnd, 0, "the request timed out on the way"},
}

// blame tells why a text that Twilio took did not arrive. Nobody tries it again, so a full queue is no reason to wait here:
// it is one more way of not arriving.
func blame(state notify.State, status string, code int) (reason notify.Reason, detail string) {
	reason = notify.NotReached
	if state == notify.Failed {
		reason = notify.Refused
	}
	c, known := byNumber[code]
	switch {
	case code == 0:
		return reason, fmt.Sprintf("Twilio reports %s and does not say why", status)
	case !known:
		return reason, fmt.Sprintf("Twilio reports %s, code %d: see twilio.com/docs/api/errors/%d", status, code, code)
	case c.Reason == notify.RateLimited:
		reason = notify.NotReached
	default:
		reason = c.Reason
	}
	return reason, fmt.Sprintf("Twilio reports %s, code %d: %s", status, code, c.Happened)
}
