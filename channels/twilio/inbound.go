package twilio

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"onmyway/notify"
)

// keywords are the OptOutType of an account with Advanced Opt-Out: what Twilio took the text for, in whatever words.
var keywords = map[string]notify.Keyword{
	"STOP": notify.KeywordStop, "START": notify.KeywordStart, "HELP": notify.KeywordHelp,
}

// number is a phone number as Twilio writes it. Short codes, sender names and other channels ("whatsapp:…") text us too.
var number = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// inbound hands somebody's text to the inbox and answers it in TwiML.
func (h *Hooks) inbound(ctx context.Context, w http.ResponseWriter, form url.Values) {
	sid, from, handled := form.Get("MessageSid"), form.Get("From"), form.Get("OptOutType")
	if !isSID(sid) || from == "" || !form.Has("Body") {
		h.refuse(w, malformed)
		return
	}
	if !number.MatchString(from) {
		h.count(CallbackIgnored)
		reply(w, "")
		return
	}
	text, err := h.inbox.Inbound(ctx, h.Now(), notify.Inbound{
		From: from, Text: storable(form.Get("Body")), ProviderID: sid,
		Handled: handled != "", Keyword: keywords[strings.ToUpper(handled)],
	})
	if err != nil {
		h.fail(w, CallbackInbound, err)
		return
	}
	if handled != "" {
		text = "" // Twilio has answered
	}
	h.count(CallbackInbound)
	reply(w, text)
}

// storable makes a text that a database takes: Postgres refuses zero bytes and what is not UTF-8, for ever.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// reply answers with TwiML: one message, or none.
func reply(w http.ResponseWriter, text string) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if text == "" {
		b.WriteString("<Response/>")
	} else {
		b.WriteString("<Response><Message>")
		_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
		b.WriteString("</Message></Response>")
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // Twilio may have gone: then it asks again
}
