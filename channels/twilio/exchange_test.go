package twilio

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type counter int

func (c *counter) RoundTrip(*http.Request) (*http.Response, error) {
	*c++
	return &http.Response{StatusCode: http.StatusUnauthorized, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// The generated client sends some requests again by itself: one exchange lets one through.
func TestExchangeRefusesSecondRequest(t *testing.T) {
	var sent counter
	x := &exchange{ctx: t.Context(), next: &sent, base: &url.URL{Scheme: "https", Host: "api.example.com"}}
	for i, want := range []error{nil, errSecondRequest, errSecondRequest} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.twilio.com/x", strings.NewReader("To=1"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := x.RoundTrip(req)
		if !errors.Is(err, want) {
			t.Errorf("request %d: %v", i, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
	if sent != 1 || x.status != http.StatusUnauthorized {
		t.Errorf("%d requests left, status %d", sent, x.status)
	}
}
