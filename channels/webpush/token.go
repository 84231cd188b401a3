package webpush

import (
	"net/http"
	"sync"
	"time"
)

const (
	// tokenAge is how long a VAPID token is used again. The library makes them good for 12 hours; Apple asks not to come
	// with a new one more than once an hour.
	tokenAge = 4 * time.Hour
	// maxTokens bounds the memory for origins; the push services of this world have a few dozen.
	maxTokens = 512
)

// tokens keeps one Authorization header per origin, the audience that it was signed for.
type tokens struct {
	mu sync.Mutex
	of map[string]token
}

type token struct {
	header string
	made   time.Time
}

// use returns the header to send to an origin: the one in use, or the fresh one, which is kept.
func (t *tokens) use(origin, fresh string, now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kept, ok := t.of[origin]; ok && now.Sub(kept.made).Abs() < tokenAge {
		return kept.header
	}
	if t.of == nil || len(t.of) >= maxTokens {
		t.of = map[string]token{}
	}
	t.of[origin] = token{fresh, now}
	return fresh
}

// forget drops the header of an origin that refused it.
func (t *tokens) forget(origin string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, origin)
}

// exchange is the HTTPClient of one message: it swaps the token and notes whether the library came as far as asking.
type exchange struct {
	sender *Sender
	origin string
	asked  bool
}

// Do sends the request of the library.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	x.asked = true
	x.origin = req.URL.Scheme + "://" + req.URL.Host
	fresh := req.Header.Get("Authorization")
	req.Header.Set("Authorization", x.sender.tokens.use(x.origin, fresh, x.sender.now()))
	return x.sender.client.Do(req)
}
