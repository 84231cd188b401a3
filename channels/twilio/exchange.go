package twilio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// maxAnswer bounds what is read of an answer, in bytes. Twilio's own are about 1 kB.
const maxAnswer = 1 << 20

var errSecondRequest = errors.New("a second request for one message was refused")

// exchange is the one HTTP exchange of one Send. It stands between Twilio's generated client and the network, and gives
// the client what it lacks: a context, another host, a bound on answers, and a record of how far the request came.
type exchange struct {
	ctx  context.Context // of this Send: the generated client has no parameter for it
	next http.RoundTripper
	base *url.URL

	used   bool        // RoundTrip was called: it never passes a second request on
	handed bool        // the request went to next
	asked  atomic.Bool // next began to look for a connection
	got    atomic.Bool // next had a connection: bytes may have left

	status  int // 0: no answer came
	header  http.Header
	body    []byte // of the answer, up to maxAnswer
	readErr error  // why body ends before the answer does
}

// RoundTrip passes the request on, once, and reads the whole answer: the generated client does not close the bodies of
// errors, and each of them would hold a connection.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	if x.used {
		return nil, errSecondRequest
	}
	x.used = true
	if err := x.ctx.Err(); err != nil {
		return nil, err
	}
	x.handed = true
	resp, err := x.next.RoundTrip(x.rewrite(req))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status, x.header = resp.StatusCode, resp.Header
	x.body, x.readErr = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	resp.Body = io.NopCloser(bytes.NewReader(x.body))
	return resp, nil
}

// rewrite makes the request that leaves. It carries no Idempotency-Key: Twilio ignores it, and net/http would take it as
// leave to send the request again when a kept connection breaks.
func (x *exchange) rewrite(req *http.Request) *http.Request {
	out := req.Clone(httptrace.WithClientTrace(x.ctx, x.trace()))
	out.URL.Scheme, out.URL.Host = x.base.Scheme, x.base.Host
	out.URL.Path = strings.TrimSuffix(x.base.Path, "/") + out.URL.Path
	out.Host = x.base.Host
	return out
}

// trace follows the request up to the connection. The later steps (WroteHeaders, WroteRequest) are of no use: they are
// reported by another goroutine, so that a canceled request may be seen as not written and still be on its way.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			x.asked.Store(true)
			// net/http looks for another connection only when the first took no byte of this request.
			x.got.Store(false)
		},
		GotConn: func(httptrace.GotConnInfo) { x.got.Store(true) },
	}
}

// unsent tells that no byte can have reached Twilio. A transport that reports nothing proves nothing.
func (x *exchange) unsent() bool {
	return !x.handed || x.asked.Load() && !x.got.Load()
}
