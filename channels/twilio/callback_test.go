package twilio_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/twilio"
	"onmyway/notify"
)

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		status, code string
		want         notify.Report
	}{
		{"accepted", "", notify.Report{State: notify.Accepted}},
		{"scheduled", "", notify.Report{State: notify.Accepted}},
		{"queued", "", notify.Report{State: notify.Accepted}},
		{"sending", "", notify.Report{State: notify.Accepted}},
		{"sent", "", notify.Report{State: notify.Sent}},
		{"delivered", "", notify.Report{State: notify.Delivered}},
		{"read", "", notify.Report{State: notify.Delivered}},
		{"undelivered", "30003", notify.Report{
			State: notify.Undelivered, Reason: notify.NotReached, Code: 30003,
			Detail: "Twilio reports undelivered, code 30003: the phone is off or out of reach",
		}},
		{"undelivered", "30005", notify.Report{
			State: notify.Undelivered, Reason: notify.BadAddress, Code: 30005,
			Detail: "Twilio reports undelivered, code 30005: the handset is unknown",
		}},
		{"undelivered", "30001", notify.Report{
			State: notify.Undelivered, Reason: notify.NotReached, Code: 30001,
			Detail: "Twilio reports undelivered, code 30001: the queue is full",
		}},
		{"failed", "30036", notify.Report{
			State: notify.Failed, Reason: notify.Expired, Code: 30036,
			Detail: "Twilio reports failed, code 30036: it waited at Twilio until it was no longer true",
		}},
		{"failed", "39999", notify.Report{
			State: notify.Failed, Reason: notify.Refused, Code: 39999,
			Detail: "Twilio reports failed, code 39999: see twilio.com/docs/api/errors/39999",
		}},
		{"undelivered", "", notify.Report{
			State: notify.Undelivered, Reason: notify.NotReached, Detail: "Twilio reports undelivered and does not say why",
		}},
	} {
		t.Run(tt.status+" "+tt.code, func(t *testing.T) {
			d := &desk{}
			form := statusForm(tt.status)
			if tt.code != "" {
				form.Set("ErrorCode", tt.code)
			}
			w := call(newHooks(d), statusPath(), form)
			tt.want.Message, tt.want.Attempt, tt.want.ProviderID = attemptID, 2, someSID
			if diff := cmp.Diff([]notify.Report{tt.want}, d.reports); diff != "" || w.Code != http.StatusNoContent {
				t.Errorf("status %d (-want +got):\n%s", w.Code, diff)
			}
			if diff := cmp.Diff([]string{twilio.CallbackStatus}, d.kinds); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStatusNotForUs(t *testing.T) {
	with := func(name, value string) url.Values {
		v := statusForm("sent")
		v.Set(name, value)
		return v
	}
	id := attemptID.String()
	for _, tt := range []struct {
		name, path string
		form       url.Values
		code       int
		kind       string
	}{
		{"a status of texts to us", statusPath(), statusForm("receiving"), 204, twilio.CallbackIgnored},
		{"a status of the future", statusPath(), statusForm("pondered"), 204, twilio.CallbackIgnored},
		{"no status", statusPath(), statusForm(""), 400, twilio.CallbackMalformed},
		{"not a SID", statusPath(), with("MessageSid", "SM<script>"), 400, twilio.CallbackMalformed},
		{"code in words", statusPath(), with("ErrorCode", "many"), 400, twilio.CallbackMalformed},
		{"negative code", statusPath(), with("ErrorCode", "-1"), 400, twilio.CallbackMalformed},
		{"no number", twilio.StatusPath + id, statusForm("sent"), 404, twilio.CallbackMalformed},
		{"number in words", twilio.StatusPath + id + "-x", statusForm("sent"), 404, twilio.CallbackMalformed},
		{"another spelling", twilio.StatusPath + id + "-02", statusForm("sent"), 404, twilio.CallbackMalformed},
		{"more behind it", twilio.StatusPath + id + "-2/x", statusForm("sent"), 404, twilio.CallbackMalformed},
		{"not an id", twilio.StatusPath + "1-2", statusForm("sent"), 404, twilio.CallbackMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			w := call(newHooks(d), tt.path, tt.form)
			if w.Code != tt.code || d.calls() != 0 {
				t.Errorf("status %d, want %d; %d calls", w.Code, tt.code, d.calls())
			}
			if diff := cmp.Diff([]string{tt.kind}, d.kinds); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInbound(t *testing.T) {
	for _, tt := range []struct {
		name, body, optOut, answer string
		want                       notify.Inbound
		reply                      string
	}{
		{"a question", "Where's my car?", "", "", notify.Inbound{Text: "Where's my car?"}, "<Response/>"},
		{"an answer", "HELP", "", "Call <us> & ask", notify.Inbound{Text: "HELP"},
			"<Response><Message>Call &lt;us&gt; &amp; ask</Message></Response>"},
		{"Twilio has answered", "Basta", "STOP", "Goodbye", notify.Inbound{Text: "Basta", Handled: true, Keyword: notify.KeywordStop},
			"<Response/>"},
		{"a type of the future", "x", "PAUSE", "", notify.Inbound{Text: "x", Handled: true}, "<Response/>"},
		{"a picture", "", "", "", notify.Inbound{}, "<Response/>"},
		{"what no database takes", "a\x00\xffb", "", "ok\x00", notify.Inbound{Text: "a\uFFFDb"},
			"<Response><Message>ok\uFFFD</Message></Response>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{answer: tt.answer}
			form := inboundForm(tt.body)
			if tt.optOut != "" {
				form.Set("OptOutType", tt.optOut)
			}
			w := call(newHooks(d), twilio.InboundPath, form)
			tt.want.From, tt.want.ProviderID = "+14155550123", someSID
			if diff := cmp.Diff([]notify.Inbound{tt.want}, d.texts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			_, body, _ := strings.Cut(w.Body.String(), "?>\n")
			if w.Code != http.StatusOK || body != tt.reply || w.Header().Get("Content-Type") != "text/xml; charset=utf-8" {
				t.Errorf("status %d, answer %s", w.Code, w.Body)
			}
			if diff := cmp.Diff([]string{twilio.CallbackInbound}, d.kinds); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInboundNotForUs(t *testing.T) {
	without := func(name, value string) url.Values {
		v := inboundForm("STOP")
		v.Del(name)
		if value != "" {
			v.Set(name, value)
		}
		return v
	}
	for _, tt := range []struct {
		name string
		form url.Values
		code int
		kind string
	}{
		{"no body", without("Body", ""), 400, twilio.CallbackMalformed},
		{"nobody", without("From", ""), 400, twilio.CallbackMalformed},
		{"no name", without("MessageSid", ""), 400, twilio.CallbackMalformed},
		{"a short code", without("From", "12345"), 200, twilio.CallbackIgnored},
		{"another channel", without("From", "whatsapp:+14155550123"), 200, twilio.CallbackIgnored},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			w := call(newHooks(d), twilio.InboundPath, tt.form)
			if w.Code != tt.code || d.calls() != 0 || cmp.Diff([]string{tt.kind}, d.kinds) != "" {
				t.Errorf("status %d, %d calls, %v", w.Code, d.calls(), d.kinds)
			}
		})
	}
}
