package webpush

import (
	"net/url"
	"sync"
	"time"

	"onmyway/notify"
)

const (
	// maxOrigins bounds the memory for breakers; the push services of this world have a few dozen origins.
	maxOrigins = 512
	// skipAtLeast is how long a message waits at least that its push service was not asked about: a probe of it is under way,
	// perhaps, and whoever asks again at once asks in vain.
	skipAtLeast = time.Second
)

// origins keeps one breaker per push service, so that one that is down delays no other. A push service that refuses our VAPID
// keys is left alone like one that is down.
type origins struct {
	share float64 // as in notify.NewBreaker

	mu       sync.Mutex
	breakers map[string]*notify.Breaker
}

// of gives the breaker of an endpoint's push service. When there are too many, the ones that have nothing to tell are forgotten,
// and if all have, one of them.
func (o *origins) of(endpoint string) *notify.Breaker {
	if o.share <= 0 {
		return nil
	}
	origin := originOf(endpoint)
	o.mu.Lock()
	defer o.mu.Unlock()
	if b := o.breakers[origin]; b != nil {
		return b
	}
	if len(o.breakers) >= maxOrigins {
		o.forget()
	}
	if o.breakers == nil {
		o.breakers = map[string]*notify.Breaker{}
	}
	b := notify.NewBreaker(o.share)
	o.breakers[origin] = b
	return b
}

func (o *origins) forget() {
	var last string
	for origin, b := range o.breakers {
		if last = origin; b.Until().IsZero() {
			delete(o.breakers, origin)
		}
	}
	if len(o.breakers) >= maxOrigins {
		delete(o.breakers, last)
	}
}

// open counts the push services that are left alone.
func (o *origins) open(now time.Time) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, b := range o.breakers {
		if b.LeftAlone(now) {
			n++
		}
	}
	return n
}

func originOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "" // CheckSubscription has refused it
	}
	return u.Scheme + "://" + u.Host
}

// skipped is the answer about a push service that is left alone.
func skipped(b *notify.Breaker, now time.Time) notify.Answer {
	return notify.Answer{
		Verdict: notify.NotTaken, Reason: notify.ProviderDown, Skipped: true, RetryAfter: max(b.Until().Sub(now), skipAtLeast),
		Detail: "the push service fails and is left alone for a while",
	}
}
