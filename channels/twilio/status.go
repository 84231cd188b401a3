package twilio

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"onmyway/notify"
)

// states are Twilio's statuses of a text that we sent. The others (receiving, received) are of texts to us.
var states = map[string]notify.State{
	"accepted":            notify.Accepted,
	"scheduled":           notify.Accepted,
	"queued":              notify.Accepted,
	"sending":             notify.Accepted,
	"sent":                notify.Sent,
	"partially_delivered": notify.Sent,
	"delivered":           notify.Delivered,
	"read":                notify.Delivered,
	"undelivered":         notify.Undelivered,
	"failed":              notify.Failed,
	"canceled":            notify.Failed,
}

// status stores what Twilio reports on an attempt and answers 204. A status that we do not know is answered the same: it
// would come again and again.
func (h *Hooks) status(ctx context.Context, w http.ResponseWriter, attempt string, form url.Values) {
	id, no, ok := parseAttempt(attempt)
	if !ok {
		h.refuse(w, &denial{http.StatusNotFound, CallbackMalformed})
		return
	}
	sid, status := form.Get("MessageSid"), form.Get("MessageStatus")
	code, ok := parseCode(form.Get("ErrorCode"))
	if !ok || !isSID(sid) || status == "" {
		h.refuse(w, malformed)
		return
	}
	state, known := states[status]
	if !known {
		h.count(CallbackIgnored)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	r := report(state, status, code)
	r.Message, r.Attempt, r.ProviderID = id, no, sid
	if err := h.reports.Report(ctx, h.Now(), r); err != nil {
		h.fail(w, CallbackStatus, err)
		return
	}
	h.count(CallbackStatus)
	w.WriteHeader(http.StatusNoContent)
}

// report is what a status and a code say.
func report(state notify.State, status string, code int) notify.Report {
	r := notify.Report{State: state, Code: code}
	if state == notify.Undelivered || state == notify.Failed {
		r.Reason, r.Detail = blame(state, status, code)
	}
	return r
}

// parseAttempt reads the end of a status URL, exactly as the sender writes it.
func parseAttempt(s string) (id notify.ID, no int, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return notify.ID{}, 0, false
	}
	id, err := notify.ParseID(s[:i])
	if err != nil {
		return notify.ID{}, 0, false
	}
	no, err = strconv.Atoi(s[i+1:])
	return id, no, err == nil && no >= 0 && attemptName(id, no) == s
}

func attemptName(id notify.ID, no int) string { return id.String() + "-" + strconv.Itoa(no) }

// parseCode reads an error code; none is 0.
func parseCode(s string) (code int, ok bool) {
	if s == "" {
		return 0, true
	}
	code, err := strconv.Atoi(s)
	return code, err == nil && code >= 0
}
