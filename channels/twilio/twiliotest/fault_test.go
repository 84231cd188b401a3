package twiliotest_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  twiliotest.Fault
		status int // 0: no answer, or one that breaks off
		body   string
	}{
		{"none", twiliotest.Fault{}, 201, `"sid":"SM`},
		{"too many", twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: "3"}, 429, `"code":20429`},
		{"server error", twiliotest.Fault{Kind: twiliotest.ServerError}, 500, `"code":20500`},
		{"late error", twiliotest.Fault{Kind: twiliotest.LateError}, 500, `"code":20500`},
		{"dropped", twiliotest.Fault{Kind: twiliotest.Dropped}, 0, ""},
		{"late drop", twiliotest.Fault{Kind: twiliotest.LateDrop}, 0, ""},
		{"hang", twiliotest.Fault{Kind: twiliotest.Hang}, 0, ""},
		{"late hang", twiliotest.Fault{Kind: twiliotest.LateHang}, 0, ""},
		{"page", twiliotest.Fault{Kind: twiliotest.HTML}, 200, "<!doctype html>"},
		{"truncated", twiliotest.Fault{Kind: twiliotest.Truncated}, 0, ""},
		{"refused", twiliotest.Fault{Kind: twiliotest.Refused, Code: 21610}, 400, `"code":21610`},
		{"unauthorized", twiliotest.Fault{Kind: twiliotest.Unauthorized}, 401, `"code":20003`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, twiliotest.Options{Faults: func(r twiliotest.Request) twiliotest.Fault {
				if r.N != 1 || r.To != "+14155550123" {
					t.Errorf("the fault is asked about %+v", r)
				}
				return tt.fault
			}})
			status, retry, body := exchange(t, s)
			if status != tt.status || !strings.Contains(body, tt.body) || retry != tt.fault.RetryAfter {
				t.Errorf("status %d, retry after %q, body %s", status, retry, body)
			}
			want := 0
			if tt.fault.Kind.Accepts() {
				want = 1
			}
			if got := len(s.Accepted()); got != want || s.Requests() != 1 {
				t.Errorf("%d accepted of %d requests, want %d of 1", got, s.Requests(), want)
			}
		})
	}
}

// exchange sends one text over a connection of its own. The status is 0 when the answer did not come whole.
func exchange(t *testing.T, s *twiliotest.Server) (status int, retryAfter, body string) {
	t.Helper()
	base, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+messages, strings.NewReader(text("+14155550123").Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, "", ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if len(b) == 0 {
			t.Error("not even half of the answer came")
		}
		return 0, "", ""
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), string(b)
}

func TestMix(t *testing.T) {
	const n = 20000
	rates := map[twiliotest.Kind]float64{twiliotest.TooMany: 0.05, twiliotest.LateDrop: 0.02, twiliotest.Unauthorized: 0.01}
	a, b := twiliotest.Mix(7, rates), twiliotest.Mix(7, rates)
	got := map[twiliotest.Kind]int{}
	for range n {
		f := a(twiliotest.Request{})
		if f != b(twiliotest.Request{}) {
			t.Fatal("the same seed gives another sequence")
		}
		got[f.Kind]++
	}
	rates[twiliotest.None] = 0.92
	for kind, count := range got {
		if share := float64(count) / n; math.Abs(share-rates[kind]) > 0.01 {
			t.Errorf("kind %d has a share of %.3f, want %.3f", kind, share, rates[kind])
		}
	}
}

// A server that closes lets go of those that hang and of those that wait, whether they came before or after.
func TestCloseEndsRequests(t *testing.T) {
	hang := func(twiliotest.Request) twiliotest.Fault { return twiliotest.Fault{Kind: twiliotest.Hang} }
	for name, opt := range map[string]twiliotest.Options{"hanging": {Faults: hang}, "slow": {Latency: time.Hour}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, opt)
			ended := make(chan any)
			go func() {
				defer func() { ended <- recover() }()
				post(s, text("+14155550123"))
			}()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if got := <-ended; got != http.ErrAbortHandler {
				t.Errorf("the request ended with %v, want a dropped connection", got)
			}
			if n := len(s.Accepted()); n != 0 {
				t.Errorf("%d accepted", n)
			}
		})
	}
}
