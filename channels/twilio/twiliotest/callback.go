package twiliotest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the callbacks. Twilio promises them as best effort, so what finds a full queue is dropped and counted.
const (
	callbackWorkers = 8
	callbackQueue   = 4096 // messages per worker
	callbackTimeout = 15 * time.Second
)

// callbacks reports on messages: one worker has all statuses of a message.
type callbacks struct {
	server  *Server
	client  *http.Client
	ctx     context.Context // of the workers
	cancel  context.CancelFunc
	queues  [callbackWorkers]chan delivery
	stopped bool // guarded by server.mu: nothing is put any more
	workers sync.WaitGroup
	dropped atomic.Int64
}

func startCallbacks(s *Server) *callbacks {
	c := &callbacks{server: s, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: callbackWorkers, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       callbackTimeout,
	}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for i := range c.queues {
		c.queues[i] = make(chan delivery, callbackQueue)
		c.workers.Go(func() {
			for d := range c.queues[i] {
				c.report(d)
			}
		})
	}
	return c
}

// put takes a message on. Its sender may have the answer when the channel is closed. The caller holds server.mu.
func (c *callbacks) put(m Message) <-chan struct{} {
	if c.stopped {
		c.dropped.Add(1)
		return atOnce
	}
	d := delivery{message: m, made: make(chan struct{})}
	if c.server.opt.Delivery != nil {
		d.Delivery = c.server.opt.Delivery(m)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.SID))
	select {
	case c.queues[h.Sum32()%callbackWorkers] <- d:
	default:
		c.dropped.Add(1)
		return atOnce
	}
	if d.Early {
		return d.made
	}
	return atOnce
}

// close lets the workers finish what is queued until ctx ends, and waits for them.
func (c *callbacks) close(ctx context.Context) {
	c.server.mu.Lock()
	c.stopped = true
	for _, q := range c.queues {
		close(q)
	}
	c.server.mu.Unlock()
	stop := context.AfterFunc(ctx, c.cancel)
	c.workers.Wait()
	stop()
	c.cancel()
	c.client.CloseIdleConnections()
}

// DroppedCallbacks tells how many messages got no callbacks because the queue was full or the server closed.
func (s *Server) DroppedCallbacks() int64 {
	if s.callbacks == nil {
		return 0
	}
	return s.callbacks.dropped.Load()
}

func (c *callbacks) form(m Message) url.Values {
	v := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "MessageStatus": {m.Status}, "SmsStatus": {m.Status},
		"To": {m.To}, "From": {m.From}, "AccountSid": {c.server.opt.AccountSID}, "ApiVersion": {"2010-04-01"},
	}
	if m.MessagingServiceSID != "" {
		v.Set("MessagingServiceSid", m.MessagingServiceSID)
	}
	if m.ErrorCode != 0 {
		v.Set("ErrorCode", strconv.Itoa(m.ErrorCode))
	}
	return v
}

// Signature is X-Twilio-Signature (twilio.com/docs/usage/webhooks/webhooks-security): HMAC-SHA1, keyed by the auth token, of
// the URL and then every parameter's name and value, sorted by name, of several values each different one; in base64.
func Signature(authToken, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(authToken))
	_, _ = io.WriteString(mac, target)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			_, _ = io.WriteString(mac, name+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
