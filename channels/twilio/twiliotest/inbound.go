package twiliotest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Text is what somebody sends to a number of the account.
type Text struct {
	From string // E.164
	To   string // a number of the account; the pool's when empty
	Body string
	SID  string // what Twilio calls it; made up when empty. The same one again is a repeated callback
}

// optOutTypes are the default keywords of Advanced Opt-Out (twilio.com/docs/messaging/tutorials/advanced-opt-out).
var optOutTypes = map[string]string{
	"STOP": "STOP", "STOPALL": "STOP", "UNSUBSCRIBE": "STOP", "CANCEL": "STOP", "END": "STOP", "QUIT": "STOP",
	"REVOKE": "STOP", "OPTOUT": "STOP", "START": "START", "UNSTOP": "START", "YES": "START", "HELP": "HELP", "INFO": "HELP",
}

// Receive takes a text: it calls hook as Twilio does, signed, and returns the status and the body of the answer, which is TwiML.
// With Options.OptOut the text's keyword is acted on before.
func (s *Server) Receive(ctx context.Context, hook string, t Text) (status int, answer string, err error) {
	if t.To == "" {
		t.To = pool
	}
	if t.SID == "" {
		t.SID = s.sid("SM")
	}
	form := url.Values{
		"MessageSid": {t.SID}, "SmsSid": {t.SID}, "SmsMessageSid": {t.SID}, "AccountSid": {s.opt.AccountSID},
		"From": {t.From}, "To": {t.To}, "Body": {t.Body}, "SmsStatus": {"received"}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"ApiVersion": {"2010-04-01"}, "FromCountry": {"US"}, "ToCountry": {"US"},
	}
	if word := s.optOut(t); word != "" {
		form.Set("OptOutType", word)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: callbackTimeout}
	target, _, _ := strings.Cut(hook, "#")
	header := callbackHeader(s.opt.AuthToken, target, form)
	status, body, failure := send(ctx, client, target, form, header)
	if status == 0 {
		return 0, "", fmt.Errorf("call the hook for a text: no answer (%s)", failure)
	}
	return status, string(body), nil
}

// optOut acts on a keyword and names it; it is empty for other texts and when Options.OptOut is off.
func (s *Server) optOut(t Text) string {
	if !s.opt.OptOut {
		return ""
	}
	word := optOutTypes[strings.ToUpper(strings.TrimSpace(t.Body))]
	s.mu.Lock()
	defer s.mu.Unlock()
	switch word {
	case "STOP":
		s.stopped[t.From] = true
	case "START":
		delete(s.stopped, t.From)
	}
	return word
}

func (s *Server) hasStopped(to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped[to]
}
