package twilio_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio"
	"onmyway/notify"
)

const when = `"date_created":"Sat, 21 Nov 2026 19:00:00 +0000"`

// list is an answer of Twilio's with these texts.
func list(texts ...string) string {
	return `{"page_size":100,"uri":"/2010-04-01/Accounts/` + good().AccountSID + `/Messages.json?PageSize=100","messages":[` +
		strings.Join(texts, ",") + `]}`
}

func listed(fields string) string {
	return `{"sid":"` + someSID + `","to":"+14155550123","direction":"outbound-api","status":"sent",` +
		`"messaging_service_sid":"` + good().MessagingServiceSID + `",` + when + `,` + fields + `}`
}

func TestFindAnswers(t *testing.T) {
	const same = `"body":"Your driver is on the way"`
	for _, tt := range []struct {
		name, body string
		want       int    // texts; with an error none
		err        string // a part of it
	}{
		{"none", list(), 0, ""},
		{"ours", list(listed(same)), 1, ""},
		{"a status of the future", list(listed(same + `,"status":"pondered"`)), 1, ""},
		{"trial account", list(listed(`"body":"Sent from your Twilio trial account - Your driver is on the way"`)), 1, ""},
		{"blanks at the end", list(listed(`"body":"Your driver is on the way \n"`)), 1, ""},
		{"to another number", list(listed(same + `,"to":"+14155550124"`)), 0, ""},
		{"to us", list(listed(same + `,"direction":"inbound"`)), 0, ""},
		{"another text from elsewhere", list(listed(`"body":"x","messaging_service_sid":null`)), 0, ""},
		{"from elsewhere", list(listed(same + `,"messaging_service_sid":"MG9"`)), 0, "another sender"},
		{"from a number", list(listed(same + `,"messaging_service_sid":null,"from":"+14155550100"`)), 0, "another sender"},
		{"from elsewhere, and ours", list(listed(same+`,"messaging_service_sid":null`), listed(same)), 1, ""},
		{"no words kept", list(listed(`"body":""`)), 0, "keeps no copies"},
		{"no words kept, null", list(listed(`"body":null`)), 0, "keeps no copies"},
		{"no date", list(listed(same + `,"date_created":null`)), 0, "could not be read"},
		{"a date in another form", list(listed(same + `,"date_created":"yesterday"`)), 0, "could not be read"},
		{"no name", list(listed(same + `,"sid":null`)), 0, "could not be read"},
		{"any JSON", `{}`, 0, "could not be read"},
		{"no JSON", ``, 0, "could not be read"},
		{"an array", `[]`, 0, "could not be read"},
		{"a list of something", `{"messages":[]}`, 0, "could not be read"},
		{"a list of another account", strings.Replace(list(), good().AccountSID, "AC2", 1), 0, "could not be read"},
		{"an empty page with another behind it", strings.Replace(list(), `{"page_size"`, `{"next_page_uri":"/x?PageToken=1","page_size"`, 1), 0, "could not be read"},
		{"a next page without a name", strings.Replace(list(listed(same)), `{"page_size"`, `{"next_page_uri":"/x","page_size"`, 1), 0, "could not be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := twilio.New(good(), reply{status: 200, body: strings.NewReader(tt.body)}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.Find(t.Context(), text(), time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC))
			if (err == nil) != (tt.err == "") || len(found) != tt.want {
				t.Fatalf("found %d, %v", len(found), err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v does not say %q", err, tt.err)
			}
			noSecrets(t, fmt.Sprint(err))
		})
	}
}

func TestFetch(t *testing.T) {
	there := listed(`"body":"x"`)
	for _, tt := range []struct {
		name, sid string
		status    int
		body      string
		state     notify.State
		none      bool // notify.ErrNoSuchText
	}{
		{"there", someSID, 200, there, notify.Sent, false},
		{"a status of the future", someSID, 200, strings.Replace(there, `"sent"`, `"pondered"`, 1), notify.Accepted, false},
		{"not there", someSID, 404, refusal(404, 20404), "", true},
		{"not a name", "../Accounts", 200, there, "", true},
		{"no Twilio there", someSID, 404, "<html>", "", false},
		{"another text", strings.Replace(someSID, "0", "1", 1), 200, there, "", false},
		{"a text to us", someSID, 200, strings.Replace(there, "outbound-api", "inbound", 1), "", false},
		{"any JSON", someSID, 200, "{}", "", false},
		{"redirect", someSID, 302, there, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := twilio.New(good(), reply{status: tt.status, body: strings.NewReader(tt.body)}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Fetch(t.Context(), tt.sid)
			if r.State != tt.state || (err == nil) != (tt.state != "") || errors.Is(err, notify.ErrNoSuchText) != tt.none {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(list(listed(`"body":"Your driver is on the way"`))))
	f.Add([]byte(`{"messages":[{}],"uri":"/Accounts/AC00000000000000000000000000000001/Messages"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := twilio.New(good(), reply{status: 200, body: strings.NewReader(string(body))}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.Find(t.Context(), text(), time.Time{})
		for _, r := range found {
			if r.ProviderID == "" || r.State == "" || r.At.IsZero() && err == nil && !strings.Contains(string(body), "0001") {
				t.Errorf("found %+v", r)
			}
		}
	})
}
