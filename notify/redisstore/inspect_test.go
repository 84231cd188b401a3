package redisstore_test

import (
	"strings"
	"testing"

	"onmyway/notify/redisstore"
)

// TestInspect asks a server of its own for what doctor wants to know. miniredis tells nothing of itself.
func TestInspect(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, redisstore.Config{URL: url, Timeout: patient})
		seen, err := s.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !seen.MayPublish || seen.RoundTrip <= 0 {
			t.Errorf("saw %+v", seen)
		}
		if strings.HasSuffix(url, "/11") && (seen.Version == "" || seen.Role != "master" || seen.Policy == "" || seen.UsedMemory == 0) {
			t.Errorf("of a real server it saw only %+v", seen)
		}
	})
}
