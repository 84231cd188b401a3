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
	"strings"
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

// callbacks reports on messages: one worker has all statuses of a message, so that they leave in order.
type callbacks struct {
	server  *Server
	client  *http.Client
	ctx     context.Context // of the workers
	cancel  context.CancelFunc
	queues  [callbackWorkers]chan Message
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
		c.queues[i] = make(chan Message, callbackQueue)
		c.workers.Go(func() {
			for m := range c.queues[i] {
				c.report(m)
			}
		})
	}
	return c
}

// put takes a message on. The caller holds server.mu.
func (c *callbacks) put(m Message) {
	if c.stopped {
		c.dropped.Add(1)
		return
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.SID))
	select {
	case c.queues[h.Sum32()%callbackWorkers] <- m:
	default:
		c.dropped.Add(1)
	}
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

// report makes the callbacks of one message: queued, sent, and the last.
func (c *callbacks) report(m Message) {
	for _, status := range []string{"queued", "sent", c.server.end(&m)} {
		if c.ctx.Err() != nil {
			c.dropped.Add(1)
			return
		}
		c.server.mu.Lock()
		kept := c.server.messages[c.server.place[m.SID]]
		c.server.advance(kept, status)
		now := *kept
		c.server.mu.Unlock()
		c.post(now)
	}
}

// post makes one callback. An answer other than 2xx changes nothing, as at Twilio.
func (c *callbacks) post(m Message) {
	target, _, _ := strings.Cut(m.StatusCallback, "#") // the fragment holds options for Twilio
	form := c.form(m)
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		c.dropped.Add(1)
		return
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("X-Twilio-Signature", Signature(c.server.opt.AuthToken, target, form))
	req.Header.Set("I-Twilio-Idempotency-Token", c.server.sid(""))
	resp, err := c.client.Do(req)
	if err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxForm)
	_ = resp.Body.Close()
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
// the URL and then every parameter's name and value, sorted by name; in base64.
func Signature(authToken, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(authToken))
	_, _ = io.WriteString(mac, target)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
