package notify_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
)

// silence is texts without an end, and a provider that is asked about them.
type silence struct {
	due      []notify.Message
	answers  map[string]notify.Report
	refuse   error
	reported []notify.Report
}

func (s *silence) Silent(_ context.Context, _ time.Time, limit int) ([]notify.Message, error) {
	n := min(limit, len(s.due))
	list := s.due[:n]
	s.due = s.due[n:]
	return list, nil
}

func (s *silence) Report(_ context.Context, _ time.Time, r notify.Report) error {
	s.reported = append(s.reported, r)
	return nil
}

func (s *silence) Find(context.Context, *notify.Message, time.Time) ([]notify.Report, error) {
	return nil, nil
}

func (s *silence) Fetch(_ context.Context, id string) (notify.Report, error) {
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
		runPoller(t, s)
		if len(s.reported) != 150 {
			t.Fatalf("%d reports, want 150", len(s.reported))
		}
		if r := s.reported[0]; r.State != notify.Delivered || r.ProviderID != "SM1" || r.Attempt != 2 || r.Message.IsZero() {
			t.Errorf("the report is %+v", r)
		}
	})
}

func TestPollerWithoutProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silence{due: []notify.Message{{ProviderID: "SM1"}}, refuse: errors.New("503")}
		runPoller(t, s)
		if len(s.reported) != 0 {
			t.Errorf("reported %+v although the provider said nothing", s.reported)
		}
	})
}

func runPoller(t *testing.T, s *silence) {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	p := &notify.Poller{Store: s, Finder: s, Now: time.Now,
		SQL: &notify.Outage{Engine: "SQL", Log: quiet}, Provider: &notify.Outage{Engine: "provider", Log: quiet}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
}
