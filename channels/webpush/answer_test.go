package webpush_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"onmyway/channels/webpush"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/notify"
)

func TestEveryStatus(t *testing.T) {
	type row struct {
		status  int
		body    string
		header  http.Header
		verdict notify.Verdict
		reason  notify.Reason
		code    int
		after   time.Duration
	}
	wait := http.Header{"Retry-After": {"120"}}
	rows := []row{
		{200, "", nil, notify.Took, "", 0, 0},
		{201, "", nil, notify.Took, "", 0, 0},
		{202, "", nil, notify.Took, "", 0, 0},
		{204, "", nil, notify.Took, "", 0, 0},
		{301, "{}", http.Header{"Location": {"/elsewhere"}}, notify.Permanent, notify.Refused, 0, 0},
		{307, "", http.Header{"Location": {"/elsewhere"}}, notify.Permanent, notify.Refused, 0, 0},
		{308, "", http.Header{"Location": {"/elsewhere"}}, notify.Permanent, notify.Refused, 0, 0},
		{400, `{"code":400,"errno":101}`, nil, notify.Permanent, notify.Refused, 101, 0},
		{400, `{"reason":"BadTopic"}`, nil, notify.Permanent, notify.Refused, 0, 0},
		{401, `{"code":401,"errno":109}`, wait, notify.NotTaken, notify.Misconfigured, 109, time.Minute},
		{403, `{"reason":"BadJwtToken"}`, nil, notify.NotTaken, notify.Misconfigured, 0, time.Minute},
		{404, `{"code":404,"errno":102}`, nil, notify.Gone, notify.BadAddress, 102, 0},
		{405, "", nil, notify.Permanent, notify.Refused, 0, 0},
		{406, "", wait, notify.NotTaken, notify.RateLimited, 0, 2 * time.Minute},
		{408, "", nil, notify.NotTaken, notify.Unreachable, 0, 0},
		{410, `{"code":410,"errno":106}`, nil, notify.Gone, notify.BadAddress, 106, 0},
		{413, `{"code":413,"errno":104}`, nil, notify.Permanent, notify.BadContent, 104, 0},
		{425, "", nil, notify.NotTaken, notify.Unreachable, 0, 0},
		{429, "", wait, notify.NotTaken, notify.RateLimited, 0, 2 * time.Minute},
		{429, "", nil, notify.NotTaken, notify.RateLimited, 0, 0},
		{429, "", http.Header{"Retry-After": {"99999999"}}, notify.NotTaken, notify.RateLimited, 0, time.Hour},
		{451, "", nil, notify.Permanent, notify.Refused, 0, 0},
		{500, `{"errno":999}`, nil, notify.NotTaken, notify.Unreachable, 999, 0},
		{502, `{"errno":901}`, nil, notify.NotTaken, notify.Unreachable, 901, 0},
		{503, `{"errno":201}`, wait, notify.NotTaken, notify.Unreachable, 201, 2 * time.Minute},
		{503, "<html>down for a while</html>", nil, notify.NotTaken, notify.Unreachable, 0, 0},
		{599, "[1,2", nil, notify.NotTaken, notify.Unreachable, 0, 0},
	}
	var now row
	l := newLab(t, webpushtest.Options{Fault: func(webpushtest.Request) webpushtest.Fault {
		return webpushtest.Fault{Status: now.status, Header: now.header, Body: now.body}
	}})
	for _, now = range rows {
		t.Run(fmt.Sprint(now.status, now.body), func(t *testing.T) {
			a := l.sender.Send(t.Context(), message(l.sub.ID))
			if a.Verdict != now.verdict || a.Reason != now.reason || a.Status != now.status || a.Code != now.code || a.RetryAfter != now.after {
				t.Errorf("answer %+v, want %+v", a, now)
			}
			if strings.Contains(now.body, "BadJwtToken") && !strings.HasSuffix(a.Detail, "BadJwtToken") {
				t.Errorf("the detail %q does not say why", a.Detail)
			}
		})
	}
}

// Whatever a push service says, the answer is complete, forgets a browser only for 404 and 410, and quotes nothing but a
// single word.
func FuzzAnswer(f *testing.F) {
	f.Add(401, `{"reason":"BadJwtToken"}`, "/m/abc", "120")
	f.Add(400, `{"errno":113,"reason":"https://updates.push.services.mozilla.com/wpush/v2/secret"}`, "", "soon")
	f.Add(201, "", "https://fcm.googleapis.com/0:1/secret?token=x", "-1")
	f.Add(410, `{"errno":-5}`, "/", "Sat, 21 Nov 2026 19:01:30 GMT")
	f.Fuzz(func(t *testing.T, status int, body, location, after string) {
		if status < 100 || status > 999 {
			return
		}
		a := webpush.AnswerOf(status, http.Header{"Location": {location}, "Retry-After": {after}}, []byte(body))
		if (a.Verdict == notify.Gone) != (status == 404 || status == 410) {
			t.Errorf("status %d: %+v", status, a)
		}
		if (a.Verdict == notify.Took) != (status >= 200 && status < 300) || (a.Reason == "") != (a.Verdict == notify.Took) {
			t.Errorf("status %d: %+v", status, a)
		}
		if a.RetryAfter < 0 || a.Code < 0 || a.Detail == "" || a.Verdict == notify.Unclear {
			t.Errorf("status %d: %+v", status, a)
		}
		if _, said, ok := strings.Cut(a.Detail, ": "); ok && (len(said) > 40 || strings.ContainsAny(said, " /:.")) {
			t.Errorf("the detail quotes %q", said)
		}
		if strings.ContainsAny(a.ProviderID, "/ ?\n") {
			t.Errorf("provider id %q", a.ProviderID)
		}
	})
}
