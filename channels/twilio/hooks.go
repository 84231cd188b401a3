package twilio

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"onmyway/notify"
)

// Where Twilio calls us, below Config.PublicURL.
const (
	// StatusPath is where it reports on an attempt, which follows: message id, "-", number. The sender puts it on every text.
	StatusPath = "/hooks/twilio/status/"
	// InboundPath is where it hands us what somebody texts to our number. The operator sets it at the number or the messaging
	// service ("A message comes in").
	InboundPath = "/hooks/twilio/inbound"
)

// What Hooks.Count is told.
const (
	CallbackStatus    = "status"    // a report was stored
	CallbackInbound   = "inbound"   // somebody's text was acted on
	CallbackIgnored   = "ignored"   // Twilio's, but nothing in it is for us
	CallbackForged    = "forged"    // not from Twilio, not for our account, or no auth token is set
	CallbackMalformed = "malformed" // no form, or a parameter is wrong
	CallbackOversized = "oversized" // more than 64 kB
	CallbackFailed    = "failed"    // it could not be stored
)

const (
	callbackTime = 10 * time.Second // to store what a callback says; Twilio waits 15 s
	comeBack     = "5"              // seconds until Twilio may try again
	hintEvery    = int64(10 * time.Minute)
)

// Inbox takes what people text to us.
type Inbox interface {
	// Inbound acts on a text and gives what is to be answered; empty for nothing. It returns when what follows from the text
	// is stored. The same text may come again: in.ProviderID names it.
	Inbound(ctx context.Context, now time.Time, in notify.Inbound) (reply string, err error)
}

// Hooks answers Twilio's callbacks below /hooks/twilio/. What is not provably Twilio's is refused with 403, 413 or 400 and
// changes nothing; what is, is answered when it is stored. It is safe for concurrent use.
type Hooks struct {
	// Now is the time of a callback. NewHooks sets it to time.Now; replace it before the first request.
	Now func() time.Time
	// Count is called once with the kind of every callback; nil for nobody. Set it before the first request.
	Count func(kind string)

	account    string
	signatures *signatures
	reports    notify.Reports
	inbox      Inbox
	log        *slog.Logger
	hinted     atomic.Int64 // when the operator was last told why callbacks are refused, in Unix nanoseconds
}

// NewHooks makes the handler. Without Config.AuthToken or Config.PublicURL no signature can be checked: then every callback
// is refused, and a warning says so now.
func NewHooks(cfg Config, reports notify.Reports, inbox Inbox, log *slog.Logger) *Hooks {
	if cfg.AuthToken == "" {
		log.Warn("every callback of Twilio is refused: set sms.twilio.auth_token, which signs them")
	}
	if cfg.PublicURL == "" {
		log.Warn("every callback of Twilio is refused: set http.public_url, which is signed with them")
	}
	return &Hooks{
		Now: time.Now, account: cfg.AccountSID, signatures: newSignatures(cfg),
		reports: reports, inbox: inbox, log: log,
	}
}

// ServeHTTP answers one callback.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	attempt, isStatus := strings.CutPrefix(path, StatusPath)
	switch {
	case !isStatus && path != InboundPath:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	form, denied := h.read(w, r)
	if denied != nil {
		h.refuse(w, denied)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callbackTime)
	defer cancel()
	if isStatus {
		h.status(ctx, w, attempt, form)
	} else {
		h.inbound(ctx, w, form)
	}
}

// refuse answers with a status and nothing else: a forger learns no more.
func (h *Hooks) refuse(w http.ResponseWriter, d *denial) {
	if d == forged {
		h.hint()
	}
	h.count(d.kind)
	http.Error(w, http.StatusText(d.status), d.status)
}

// hint tells the operator, once in ten minutes, what a wrong setting looks like: then all of Twilio's callbacks are refused.
func (h *Hooks) hint() {
	now, last := h.Now().UnixNano(), h.hinted.Load()
	if now-last < hintEvery || !h.hinted.CompareAndSwap(last, now) {
		return
	}
	h.log.Warn("a callback was refused: it was not signed by Twilio for our account and URL",
		"see", "http.public_url, sms.twilio.auth_token, sms.twilio.account_sid")
}

// fail answers that the callback may come again.
func (h *Hooks) fail(w http.ResponseWriter, what string, err error) {
	h.log.Error("a callback of Twilio was not stored", "callback", what, "error", err)
	h.count(CallbackFailed)
	w.Header().Set("Retry-After", comeBack)
	http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
}

func (h *Hooks) count(kind string) {
	if h.Count != nil {
		h.Count(kind)
	}
}
