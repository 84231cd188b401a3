package twiliotest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/twilio/twiliotest"
)

const messages = "/2010-04-01/Accounts/" + twiliotest.AccountSID + "/Messages.json"

func newServer(t *testing.T, opt twiliotest.Options) *twiliotest.Server {
	t.Helper()
	s := twiliotest.New(opt)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// post sends a form without a network and returns status and body.
func post(s http.Handler, form url.Values) (int, string) {
	r := httptest.NewRequest(http.MethodPost, messages, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(twiliotest.AccountSID, twiliotest.AuthToken)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func text(to string) url.Values {
	return url.Values{"To": {to}, "From": {"+14155550100"}, "Body": {"Your driver is on the way"}}
}

// The fields are those of Twilio's OpenAPI document for a message; from, messaging_service_sid, date_sent, price and the
// error are null where there is none.
func TestCreateShape(t *testing.T) {
	sid := regexp.MustCompile(`^SM[0-9a-f]{32}$`)
	for _, tt := range []struct {
		name  string
		form  url.Values
		nulls []string
		want  map[string]any
	}{
		{
			"from a number", text("+14155550123"),
			[]string{"date_sent", "error_code", "error_message", "messaging_service_sid", "price"},
			map[string]any{"status": "queued", "from": "+14155550100", "num_segments": "1"},
		},
		{
			"from a messaging service", url.Values{"To": {"+14155550123"}, "MessagingServiceSid": {"MG1"}, "Body": {"x"}},
			[]string{"date_sent", "error_code", "error_message", "from", "price"},
			map[string]any{"status": "accepted", "messaging_service_sid": "MG1", "num_segments": "0"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, twiliotest.Options{})
			status, body := post(s, tt.form)
			if status != http.StatusCreated {
				t.Fatalf("status %d: %s", status, body)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			var nulls []string
			for _, name := range fields {
				v, ok := got[name]
				if !ok {
					t.Errorf("no %s", name)
				} else if v == nil {
					nulls = append(nulls, name)
				}
			}
			if d := cmp.Diff(tt.nulls, nulls); d != "" {
				t.Errorf("null fields (-want +got):\n%s", d)
			}
			if len(got) != len(fields) {
				t.Errorf("%d fields, want %d", len(got), len(fields))
			}
			for name, want := range tt.want {
				if got[name] != want {
					t.Errorf("%s is %v, want %v", name, got[name], want)
				}
			}
			if !sid.MatchString(got["sid"].(string)) {
				t.Errorf("sid is %v", got["sid"])
			}
			if _, err := mail.ParseDate(got["date_created"].(string)); err != nil {
				t.Errorf("date_created: %v", err)
			}
			if want := strings.TrimSuffix(messages, ".json") + "/" + got["sid"].(string) + ".json"; got["uri"] != want {
				t.Errorf("uri is %v, want %s", got["uri"], want)
			}
		})
	}
}

var fields = []string{
	"account_sid", "api_version", "body", "date_created", "date_sent", "date_updated", "direction", "error_code",
	"error_message", "from", "messaging_service_sid", "num_media", "num_segments", "price", "price_unit", "sid", "status",
	"subresource_uris", "to", "uri",
}

func TestRules(t *testing.T) {
	with := func(name, value string) url.Values {
		v := text("+14155550123")
		if value == "" {
			v.Del(name)
		} else {
			v.Set(name, value)
		}
		return v
	}
	for _, tt := range []struct {
		name string
		form url.Values
		code float64 // 0: accepted
	}{
		{"good", with("To", "+14155550123"), 0},
		{"no To", with("To", ""), 21604},
		{"To without plus", with("To", "14155550123"), 21211},
		{"To too long", with("To", "+1415555012345678"), 21211},
		{"To in words", with("To", "Dana"), 21211},
		{"no sender", with("From", ""), 21603},
		{"sender is not one", with("From", "+0"), 21212},
		{"short code", with("From", "12345"), 0},
		{"sender name", with("From", "Onmyway"), 0},
		{"not a messaging service", with("MessagingServiceSid", "XX1"), 21705},
		{"no body", with("Body", ""), 21602},
		{"1600 characters", with("Body", strings.Repeat("é", 1600)), 0},
		{"1601 characters", with("Body", strings.Repeat("é", 1601)), 21617},
		{"801 emoji", with("Body", strings.Repeat("🚗", 801)), 21617},
		{"validity 1", with("ValidityPeriod", "1"), 0},
		{"validity 36000", with("ValidityPeriod", "36000"), 0},
		{"validity 0", with("ValidityPeriod", "0"), 21624},
		{"validity 36001", with("ValidityPeriod", "36001"), 21624},
		{"validity in words", with("ValidityPeriod", "long"), 21624},
		{"callback is no URL", with("StatusCallback", "/hooks"), 21609},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, twiliotest.Options{})
			status, body := post(s, tt.form)
			var got struct {
				Code     float64
				Status   int
				Message  string
				MoreInfo string `json:"more_info"`
			}
			if tt.code == 0 {
				if status != http.StatusCreated || len(s.Accepted()) != 1 {
					t.Fatalf("status %d, %d accepted: %s", status, len(s.Accepted()), body)
				}
				return
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if status != http.StatusBadRequest || got.Status != status || got.Code != tt.code || got.Message == "" || got.MoreInfo == "" {
				t.Errorf("status %d, body %s, want 400 with code %v", status, body, tt.code)
			}
			if n := len(s.Accepted()); n != 0 {
				t.Errorf("%d accepted", n)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	opt := twiliotest.Options{AccountSID: "AC1", APIKey: "SK1", APISecret: "secret", AuthToken: "token"}
	for _, tt := range []struct {
		name, account, user, password string
		status                        int
	}{
		{"API key", "AC1", "SK1", "secret", 200},
		{"auth token", "AC1", "AC1", "token", 200},
		{"wrong secret", "AC1", "SK1", "token", 401},
		{"wrong token", "AC1", "AC1", "secret", 401},
		{"nobody", "AC1", "", "", 401},
		{"another account", "AC2", "SK1", "secret", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, opt)
			r := httptest.NewRequest(http.MethodGet, "/2010-04-01/Accounts/"+tt.account+"/Messages.json", nil)
			if tt.user != "" {
				r.SetBasicAuth(tt.user, tt.password)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if w.Code == 401 && !strings.Contains(w.Body.String(), `"code":20003`) {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}

func TestLedger(t *testing.T) {
	path := t.TempDir() + "/ledger.jsonl"
	for range 2 { // the second server appends
		f, err := twiliotest.OpenLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, twiliotest.Options{Ledger: f})
		form := text("+14155550123")
		form.Set("StatusCallback", "https://example.com/hooks/twilio/status/1-1")
		post(s, form)
		post(s, text("no number")) // refused: not in the ledger
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	lines := readLedger(t, path)
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2", len(lines))
	}
	for _, e := range lines {
		e.SID = strings.Repeat("x", len(e.SID))
		want := twiliotest.Entry{
			At: e.At, SID: strings.Repeat("x", 34), To: "+14155550123", From: "+14155550100",
			Body: "Your driver is on the way", StatusCallback: "https://example.com/hooks/twilio/status/1-1",
		}
		if d := cmp.Diff(want, e); d != "" || e.At.IsZero() {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

type brokenDisk struct{}

func (brokenDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestLedgerBroken(t *testing.T) {
	s := newServer(t, twiliotest.Options{Ledger: brokenDisk{}})
	if status, _ := post(s, text("+14155550123")); status != http.StatusInternalServerError || len(s.Accepted()) != 0 {
		t.Errorf("status %d, %d accepted: what is not in the ledger must not be accepted", status, len(s.Accepted()))
	}
}

func TestSeed(t *testing.T) {
	sids := func(seed uint64) []string {
		s := newServer(t, twiliotest.Options{Seed: seed})
		var out []string
		for range 3 {
			post(s, text("+14155550123"))
		}
		for _, m := range s.Accepted() {
			out = append(out, m.SID)
		}
		return out
	}
	if d := cmp.Diff(sids(7), sids(7)); d != "" {
		t.Errorf("the same seed gives other SIDs:\n%s", d)
	}
	if cmp.Equal(sids(7), sids(8)) || cmp.Equal(sids(0), sids(0)) {
		t.Error("other seeds give the same SIDs")
	}
}

func TestSegments(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"one character", "a", "1"},
		{"160 GSM", strings.Repeat("é", 160), "1"},
		{"161 GSM", strings.Repeat("a", 161), "2"},
		{"306 GSM", strings.Repeat("a", 306), "2"},
		{"307 GSM", strings.Repeat("a", 307), "3"},
		{"80 of the extension", strings.Repeat("€", 80), "1"},
		{"81 of the extension", strings.Repeat("€", 81), "2"},
		{"70 of UCS-2", strings.Repeat("”", 70), "1"},
		{"71 of UCS-2", strings.Repeat("”", 71), "2"},
		{"35 emoji", strings.Repeat("🚗", 35), "1"},
		{"36 emoji", strings.Repeat("🚗", 36), "2"},
		{"one emoji in a long text", strings.Repeat("a", 69) + "🚗", "2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := text("+14155550123")
			form.Set("Body", tt.text)
			_, body := post(newServer(t, twiliotest.Options{}), form)
			if !strings.Contains(body, `"num_segments":"`+tt.want+`"`) {
				t.Errorf("want %s segments: %s", tt.want, body)
			}
		})
	}
}

func readLedger(t *testing.T, path string) []twiliotest.Entry {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []twiliotest.Entry
	for d := json.NewDecoder(f); ; {
		var e twiliotest.Entry
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}
