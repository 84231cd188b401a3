package notify_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// doubts are the unclear texts of a test, and what the provider says of them.
type doubts struct {
	mu      sync.Mutex
	open    []notify.Doubt
	due     map[notify.ID]time.Time
	taken   []string
	found   []notify.Report
	refuse  error
	takes   time.Duration // of an answer
	asked   int
	settled []notify.Settlement
}

func (d *doubts) Doubts(_ context.Context, now, next time.Time, limit int) (list []notify.Doubt, err error) {
	for _, u := range d.open {
		if len(list) < limit && !d.due[u.ID].After(now) {
			list = append(list, u)
			d.due[u.ID] = next
		}
	}
	return list, nil
}

func (d *doubts) Taken(_ context.Context, ids []string, dst []bool) error {
	for i, id := range ids {
		dst[i] = slices.Contains(d.taken, id)
	}
	return nil
}

func (d *doubts) Settle(_ context.Context, _ time.Time, done []notify.Settlement) error {
	for _, s := range done {
		d.settled = append(d.settled, s)
		d.taken = append(d.taken, s.ProviderID)
		d.open = slices.DeleteFunc(d.open, func(u notify.Doubt) bool { return u.ID == s.Message })
	}
	return nil
}

func (d *doubts) Find(_ context.Context, m *notify.Message, since time.Time) ([]notify.Report, error) {
	time.Sleep(d.takes)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if since.After(m.CreatedAt.Add(-time.Minute)) {
		return nil, errors.New("asked for too short a time")
	}
	return d.found, d.refuse
}

func (d *doubts) Fetch(context.Context, string) (notify.Report, error) { return notify.Report{}, nil }

// TestSettle lets time pass over one unclear text.
func TestSettle(t *testing.T) {
	has := notify.Report{ProviderID: "SM1", State: notify.Delivered}
	for _, test := range []struct {
		name   string
		set    func(d *doubts, r *notify.Rules)
		after  time.Duration
		want   notify.State // empty: still in verify
		wantID string
	}{
		{"the provider has it", func(d *doubts, _ *notify.Rules) { d.found = []notify.Report{has} }, 5 * time.Second, notify.Delivered, "SM1"},
		{"the provider has the same words twice", func(d *doubts, _ *notify.Rules) {
			d.found, d.taken = []notify.Report{{ProviderID: "SM2", State: notify.Sent}, has}, []string{"SM1"}
		}, 5 * time.Second, notify.Sent, "SM2"},
		{"what it has belongs to another", func(d *doubts, _ *notify.Rules) { d.found, d.taken = []notify.Report{has}, []string{"SM1"} }, 30 * time.Second, "", ""},
		{"absent, too early to believe", func(*doubts, *notify.Rules) {}, 55 * time.Second, "", ""},
		{"absent", func(*doubts, *notify.Rules) {}, 80 * time.Second, notify.Pending, ""},
		{"it can't be asked", func(d *doubts, _ *notify.Rules) { d.refuse = errors.New("503") }, 14 * time.Minute, "", ""},
		{"it can't be asked for long", func(d *doubts, _ *notify.Rules) { d.refuse = errors.New("503") }, 16 * time.Minute, notify.Unknown, ""},
		{"it can't be asked, and the route sends again", func(d *doubts, r *notify.Rules) {
			d.refuse = errors.New("503")
			r.Routes[notify.MilestoneOf(notify.CarHaul, "driver_arriving_pickup")].ResendUnclear = true
		}, 16 * time.Minute, notify.Pending, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				r := rules(t)
				u := notify.Doubt{Since: now, Message: notify.Message{ID: notify.NewID(now, "1"), Line: notify.CarHaul,
					Milestone: "driver_arriving_pickup", Channel: notify.SMS, Attempt: 2, CreatedAt: now, State: notify.Verify, Reason: notify.OwnerDied}}
				d := &doubts{open: []notify.Doubt{u}, due: map[notify.ID]time.Time{}}
				test.set(d, r)
				runSettler(t, d, r, test.after)
				if test.want == "" {
					if len(d.settled) != 0 {
						t.Fatalf("settled as %s after %s", d.settled[0].State, test.after)
					}
					return
				}
				if len(d.settled) != 1 {
					t.Fatalf("settled %d times", len(d.settled))
				}
				got := d.settled[0]
				want := notify.Settlement{Message: u.ID, Attempt: 2, State: test.want, ProviderID: test.wantID}
				if diff := cmp.Diff([]any{want.Message, want.Attempt, want.State, want.ProviderID}, []any{got.Message, got.Attempt, got.State, got.ProviderID}); diff != "" {
					t.Error(diff)
				}
				if limit := int(test.after/(15*time.Second)) + 1; d.asked > limit {
					t.Errorf("the provider was asked %d times in %s", d.asked, test.after)
				}
			})
		})
	}
}

// TestSettleTwins has two unclear texts with the same words for one number, of which the provider has one.
func TestSettleTwins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		d := &doubts{due: map[notify.ID]time.Time{}, found: []notify.Report{{ProviderID: "SM1", State: notify.Accepted}}}
		for _, key := range []string{"1", "2"} {
			d.open = append(d.open, notify.Doubt{Since: now, Message: notify.Message{ID: notify.NewID(now, key), Channel: notify.SMS, Attempt: 1, CreatedAt: now}})
			d.due[d.open[len(d.open)-1].ID] = now.Add(time.Duration(len(d.open)) * 5 * time.Second) // one after the other
		}
		runSettler(t, d, rules(t), 2*time.Minute)
		if len(d.settled) != 2 || d.settled[0].State != notify.Accepted || d.settled[1].State != notify.Pending {
			t.Errorf("settled as %+v, want one accepted and one pending", d.settled)
		}
	})
}

// TestSettleMany has more unclear texts than can be asked about before the first of them is due again, as after many kills.
func TestSettleMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		d := &doubts{due: map[notify.ID]time.Time{}, takes: 100 * time.Millisecond}
		for n := range 3000 {
			d.open = append(d.open, notify.Doubt{Since: now, Message: notify.Message{
				ID: notify.NewID(now, strconv.Itoa(n)), Channel: notify.SMS, Attempt: 1, CreatedAt: now}})
		}
		runSettler(t, d, rules(t), 5*time.Minute)
		if len(d.open) > 0 || len(d.settled) != 3000 {
			t.Errorf("%d of 3000 texts that the provider does not have are still unclear after 5 minutes", len(d.open))
		}
	})
}

func runSettler(t *testing.T, d *doubts, r *notify.Rules, d2 time.Duration) {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := &notify.Settler{
		Store: d, Finder: d, Rules: inForce(r), Grace: time.Minute, UnknownAfter: 15 * time.Minute, Now: time.Now,
		SQL: &notify.Outage{Engine: "SQL", Log: quiet}, Provider: &notify.Outage{Engine: "provider", Log: quiet},
	}
	ctx, cancel := context.WithTimeout(t.Context(), d2)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestOutranks(t *testing.T) {
	order := []notify.State{notify.Pending, notify.Accepted, notify.Sent, notify.Delivered}
	for i, low := range order {
		for j, high := range order {
			if got := high.Outranks(low); got != (j > i) {
				t.Errorf("%s outranks %s: %v", high, low, got)
			}
		}
	}
	for _, end := range []notify.State{notify.Delivered, notify.Undelivered, notify.Failed} {
		if notify.Delivered.Outranks(end) || !end.Outranks(notify.Sent) {
			t.Errorf("the first end is the end: %s", end)
		}
	}
}
