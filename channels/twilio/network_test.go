package twilio_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// A transport that does not report its connections proves nothing: all its errors are unclear.
func TestSilentTransport(t *testing.T) {
	for _, err := range []error{io.EOF, &net.OpError{Op: "dial", Err: errors.New("x")}, context.DeadlineExceeded} {
		if a := answer(t, reply{err: err}, time.Now()); a.Verdict != notify.Unclear || a.Reason != notify.UnclearEnd {
			t.Errorf("%v: got %+v", err, a)
		}
	}
}

// Where nothing can have been written, the text is safe to send again.
func TestUnreachable(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	secure.StartTLS()
	defer secure.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	for _, tt := range []struct {
		name, base, words string
		time              time.Duration
	}{
		{"refused", closed.URL, "the connection was refused", time.Minute},
		{"no TLS there", "https" + strings.TrimPrefix(plain.URL, "http"), "the TLS handshake failed", time.Minute},
		{"certificate of nobody", secure.URL, "the TLS handshake failed", time.Minute},
		{"TLS without an answer", "https://" + mute.Addr().String(), "no answer in time", 200 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.time)
			defer cancel()
			a := newSender(t, tt.base).Send(ctx, text())
			if a.Verdict != notify.NotTaken || a.Reason != notify.Unreachable || a.Detail != "nothing was sent: "+tt.words {
				t.Errorf("got %+v", a)
			}
			noSecrets(t, a.Detail)
		})
	}
}

func TestNoSuchHost(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "api.twilio.com", IsNotFound: true}
	}
	a := answer(t, &http.Transport{DialContext: dial}, time.Now())
	if a.Verdict != notify.NotTaken || a.Reason != notify.Unreachable || a.Detail != "nothing was sent: the host name was not found" {
		t.Errorf("got %+v", a)
	}
}

// Over HTTP/2 a stream that breaks after the request was read is as unclear as a connection that does.
func TestLostOverHTTP2(t *testing.T) {
	var requests atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.ProtoMajor != 2 {
			t.Errorf("spoken: %s", r.Proto)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	cfg := good()
	cfg.BaseURL = srv.URL
	s, err := twilio.New(cfg, srv.Client().Transport, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // on a new connection, and on one that was used before
		if a := s.Send(t.Context(), text()); a.Verdict != notify.Unclear || a.Reason != notify.UnclearEnd {
			t.Errorf("got %+v", a)
		}
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests for two texts", n)
	}
}

// The same over HTTP/1.1: one request, and unclear, on a new connection and on a kept one.
func TestLost(t *testing.T) {
	sim := twiliotest.New(twiliotest.Options{
		AccountSID: good().AccountSID, APIKey: good().APIKey, APISecret: good().APISecret,
		Faults: func(r twiliotest.Request) twiliotest.Fault {
			return twiliotest.Fault{Kind: []twiliotest.Kind{twiliotest.LateDrop, twiliotest.None, twiliotest.LateDrop}[r.N-1]}
		},
	})
	defer sim.Close()
	base, err := sim.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSender(t, base)
	for i, want := range []notify.Verdict{notify.Unclear, notify.Took, notify.Unclear} {
		if a := s.Send(t.Context(), text()); a.Verdict != want {
			t.Errorf("text %d: got %+v, want %s", i, a, want)
		}
		if n := sim.Requests(); n != i+1 {
			t.Errorf("%d requests after %d texts", n, i+1)
		}
	}
}
