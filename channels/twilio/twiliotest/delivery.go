package twiliotest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is how the status callbacks of a message are made: queued, sent, and delivered or undelivered. The zero value
// makes each once, in this order, at once. Twilio promises neither that they come nor their order.
type Delivery struct {
	Times   int           // how often each is made; 0 is once
	Reverse bool          // the last one first
	Drop    bool          // none is made; the message goes its way all the same
	Early   bool          // all are made before the sender has its answer
	Delay   time.Duration // before the first; messages behind it in the same queue wait too
}

// delivery is one message whose callbacks are to be made.
type delivery struct {
	Delivery
	message Message
	made    chan struct{} // closed when they are
}

// atOnce is closed: nothing is waited for.
var atOnce = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// report makes the callbacks of one message.
func (c *callbacks) report(d delivery) {
	defer close(d.made)
	if !c.sleep(d.Delay) {
		c.dropped.Add(1)
		return
	}
	var late []Message
	for _, status := range []string{"queued", "sent", c.server.end(&d.message)} {
		if c.ctx.Err() != nil {
			c.dropped.Add(1)
			return
		}
		now := c.move(d.message.SID, status)
		if d.Reverse {
			late = append(late, now)
			continue
		}
		c.repeat(d, now)
	}
	for _, now := range slices.Backward(late) {
		c.repeat(d, now)
	}
}

// move gives a message a later status and returns what it is then.
func (c *callbacks) move(sid, status string) Message {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.messages[s.place[sid]]
	s.advance(kept, status)
	return *kept
}

func (c *callbacks) repeat(d delivery, m Message) {
	if d.Drop {
		return
	}
	for range max(d.Times, 1) {
		c.post(m)
	}
}

// sleep is false when the server closes meanwhile.
func (c *callbacks) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// post makes one callback, and makes it again as the options behind the "#" of its address ask.
func (c *callbacks) post(m Message) {
	target, options, _ := strings.Cut(m.StatusCallback, "#")
	form := c.form(m)
	header := callbackHeader(c.server.opt.AuthToken, target, form)
	header.Set("I-Twilio-Idempotency-Token", c.server.sid(""))
	again, on := retries(options)
	for wait := firstWait; ; wait *= 2 {
		_, _, failure := send(c.ctx, c.client, target, form, header)
		if again == 0 || !slices.Contains(on, failure) || !c.sleep(wait) {
			return
		}
		again--
	}
}

// firstWait is the pause before the first repetition of a callback; it doubles. Twilio's own are not documented.
const firstWait = 50 * time.Millisecond

// The failures of a callback that the option rp names.
const (
	noConnection = "ct"
	noAnswer     = "rt"
	clientError  = "4xx"
	serverError  = "5xx"
)

// retries reads the options rc (how often, up to 5) and rp (after what): once when there was no connection, by default.
func retries(options string) (count int, on []string) {
	v, err := url.ParseQuery(options)
	if err != nil {
		v = nil
	}
	count, on = 1, []string{noConnection}
	if n, err := strconv.Atoi(v.Get("rc")); err == nil && n >= 0 && n <= 5 {
		count = n
	}
	if rp := v.Get("rp"); rp == "all" {
		on = []string{noConnection, noAnswer, clientError, serverError}
	} else if rp != "" {
		on = strings.Split(rp, ",")
	}
	return count, on
}

func callbackHeader(authToken, target string, form url.Values) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	h.Set("User-Agent", "TwilioProxy/1.1")
	h.Set("X-Twilio-Signature", Signature(authToken, target, form))
	return h
}

// send makes one request and reads the answer, up to 64 kB. The failure is empty when the status is below 400.
func send(ctx context.Context, client *http.Client, target string, form url.Values, header http.Header) (status int, answer []byte, failure string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, noConnection
	}
	req.Header = header.Clone()
	resp, err := client.Do(req)
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return 0, nil, noConnection
	case err != nil:
		return 0, nil, noAnswer
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxForm))
	_ = resp.Body.Close()
	switch {
	case err != nil:
		failure = noAnswer
	case resp.StatusCode >= 500:
		failure = serverError
	case resp.StatusCode >= 400:
		failure = clientError
	}
	return resp.StatusCode, answer, failure
}
