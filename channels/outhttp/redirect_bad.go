//go:build bad_follow_redirect

package outhttp

import "net/http"

// redirected goes wherever it is told to. The fault-injection harness must find that out.
func redirected(*http.Request, []*http.Request) error { return nil }
