package notifytest

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/notify"
)

type senderTest struct {
	newSender func(t *testing.T, url string) notify.Sender
}

// fakeProvider is a server that counts what reaches it. quit is closed before it waits for its handlers.
type fakeProvider struct {
	url      string
	requests atomic.Int64
	quit     chan struct{}
}

func (st senderTest) provider(t *testing.T, h func(*fakeProvider, http.ResponseWriter, *http.Request)) (*fakeProvider, notify.Sender) {
	p := &fakeProvider{quit: make(chan struct{})}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice a client that hangs up
		h(p, w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(func() { close(p.quit); srv.Close() })
	p.url = srv.URL
	return p, st.newSender(t, srv.URL)
}

// sayYes answers as a provider that took the message.
func sayYes(_ *fakeProvider, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Location", "/m/SM00000000000000000000000000000001")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"sid":"SM00000000000000000000000000000001","status":"queued","error_code":null}`)
}

// sayNothing answers nothing until the client has gone or the test is over.
func sayNothing(p *fakeProvider, _ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-p.quit:
	}
}

// hangUp closes the connection after the whole request was read.
func hangUp(*fakeProvider, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// senderMessage makes the n-th message: good for an hour from now.
func senderMessage(n int) *notify.Message {
	now := time.Now()
	address := fmt.Sprintf("+1415555%04d", n)
	return &notify.Message{
		ID: notify.NewID(now, "sendertest", address), EventID: notify.NewID(now, "event"),
		OrderID: "CH-1001", CustomerID: "c-42", Line: notify.CarHaul, Milestone: "driver_en_route_to_pickup",
		Address: address, Title: "Your driver is on the way", Body: "Sam picks up your 2021 Honda Civic at 14:30.",
		Locale: "en", Urgency: notify.High, State: notify.Sending, Attempt: 1,
		OccurredAt: now, CreatedAt: now, DueAt: now, UpdatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

func (p *fakeProvider) want(t *testing.T, requests int64) {
	t.Helper()
	if got := p.requests.Load(); got != requests {
		t.Errorf("the provider saw %d requests, want %d", got, requests)
	}
}
