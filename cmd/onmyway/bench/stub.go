package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

type stubTask struct{ Delay time.Duration }

type stubAnswer struct{ URL string }

// counts is what a stub was asked for since the last time it was asked for them.
type counts struct {
	Texts, Numbers  int // requests, and different numbers among them
	Pushes, Devices int // the same of pushes and their endpoints
	First, Last     time.Time
}

// stub plays the SMS provider and the push service: it takes everything, answers as they do, and counts. It checks little,
// because its processor time is the product's loss.
type stub struct {
	delay time.Duration

	mu      sync.Mutex
	numbers map[string]int
	devices map[string]int
	counts  counts
}

// runStub is the part that plays providers. It says its counts whenever it is told anything.
func runStub(ctx context.Context, l *line) error {
	var task stubTask
	l.hear(&task)
	s := &stub{delay: task.Delay}
	s.take()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", s.text)
	mux.HandleFunc("POST /push/{device}", s.push)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	var g errgroup.Group
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	err = l.say(stubAnswer{"http://" + listener.Addr().String()})
	for word := ""; err == nil && l.hear(&word); {
		err = l.say(s.take())
	}
	_ = server.Close()
	return errors.Join(err, g.Wait())
}

// take returns the counts and begins anew.
func (s *stub) take() counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Numbers, c.Devices = len(s.numbers), len(s.devices)
	s.counts, s.numbers, s.devices = counts{}, map[string]int{}, map[string]int{}
	return c
}

func (s *stub) note(of *int, who map[string]int, name string) {
	now := time.Now()
	*of++
	who[name]++
	if s.counts.First.IsZero() {
		s.counts.First = now
	}
	s.counts.Last = now
}

// text takes a text, as Twilio does.
func (s *stub) text(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	form, parsed := url.ParseQuery(string(body))
	if err != nil || parsed != nil || form.Get("To") == "" || form.Get("Body") == "" {
		http.Error(w, `{"code":21604,"message":"A 'To' phone number is required","status":400}`, http.StatusBadRequest)
		return
	}
	time.Sleep(s.delay)
	s.mu.Lock()
	s.note(&s.counts.Texts, s.numbers, form.Get("To"))
	s.mu.Unlock()
	var sid [16]byte
	_, _ = rand.Read(sid[:]) // never fails
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"sid":"SM%s","status":"queued","error_code":null,"num_segments":"1","direction":"outbound-api"}`, hex.EncodeToString(sid[:]))
}

// push takes a push message, as a push service does.
func (s *stub) push(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, 8<<10))
	if err != nil || n == 0 || r.Header.Get("Content-Encoding") != "aes128gcm" || !strings.HasPrefix(r.Header.Get("Authorization"), "vapid ") {
		http.Error(w, "not a push message", http.StatusBadRequest)
		return
	}
	time.Sleep(s.delay)
	s.mu.Lock()
	s.note(&s.counts.Pushes, s.devices, r.PathValue("device"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}
