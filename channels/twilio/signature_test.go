package twilio

import (
	"net/url"
	"testing"
)

// The vectors of Twilio's documentation and of its own helper library, signed with the token "12345".
func TestPublishedSignatures(t *testing.T) {
	const target = "/myapp.php?foo=1&bar=2"
	documented := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"},
		"To": {"+18005551212"},
	}
	library := url.Values{"ReasonConferenceEnded": {"test"}, "Reason": {"Participant"}}
	for name, value := range documented {
		library[name] = value
	}
	for _, tt := range []struct {
		name, public, signature string
		form                    url.Values
		ok                      bool
	}{
		{"documented", "https://mycompany.com", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", documented, true},
		{"documented, with the port", "https://mycompany.com", "kvajT1Ptam85bY51eRf/AJRuM3w=", documented, true},
		{"the library's", "https://mycompany.com", "vOEb5UThFn24KEfnOFLQY2AE5FY=", library, true},
		{"the library's, with another port", "https://mycompany.com:1234", "vOEb5UThFn24KEfnOFLQY2AE5FY=", library, true},
		{"the library's, over http", "http://mycompany.com", "n2xBNyzSW7rfYStDtOFiFMv7qNo=", library, true},
		{"in a wrong order", "https://mycompany.com", "95+Bu0JVPi0r/SsESZCVf0dWAjw=", library, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSignatures(Config{AuthToken: "12345", PublicURL: tt.public})
			if got := s.valid(target, tt.form, tt.signature); got != tt.ok {
				t.Errorf("got %t", got)
			}
		})
	}
	json := []byte(`{"property": "value", "boolean": true}`)
	query := url.Values{"bodySHA256": {"0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"}}
	s := newSignatures(Config{AuthToken: "12345", PublicURL: "https://mycompany.com"})
	if !s.valid(target+"&"+query.Encode(), nil, "a9nBmqA0ju/hNViExpshrM61xv4=") || !hashed(query, json) || hashed(query, nil) {
		t.Error("the library's signature of JSON")
	}
}
