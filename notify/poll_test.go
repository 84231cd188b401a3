package notify_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

// silence is texts without an end, and a provider that is asked about them.
type silence struct {
	mu       sync.Mutex
	due      []notify.Message
	answers  map[string]notify.Report
	refuse   error         // the provider's answer
	full     error         // SQL's answer to a report
	takes    time.Duration // to answer
	asked    int
	reported []notify.Report
	unasked  []notify.Message
	next     time.Time // that of the last Unasked
}

func (s *silence) Silent(_ context.Context, _ time.Time, limit int) ([]notify.Message, error) {
	n := min(limit, len(s.due))
	list := s.due[:n]
	s.due = s.due[n:]
	return list, nil
}

func (s *silence) Unasked(ctx context.Context, next time.Time, ms []notify.Message) error {
	s.unasked, s.next = append(s.unasked, ms...), next
	return ctx.Err()
}

func (s *silence) Report(_ context.Context, _ time.Time, r notify.Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		return s.full
	}
	s.reported = append(s.reported, r)
	return nil
}

func (s *silence) Find(context.Context, *notify.Message, time.Time) ([]notify.Report, error) {
	return nil, nil
}

func (s *silence) Fetch(ctx context.Context, id string) (notify.Report, error) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return notify.Report{}, ctx.Err()
	}
	if s.refuse != nil {
		return notify.Report{}, s.refuse
	}
	r, ok := s.answers[id]
	if !ok {
		return notify.Report{}, notify.ErrNoSuchText
	}
	return r, nil
}

func TestPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silence{answers: map[string]notify.Report{"SM1": {State: notify.Delivered}}}
		for i := range 150 { // more than a batch
			s.due = append(s.due, notify.Message{ID: notify.NewID(time.Now(), string(rune(i))), Attempt: 2, ProviderID: "SM1"})
		}
		s.due = append(s.due, notify.Message{ProviderID: "SM-unknown"})
		runPoller(t, s, time.Second)
		if len(s.reported) != 150 || len(s.unasked) != 0 {
			t.Fatalf("%d reports, want 150", len(s.reported))
		}
		if r := s.reported[0]; r.State != notify.Delivered || r.ProviderID != "SM1" || r.Attempt != 2 || r.Message.IsZero() {
			t.Errorf("the report is %+v", r)
		}
	})
}

func TestPollerWithoutProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := silent(100)
		s.refuse = errors.New("503")
		failures := runPoller(t, s, time.Second)
		if len(s.reported) != 0 {
			t.Errorf("reported %+v although the provider said nothing", s.reported)
		}
		if s.asked > 20 || failures["provider"] != s.asked {
			t.Errorf("asked %d times with %v: the round has to end soon", s.asked, failures)
		}
		if len(s.unasked) != 100 || time.Until(s.next) < time.Minute {
			t.Errorf("%d texts come again, at %v: a provider that fails costs no look", len(s.unasked), s.next)
		}
	})
}

// Nobody waits for a round whose provider takes its time: the questions go side by side.
func TestPollerAsksSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := silent(40)
		s.takes = time.Second
		runPoller(t, s, 11*time.Second)
		if len(s.reported) != 40 {
			t.Errorf("%d of 40 answers in 11 seconds", len(s.reported))
		}
	})
}

// Who stops in the middle of a question has learned nothing of the provider, and nothing of the text.
func TestPollerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := silent(10)
		s.takes = 8 * time.Second
		failures := runPoller(t, s, time.Second)
		if len(failures) != 0 {
			t.Errorf("failures %v", failures)
		}
		if len(s.unasked) != 10 {
			t.Errorf("%d texts come again, want all", len(s.unasked))
		}
	})
}

func TestPollerWithoutSQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := silent(10)
		s.full = errors.New("away")
		failures := runPoller(t, s, time.Second)
		if failures["SQL"] == 0 || failures["provider"] != 0 || len(s.unasked) != 10 {
			t.Errorf("failures %v, %d texts come again", failures, len(s.unasked))
		}
	})
}

// silent are texts that the provider knows.
func silent(n int) *silence {
	s := &silence{answers: map[string]notify.Report{"SM1": {State: notify.Delivered}}}
	for i := range n {
		s.due = append(s.due, notify.Message{ID: notify.NewID(time.Now(), string(rune(i))), Attempt: 1, ProviderID: "SM1"})
	}
	return s
}

// runPoller runs it for a while and counts what it calls failures, by engine.
func runPoller(t *testing.T, s *silence, d time.Duration) (failures map[string]int) {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	failures = map[string]int{}
	var mu sync.Mutex
	hooks := &notify.Hooks{Retrying: func(engine string, _ error) {
		mu.Lock()
		defer mu.Unlock()
		failures[engine]++
	}}
	p := &notify.Poller{Store: s, Finder: s, Now: time.Now,
		SQL: &notify.Outage{Engine: "SQL", Log: quiet, Hooks: hooks}, Provider: &notify.Outage{Engine: "provider", Log: quiet, Hooks: hooks}}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return failures
}
