//go:build !bad_follow_redirect

package outhttp

import "net/http"

// redirected makes a redirect the answer that it is: it may lead anywhere, with our credentials.
func redirected(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
