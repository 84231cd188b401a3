package twilio

import (
	"net/http"
	"time"

	"onmyway/notify"
)

// class is what a refusal means to us.
type class struct {
	verdict notify.Verdict
	reason  notify.Reason
	after   time.Duration
	words   string // for staff
}

func badAddress(words string) class { return class{notify.Permanent, notify.BadAddress, 0, words} }
func badContent(words string) class { return class{notify.Permanent, notify.BadContent, 0, words} }
func slowDown(words string) class   { return class{notify.NotTaken, notify.RateLimited, 0, words} }

// misconfigured is a refusal that is ours to mend. Nothing was sent and every other text meets the same, so it is kept and
// tried each minute.
func misconfigured(words string) class {
	return class{notify.NotTaken, notify.Misconfigured, time.Minute, words}
}

// classify tells what a 4xx means. Twilio's code says more than the status; Twilio splits and adds codes over time, so
// an unknown one falls back to its status.
func classify(status, code int) class {
	if c, ok := byCode[code]; ok {
		return c
	}
	if c, ok := byStatus[status]; ok {
		return c
	}
	return class{notify.Permanent, notify.Refused, 0, "the request was refused"}
}

// byCode holds the codes of Twilio's error dictionary (twilio.com/docs/api/errors) that an answer to a new message can carry.
var byCode = map[int]class{
	// The number.
	21211: badAddress("the number is not valid"),
	21214: badAddress("the number cannot be reached"),
	21217: badAddress("the number is not valid"),
	21604: badAddress("there is no number"),
	21614: badAddress("the number is not a mobile number"),
	21635: badAddress("the number is a landline"),
	30005: badAddress("the handset is unknown"),
	30006: badAddress("a landline, or a carrier that is out of reach"),

	// The person: Twilio keeps its own list of those who wrote STOP.
	21610: {notify.Permanent, notify.OptedOut, 0, "the recipient has unsubscribed"},

	// The text.
	21602: badContent("the text is empty"),
	21605: badContent("the text is too long"),
	21617: badContent("the text is longer than 1600 characters"),
	21619: badContent("the text is empty"),
	30004: badContent("the message was blocked"),
	30007: badContent("the carrier filtered the message"),

	// Our account, sender or permissions.
	20003: misconfigured("the credentials are not accepted"),
	20404: misconfigured("the account or messaging service does not exist"),
	21212: misconfigured("the sender is not valid"),
	21408: misconfigured("the account may not send to this country"),
	21603: misconfigured("there is no sender"),
	21606: misconfigured("the sender cannot send texts to this number"),
	21608: misconfigured("a trial account sends only to verified numbers"),
	21609: misconfigured("the address for status callbacks is not valid: see http.public_url"),
	21612: misconfigured("this sender cannot reach this number"),
	21659: misconfigured("the sender is not a number of this account"),
	21660: misconfigured("the sender belongs to another account"),
	21661: misconfigured("the sender cannot send texts"),
	21703: misconfigured("the messaging service has no sender"),
	21704: misconfigured("the messaging service has no phone number"),
	21705: misconfigured("the messaging service does not exist"),
	30002: misconfigured("the account is suspended"),
	30032: misconfigured("the toll-free sender is not verified"),
	30034: misconfigured("the sender is not registered for A2P 10DLC"),

	// Too much at once.
	20429: slowDown("too many requests"),
	21611: slowDown("the queue of the sender is full"),
	30001: slowDown("the queue is full"),
}

// byStatus holds what the status alone says. A wrong path, method or account can only be ours: the text was never looked at.
var byStatus = map[int]class{
	http.StatusUnauthorized:      misconfigured("the credentials are not accepted"),
	http.StatusForbidden:         misconfigured("the credentials do not allow it"),
	http.StatusNotFound:          misconfigured("not found: see sms.twilio.account_sid and sms.twilio.base_url"),
	http.StatusMethodNotAllowed:  misconfigured("not Twilio: see sms.twilio.base_url"),
	http.StatusProxyAuthRequired: misconfigured("a proxy wants credentials"),
	http.StatusTooManyRequests:   slowDown("too many requests"),
	// Load balancers say this of a connection that they gave up on, whatever stood behind it did.
	http.StatusRequestTimeout: {notify.Unclear, notify.UnclearEnd, 0, "the request timed out on the way"},
}
