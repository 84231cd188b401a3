package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// screenFirst are rules whose texts wait for a screen, whatever the order of the channels.
func screenFirst(t *testing.T, after time.Duration, channels ...notify.Channel) *notify.Rules {
	t.Helper()
	r := rules(t)
	var err error
	r.Routes, err = notify.CompileRoutes([]notify.Route{
		{Name: "told", Channels: channels, SMS: notify.Escalation{After: after, Unless: notify.UnlessShown}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestATextWaitsForAScreen(t *testing.T) {
	ways := [][]notify.Channel{
		{notify.WebSocket, notify.Push, notify.SMS}, {notify.SMS, notify.Push, notify.WebSocket}, {notify.Push, notify.SMS, notify.WebSocket},
	}
	browser := []notify.Subscription{{ID: "a"}}
	night := &notify.QuietHours{Start: 18 * 60, End: 20 * 60} // an hour is left of it
	for _, tt := range []struct {
		name   string
		after  time.Duration
		change func(p *notify.Profile, r *notify.Rules)
		due    time.Time // of the text
		reason notify.Reason
	}{
		{"no screen", 20 * time.Second, func(*notify.Profile, *notify.Rules) {}, noon, ""},
		{"an alert", 20 * time.Second, func(p *notify.Profile, _ *notify.Rules) { p.Subscriptions = browser }, noon.Add(20 * time.Second), notify.ScreenFirst},
		{"an open page", 20 * time.Second, func(p *notify.Profile, _ *notify.Rules) { p.Present = true }, noon.Add(20 * time.Second), notify.ScreenFirst},
		{"both", time.Minute, func(p *notify.Profile, _ *notify.Rules) { p.Present, p.Subscriptions = true, browser }, noon.Add(time.Minute), notify.ScreenFirst},
		{"an open page that may not show it", 20 * time.Second, func(p *notify.Profile, _ *notify.Rules) {
			p.Present, p.Preferences.Channels = true, map[notify.Channel]bool{notify.WebSocket: false}
		}, noon, ""},
		{"a browser whose alerts are off", 20 * time.Second, func(p *notify.Profile, _ *notify.Rules) {
			p.Subscriptions, p.Preferences.Channels = browser, map[notify.Channel]bool{notify.Push: false}
		}, noon, ""},
		{"a browser, and push is not set up", 20 * time.Second, func(p *notify.Profile, r *notify.Rules) {
			p.Subscriptions, r.Channels = browser, map[notify.Channel]bool{notify.SMS: true, notify.WebSocket: true}
		}, noon, ""},
		{"quiet hours", 20 * time.Second, func(p *notify.Profile, _ *notify.Rules) {
			p.Subscriptions, p.Preferences.Quiet, p.TimeZone = browser, night, "UTC"
		}, noon.Add(time.Hour + 20*time.Second), notify.ScreenFirst},
		{"quiet hours, no screen", 20 * time.Second, func(p *notify.Profile, _ *notify.Rules) {
			p.Preferences.Quiet, p.TimeZone = night, "UTC"
		}, noon.Add(time.Hour), notify.Quiet},
		{"it would be too late", 10 * time.Minute, func(p *notify.Profile, _ *notify.Rules) { p.Present = true }, noon, ""},
	} {
		for _, channels := range ways {
			t.Run(fmt.Sprint(tt.name, " ", channels), func(t *testing.T) {
				e := event(1, noon)
				e.Customer = nil
				e.Milestone = notify.MilestoneOf(notify.CarHaul, "picked_up") // true for 12 hours
				if tt.after == 10*time.Minute {
					e.OccurredAt = noon.Add(10*time.Minute - e.Milestone.Validity) // true until the text would leave
				}
				p := notify.Profile{Customer: notify.Customer{ID: e.CustomerID, Contact: notify.Contact{Phone: "+14155550123"}}}
				r := screenFirst(t, tt.after, channels...)
				tt.change(&p, r)
				var d notify.Decision
				notify.Decide(&e, &notify.Head{}, &p, r, noon, &d)
				for _, m := range d.Messages {
					if m.Channel == notify.SMS {
						if !m.DueAt.Equal(tt.due) || m.Reason != tt.reason || m.State != notify.Pending || !m.UnlessShown {
							t.Errorf("the text is %s (%q), due %s, unless shown: %v; want pending (%q), due %s, unless shown",
								m.State, m.Reason, m.DueAt, m.UnlessShown, tt.reason, tt.due)
						}
						return
					}
				}
				t.Errorf("no text, not sent: %v", d.Stored.NotSent)
			})
		}
	}
}

// watched is a rig whose SQL can be taken away.
type watched struct {
	*rig
	down atomic.Bool
}

// The whole way: when a text leaves, and what spares it.
func TestShownSparesTheText(t *testing.T) {
	screen := func(at time.Duration, customer string) func(r *watched, since time.Duration, e *notify.Event) {
		return func(r *watched, since time.Duration, e *notify.Event) {
			if since == at {
				r.screens.Add(notify.Shown{CustomerID: customer, ID: e.ID})
			}
		}
	}
	nobody := func(*watched, time.Duration, *notify.Event) {}
	for _, tt := range []struct {
		name    string
		here    bool // the page is open
		browser bool
		tick    func(r *watched, since time.Duration, e *notify.Event) // every second
		texts   []int                                                  // after 2, 19, 25 and 60 seconds
		end     notify.State
		reason  notify.Reason
		seen    bool
	}{
		{"seen on the page", true, false, screen(5*time.Second, "c-1"), []int{0, 0, 0, 0}, notify.Suppressed, notify.SeenOnScreen, true},
		{"not seen", true, false, nobody, []int{0, 0, 1, 1}, notify.Accepted, "", false},
		{"no screen", false, false, screen(5*time.Second, "c-1"), []int{1, 1, 1, 1}, notify.Accepted, "", true},
		{"seen by a stranger", true, false, screen(5*time.Second, "c-2"), []int{0, 0, 1, 1}, notify.Accepted, "", false},
		{"seen too late", true, false, screen(25*time.Second, "c-1"), []int{0, 0, 1, 1}, notify.Accepted, "", true},
		{"an alert that nobody sees", false, true, nobody, []int{0, 0, 1, 1}, notify.Accepted, "", false},
		{"an alert that is shown", false, true, func(r *watched, since time.Duration, e *notify.Event) {
			if since == 5*time.Second {
				r.screens.Add(notify.Shown{ID: notify.MessageID(e, notify.Push, "browser", 0)})
			}
		}, []int{0, 0, 0, 0}, notify.Suppressed, notify.SeenOnScreen, true},
		{"seen while SQL is away", true, false, func(r *watched, since time.Duration, e *notify.Event) {
			switch since {
			case 5 * time.Second:
				r.down.Store(true)
				r.screens.Add(notify.Shown{CustomerID: "c-1", ID: e.ID})
			case 10 * time.Second:
				r.down.Store(false)
			}
		}, []int{0, 0, 0, 0}, notify.Suppressed, notify.SeenOnScreen, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &watched{rig: newRig(t)}
				r.rules = screenFirst(t, 20*time.Second, notify.WebSocket, notify.Push, notify.SMS)
				r.store.Fail = func(string) error {
					if r.down.Load() {
						return errDown
					}
					return nil
				}
				if tt.here {
					_ = r.cache.Here(t.Context(), []string{"c-1"})
				}
				if tt.browser {
					_ = r.store.Subscribe(t.Context(), notifytest.By("ann", time.Now()), notify.Subscription{ID: "browser", CustomerID: "c-1"})
				}
				stop := r.start()
				e := event(1, time.Now())
				r.log.produce(e)
				var texts []int
				for second := range 61 {
					synctest.Wait()
					if slices.Contains([]int{2, 19, 25, 60}, second) {
						texts = append(texts, len(r.sms.counts()))
					}
					tt.tick(r, time.Duration(second)*time.Second, &e)
					time.Sleep(time.Second)
				}
				stop()
				if diff := cmp.Diff(tt.texts, texts); diff != "" {
					t.Errorf("texts after 2, 19, 25 and 60 s (-want +got):\n%s", diff)
				}
				if m, err := r.store.Entry(t.Context(), notify.MessageID(&e, notify.SMS, e.Customer.Phone, 0)); err != nil || m.State != tt.end || m.Reason != tt.reason {
					t.Errorf("%v, the text is %s (%q), want %s (%q)", err, m.State, m.Reason, tt.end, tt.reason)
				}
				if live, err := r.store.Entry(t.Context(), e.ID); err != nil || live.ShownAt.IsZero() == tt.seen {
					t.Errorf("%v, seen at %s, want seen %v", err, live.ShownAt, tt.seen)
				}
			})
		})
	}
}

// What staff send again leaves although its news was seen: they know that.
func TestAResendWaitsForNoScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.rules = screenFirst(t, 20*time.Second, notify.WebSocket, notify.SMS)
		stop := r.start()
		e := event(1, time.Now())
		r.log.produce(e)
		time.Sleep(2 * notify.JustSent)
		r.screens.Add(notify.Shown{CustomerID: "c-1", ID: e.ID})
		resender := &notify.Resender{Store: r.store, Rules: inForce(r.rules), Wake: func() {}}
		again, err := resender.Resend(t.Context(), notify.ResendRequest{Of: notify.MessageID(&e, notify.SMS, e.Customer.Phone, 0), Reason: "never came",
			Act: notify.Act{At: time.Now(), By: "ann"}})
		if err != nil || again.UnlessShown {
			t.Errorf("%v, the resend stays unsent when its news is seen: %v", err, again.UnlessShown)
		}
		r.screens.Add(notify.Shown{CustomerID: "c-1", ID: e.ID})
		time.Sleep(time.Minute)
		stop()
		if n := len(r.sms.accepted); n != 2 {
			t.Errorf("%d texts, want the first and the resend", n)
		}
	})
}

// A cache that is away knows of no page: the text leaves at once.
func TestNoWaitingWithoutTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.rules = screenFirst(t, 20*time.Second, notify.WebSocket, notify.SMS)
		_ = r.cache.Here(t.Context(), []string{"c-1"})
		r.cache.Fail = func(string) error { return errDown }
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(time.Second)
		if n := len(r.sms.counts()); n != 1 {
			t.Errorf("%d texts, want 1 at once", n)
		}
		stop()
	})
}

// stuck is a store that takes nothing for a while.
type stuck struct {
	down atomic.Bool
	took []notify.Shown
}

func (s *stuck) Known(_ context.Context, ids []notify.ID, dst []bool) error {
	if s.down.Load() {
		return errDown
	}
	for i := range ids {
		dst[i] = true
	}
	return nil
}

func (s *stuck) Shown(_ context.Context, _ time.Time, seen []notify.Shown) ([]string, error) {
	if s.down.Load() {
		return nil, errDown
	}
	s.took = append(s.took, seen...)
	return []string{"picked_up"}, nil
}

func TestScreens(t *testing.T) {
	start := func(s *stuck) (screens *notify.Screens, spared *int, stop func()) {
		spared = new(int)
		screens = &notify.Screens{
			Store: s, Now: time.Now, SQL: &notify.Outage{Engine: "SQL", Log: slog.New(slog.DiscardHandler)},
			Hooks: &notify.Hooks{Spared: func(milestones []string) { *spared += len(milestones) }},
		}
		screens.Prepare()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = screens.Run(ctx) }()
		return screens, spared, func() { cancel(); <-done }
	}
	seen := notify.Shown{CustomerID: "c-1", ID: notify.NewID(noon, "x")}
	t.Run("a full queue drops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stuck{}
			s.down.Store(true)
			screens, _, stop := start(s)
			screens.Add(seen)
			synctest.Wait()
			for range 10_000 {
				screens.Add(seen) // never waits
			}
			s.down.Store(false)
			time.Sleep(5 * time.Second)
			stop()
			if n := len(s.took); n == 0 || n > 5000 {
				t.Errorf("%d were taken", n)
			}
		})
	})
	t.Run("a stop writes what is there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stuck{}
			s.down.Store(true)
			screens, spared, stop := start(s)
			screens.Add(seen)
			synctest.Wait()
			screens.Add(seen)
			s.down.Store(false)
			stop()
			if len(s.took) != 2 || *spared == 0 {
				t.Errorf("%d were taken and %d texts counted, want 2 and some", len(s.took), *spared)
			}
		})
	})
	t.Run("a stop does not wait for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &stuck{}
			s.down.Store(true)
			screens, _, stop := start(s)
			for range 2000 {
				screens.Add(seen)
			}
			began := time.Now()
			stop()
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("stopped after %s", took)
			}
		})
	})
}

func TestRoutesSayHowLongATextWaits(t *testing.T) {
	all := []notify.Channel{notify.WebSocket, notify.Push, notify.SMS}
	for _, tt := range []struct {
		name string
		r    notify.Route
		want string // empty: it is good
	}{
		{"20 s", notify.Route{Channels: all, SMS: notify.Escalation{After: 20 * time.Second, Unless: "shown"}}, ""},
		{"10 minutes and push alone", notify.Route{Channels: all[1:], SMS: notify.Escalation{After: 10 * time.Minute, Unless: "shown"}}, ""},
		{"nothing", notify.Route{Channels: all}, ""},
		{"too long", notify.Route{Channels: all, SMS: notify.Escalation{After: 11 * time.Minute, Unless: "shown"}}, "routes[0].sms.after is 11m0s"},
		{"a number without unit", notify.Route{Channels: all, SMS: notify.Escalation{After: 20, Unless: "shown"}}, "routes[0].sms.after is 20ns"},
		{"negative", notify.Route{Channels: all, SMS: notify.Escalation{After: -time.Second, Unless: "shown"}}, "routes[0].sms.after is -1s"},
		{"no time", notify.Route{Channels: all, SMS: notify.Escalation{Unless: "shown"}}, "routes[0].sms.after is 0s"},
		{"no unless", notify.Route{Channels: all, SMS: notify.Escalation{After: time.Minute}}, "routes[0].sms.unless is missing"},
		{"another unless", notify.Route{Channels: all, SMS: notify.Escalation{After: time.Minute, Unless: "read"}}, `routes[0].sms.unless: "read"`},
		{"no text", notify.Route{Channels: all[:2], SMS: notify.Escalation{After: time.Minute, Unless: "shown"}}, "add sms to its channels"},
		{"no screen", notify.Route{Channels: all[2:], SMS: notify.Escalation{After: time.Minute, Unless: "shown"}}, "add push or websocket"},
	} {
		tt.r.Name = "a"
		_, err := notify.CompileRoutes([]notify.Route{tt.r})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestBeacons(t *testing.T) {
	tokens := notify.Tokens{Secret: []byte("0123456789abcdef0123456789abcdef")}
	id := notify.NewID(noon, "x")
	good := tokens.SignShown(id)
	if got, err := tokens.CheckShown(good); err != nil || got != id {
		t.Fatal(got, err)
	}
	other := notify.Tokens{Secret: []byte("another secret of 32 characters.")}
	grant, err := tokens.Sign(notify.Grant{CustomerID: id.String(), Expires: noon})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"another message":       notify.NewID(noon, "y").String() + good[36:],
		"signed by another":     other.SignShown(id),
		"a token of a page":     grant,
		"no sum":                good[:37],
		"no dot":                good[:36] + good[37:],
		"half a sum":            good[:48],
		"more behind it":        good + "A",
		"upper case":            strings.ToUpper(good[:36]) + good[36:],
		"empty":                 "",
		"endless":               good + strings.Repeat("A", 4000),
		"bits that say nothing": good[:len(good)-1] + string(good[len(good)-1]+1),
	} {
		if _, err := tokens.CheckShown(token); !errors.Is(err, notify.ErrTokenInvalid) {
			t.Errorf("%s: %v, want ErrTokenInvalid", name, err)
		}
	}
}

func FuzzBeacons(f *testing.F) {
	tokens := notify.Tokens{Secret: []byte("0123456789abcdef0123456789abcdef")}
	good := tokens.SignShown(notify.NewID(noon, "x"))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(".")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := tokens.CheckShown(s); err == nil && s != tokens.SignShown(id) {
			t.Fatalf("%q was accepted and is not what we sign", s)
		}
	})
}

func TestExplainSaysWhenItWasSeen(t *testing.T) {
	x := &notify.Explainer{Store: &records{}, Rules: inForce(rules(t))}
	e := notify.Entry{Message: notify.Message{Channel: notify.WebSocket, State: notify.Sent, CreatedAt: noon}, ShownAt: noon.Add(3 * time.Minute)}
	got, err := x.Explain(t.Context(), noon.Add(time.Hour), []notify.Entry{e})
	if want := []notify.Explanation{{Why: "Seen at 19:03 in UTC."}}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v, %+v, want %+v", err, got, want)
	}
}
