package api

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"
)

// rates count requests per minute, on this node.
type rates struct {
	address *httprate.RateLimiter
	key     *httprate.RateLimiter
}

func newRates(perMinute int) rates {
	return rates{
		address: httprate.NewRateLimiter(perMinute, time.Minute),
		key:     httprate.NewRateLimiter(perMinute, time.Minute),
	}
}

// tooFast answers 429. The limiter has set Retry-After.
func tooFast(who string) *problem {
	return newProblem(http.StatusTooManyRequests, "rate_limited", who+" sends more than its rate allows: wait as Retry-After says")
}

// limitAddress limits by client address, before any key is looked at. Requests whose address can't be told share one limit.
func (s *server) limitAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.rates.address.OnLimit(w, r, ClientAddress(r).String()) {
			writeProblem(w, tooFast("this address"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ClientAddress is who calls, as limits count: of IPv6 the /64, which is what one subscriber has. It is not valid where it
// can't be told, and outside of requests that the handler of New passes on.
func ClientAddress(r *http.Request) netip.Addr {
	from := middleware.GetClientIPAddr(r.Context()).Unmap().WithZone("")
	if from.Is6() {
		return netip.PrefixFrom(from, 64).Masked().Addr()
	}
	return from
}

// clientAddress finds who calls: the peer, or the last address of X-Forwarded-For that is not one of our proxies when the
// peer is one.
func clientAddress(proxies []netip.Prefix) func(http.Handler) http.Handler {
	if len(proxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	trusted := make([]string, len(proxies))
	for i, p := range proxies {
		trusted[i] = p.String()
	}
	return middleware.ClientIPFromXFF(trusted...)
}
