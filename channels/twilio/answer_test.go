package twilio_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"onmyway/channels/twilio"
	"onmyway/notify"
)

// reply is a transport that answers without a network, and says nothing of connections.
type reply struct {
	status     int
	retryAfter string
	body       io.Reader
	err        error
}

func (r reply) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	h := http.Header{}
	if r.retryAfter != "" {
		h.Set("Retry-After", r.retryAfter)
	}
	return &http.Response{
		StatusCode: r.status, Header: h, Body: io.NopCloser(r.body), Request: req,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func answer(tb testing.TB, r http.RoundTripper, now time.Time) notify.Answer {
	tb.Helper()
	s, err := twilio.New(good(), r, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	m := text()
	m.ExpiresAt = now.Add(time.Hour)
	s.Now = func() time.Time { return now }
	return s.Send(tb.Context(), m)
}

// refusal is an answer of Twilio's with its manners: the message of an error may hold the number.
func refusal(status, code int) string {
	return fmt.Sprintf(`{"code":%d,"message":"Invalid number +14155550123","more_info":"x","status":%d}`, code, status)
}

func TestAnswers(t *testing.T) {
	type answerOf = notify.Answer
	const sid = "SM0123456789abcdef0123456789abcdef"
	yes := `{"sid":"` + sid + `","status":"queued","error_code":null,"num_segments":"1"}`
	took := answerOf{Verdict: notify.Took, ProviderID: sid}
	unclear := answerOf{Verdict: notify.Unclear, Reason: notify.UnclearEnd}
	address := answerOf{Verdict: notify.Permanent, Reason: notify.BadAddress}
	content := answerOf{Verdict: notify.Permanent, Reason: notify.BadContent}
	refused := answerOf{Verdict: notify.Permanent, Reason: notify.Refused}
	ours := answerOf{Verdict: notify.NotTaken, Reason: notify.Misconfigured, RetryAfter: time.Minute}
	slow := answerOf{Verdict: notify.NotTaken, Reason: notify.RateLimited}
	tests := []struct {
		name   string
		status int
		body   string
		code   int
		want   answerOf
	}{
		{"created", 201, yes, 0, took},
		{"ok", 200, yes, 0, took},
		{"a field of another type", 201, `{"num_segments":1,"sid":"` + sid + `","price":[]}`, 0, took},
		{"created, no body", 201, "", 0, unclear},
		{"created, no SID", 201, `{"status":"queued"}`, 0, unclear},
		{"created, SID is null", 201, `{"sid":null}`, 0, unclear},
		{"created, SID of another thing", 201, `{"sid":"AC0123456789abcdef0123456789abcdef"}`, 0, unclear},
		{"created, SID is a text", 201, `{"sid":"SM <script>"}`, 0, unclear},
		{"created, broken JSON", 201, yes[:len(yes)/2], 0, unclear},
		{"created, not an object", 201, `[` + yes + `]`, 0, unclear},
		{"a web page", 200, "<!doctype html><title>Sign in</title>", 0, unclear},
		{"no content", 204, "", 0, unclear},
		{"see other", 303, "", 0, unclear},
		{"moved", 301, "", 0, ours},
		{"temporary redirect", 307, yes, 0, ours},
		{"internal error", 500, refusal(500, 20500), 20500, unclear},
		{"internal error with the code of a bad number", 500, refusal(500, 21211), 21211, unclear},
		{"bad gateway", 502, "<html>", 0, unclear},
		{"unavailable", 503, "", 0, unclear},
		{"gateway timeout", 504, "", 0, unclear},
		{"request timeout", 408, "", 0, unclear},
		{"too many", 429, refusal(429, 20429), 20429, slow},
		{"too many, no JSON", 429, "slow down", 0, slow},
		{"too many, by code", 400, refusal(400, 20429), 20429, slow},
		{"unauthorized", 401, refusal(401, 20003), 20003, ours},
		{"unauthorized, no JSON", 401, "", 0, ours},
		{"forbidden", 403, "<html>", 0, ours},
		{"not found", 404, refusal(404, 20404), 20404, ours},
		{"unsubscribed", 400, refusal(400, 21610), 21610, answerOf{Verdict: notify.Permanent, Reason: notify.Stopped}},
		{"code as text", 400, `{"code":"21610"}`, 21610, answerOf{Verdict: notify.Permanent, Reason: notify.Stopped}},
		{"unknown code", 400, refusal(400, 29999), 29999, refused},
		{"no code", 400, "{}", 0, refused},
		{"no JSON", 400, "<html>", 0, refused},
		{"conflict", 409, "", 0, refused},
		{"too large", 413, "", 0, refused},
	}
	for codes, want := range map[[8]int]answerOf{
		{21211, 21214, 21217, 21614, 21635, 30005, 30006, 21604}: address,
		{21602, 21605, 21617, 21619, 30004, 30007}:               content,
		{20003, 21408, 21606, 21612, 21659, 21660, 21661, 21704}: ours,
		{30002, 30032, 30034, 20404, 21212, 21603, 21608, 21609}: ours,
		{20429, 21611, 30001}:                                    slow,
	} {
		for _, code := range codes {
			if code != 0 {
				tests = append(tests, struct {
					name   string
					status int
					body   string
					code   int
					want   answerOf
				}{fmt.Sprint("code ", code), 400, refusal(400, code), code, want})
			}
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := answer(t, reply{status: tt.status, body: strings.NewReader(tt.body)}, time.Now())
			tt.want.Status, tt.want.Code = tt.status, tt.code
			if d := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(notify.Answer{}, "Detail")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if got.Verdict != notify.Took && !strings.Contains(got.Detail, fmt.Sprint(tt.status)) {
				t.Errorf("the detail does not name the status: %s", got.Detail)
			}
			noSecrets(t, got.Detail)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, header string
		want         time.Duration
	}{
		{"none", "", 0},
		{"seconds", "17", 17 * time.Second},
		{"blanks around", "  17 ", 17 * time.Second},
		{"zero", "0", 0},
		{"at the bound", "300", 5 * time.Minute},
		{"above the bound", "301", 5 * time.Minute},
		{"above any number", "99999999999999999999999", 5 * time.Minute},
		{"negative", "-5", 0},
		{"fraction", "1.5", 0},
		{"words", "soon", 0},
		{"date", "Sat, 21 Nov 2026 19:01:30 GMT", 90 * time.Second},
		{"date of RFC 850", "Saturday, 21-Nov-26 19:01:30 GMT", 90 * time.Second},
		{"date of asctime", "Sat Nov 21 19:01:30 2026", 90 * time.Second},
		{"past date", "Sat, 21 Nov 2026 18:00:00 GMT", 0},
		{"far date", "Sat, 21 Nov 2099 18:00:00 GMT", 5 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := answer(t, reply{status: 429, retryAfter: tt.header, body: strings.NewReader("")}, now)
			if a.RetryAfter != tt.want {
				t.Errorf("got %v, want %v", a.RetryAfter, tt.want)
			}
		})
	}
}

func TestAnswerBreaksOff(t *testing.T) {
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	for status, want := range map[int]notify.Verdict{201: notify.Unclear, 500: notify.Unclear, 429: notify.NotTaken, 400: notify.Permanent} {
		body := io.MultiReader(strings.NewReader(`{"sid":"SM01`), broken)
		if a := answer(t, reply{status: status, body: body}, time.Now()); a.Verdict != want {
			t.Errorf("status %d: got %+v, want %s", status, a, want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(201, "", []byte(`{"sid":"SM1"}`))
	f.Add(400, "", []byte(`{"code":21211,"message":"x","status":400}`))
	f.Add(429, "5", []byte(`{"code":20429}`))
	f.Add(503, "Sat, 21 Nov 2026 19:01:30 GMT", []byte("<html>"))
	f.Add(307, "-1", []byte(`{"code":1e999}`))
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte) {
		const canary = "ca9ary+14155550123"
		body = append(body, canary...)
		a := answer(t, reply{status: status, retryAfter: retryAfter + canary, body: strings.NewReader(string(body))}, time.Now())
		b := answer(t, reply{status: status, retryAfter: retryAfter, body: strings.NewReader(string(body[:len(body)-len(canary)]))}, time.Now())
		for _, a := range []notify.Answer{a, b} {
			success, clientError := status/100 == 2, status/100 == 4
			switch {
			case a.Verdict == notify.Took && (!success || a.ProviderID == ""):
				t.Errorf("took without proof: %+v", a)
			case a.Verdict == notify.Permanent && !clientError, a.Verdict == notify.Gone:
				t.Errorf("a final no without proof: %+v", a)
			case a.Verdict == notify.NotTaken && status/100 != 3 && !clientError:
				t.Errorf("a no without proof: %+v", a)
			case a.Verdict != notify.Took && (a.Reason == "" || a.ProviderID != ""):
				t.Errorf("no reason, or a name: %+v", a)
			case a.RetryAfter < 0 || a.RetryAfter > 5*time.Minute:
				t.Errorf("retry after %v", a.RetryAfter)
			case strings.Contains(a.Detail, canary):
				t.Errorf("the detail quotes the answer: %s", a.Detail)
			}
		}
	})
}
