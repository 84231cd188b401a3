package notify_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// told is a rig in which one event was told, and the text that went out.
func told(t *testing.T) (*rig, notify.Message) {
	t.Helper()
	r := newRig(t)
	stop := r.start()
	r.log.produce(event(1, time.Now()))
	time.Sleep(time.Second)
	stop()
	r.restart()
	if len(r.sms.accepted) != 1 {
		t.Fatalf("%d texts went out, want 1", len(r.sms.accepted))
	}
	return r, r.sms.accepted[0]
}

func TestResendSendsOnceUnderOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, m := told(t)
		stop := r.start()
		time.Sleep(notify.JustSent)
		resender := &notify.Resender{Store: r.store, Rules: inForce(r.rules), Wake: func() {}}
		ask := notify.ResendRequest{Of: m.ID, Reason: "never came", Act: notify.Act{At: time.Now(), By: "ann"}, Idempotent: notify.Idempotent{Principal: "ann", Key: "k"}}
		var calls sync.WaitGroup
		answers := make([]notify.Entry, 20)
		for i := range answers {
			calls.Go(func() {
				var err error
				if answers[i], err = resender.Resend(t.Context(), ask); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		calls.Wait()
		time.Sleep(time.Minute)
		stop()
		if len(r.sms.accepted) != 2 {
			t.Fatalf("%d texts in all, want the first and one more", len(r.sms.accepted))
		}
		again := r.sms.accepted[1]
		for _, a := range answers {
			if a.ID != again.ID || a.By != "ann" || a.Why != "never came" || a.ResendOf != m.ID {
				t.Errorf("an answer names %s by %q of %s; the text is %s", a.ID, a.By, a.ResendOf, again.ID)
			}
		}
		ask.Idempotent.BodyHash[0] = 1
		if _, err := resender.Resend(t.Context(), ask); !errors.Is(err, notify.ErrKeyReused) {
			t.Errorf("another request under the same key: %v, want ErrKeyReused", err)
		}
	})
}

func TestResendIsRefused(t *testing.T) {
	tests := []struct {
		name   string
		ask    notify.ResendRequest
		change func(t *testing.T, r *rig)
		later  time.Duration
		want   string // the code; empty for a resend that is made
	}{
		{"it may", notify.ResendRequest{}, nil, notify.JustSent, ""},
		{"it has just left", notify.ResendRequest{}, nil, 0, notify.RefuseJustSent},
		{"it has just left, but by force", notify.ResendRequest{Force: true}, nil, 0, ""},
		{"to the live page", notify.ResendRequest{Channel: notify.WebSocket}, nil, 0, notify.RefuseChannel},
		{"to a device that is not there", notify.ResendRequest{Channel: notify.Push}, nil, 0, notify.RefuseAddress},
		{"no longer true", notify.ResendRequest{}, nil, 3 * time.Hour, notify.RefuseExpired},
		{"no longer true, but by force", notify.ResendRequest{Force: true}, nil, 3 * time.Hour, ""},
		{"channel not set up", notify.ResendRequest{}, func(_ *testing.T, r *rig) { r.rules.Channels = map[notify.Channel]bool{} }, 0, notify.RefuseOff},
		{"the customer turned it off", notify.ResendRequest{Force: true}, func(t *testing.T, r *rig) {
			c, err := r.store.Customer(t.Context(), "c-1")
			if err != nil {
				t.Fatal(err)
			}
			c.Preferences.Channels = map[notify.Channel]bool{notify.SMS: false}
			notifytest.PutCustomer(t, r.store, time.Now(), c.Customer)
		}, 0, notify.RefuseOptedOut},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, m := told(t)
				if tt.change != nil {
					tt.change(t, r)
				}
				time.Sleep(tt.later)
				tt.ask.Of, tt.ask.Reason, tt.ask.Act = m.ID, "never came", notify.Act{At: time.Now(), By: "ann"}
				tt.ask.Idempotent = notify.Idempotent{Principal: "ann", Key: tt.name}
				resender := &notify.Resender{Store: r.store, Rules: inForce(r.rules), Wake: func() {}}
				made, err := resender.Resend(t.Context(), tt.ask)
				refusal := (*notify.Refusal)(nil)
				switch {
				case tt.want == "" && (err != nil || made.State != notify.Pending):
					t.Errorf("got %s, %v; want a pending message", made.State, err)
				case tt.want != "" && (!errors.As(err, &refusal) || refusal.Code != tt.want):
					t.Errorf("got %v, want a refusal %s", err, tt.want)
				}
			})
		})
	}
}

// A message whose end is unclear is not sent again, not by the path and not by staff.
func TestUnclearTextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.sms.answer = func(*notify.Message) (bool, notify.Answer) {
			return true, notify.Answer{Verdict: notify.Unclear, Reason: notify.UnclearEnd}
		}
		stop := r.start()
		r.log.produce(event(1, time.Now()))
		time.Sleep(90 * time.Minute)
		stop()
		if len(r.sms.accepted) != 1 {
			t.Errorf("the provider got %d requests, want 1", len(r.sms.accepted))
		}
		resender := &notify.Resender{Store: r.store, Rules: inForce(r.rules), Wake: func() {}}
		for name, of := range map[string]notify.ID{"text": r.sms.accepted[0].ID, "live message": r.sms.accepted[0].EventID} {
			ask := notify.ResendRequest{Of: of, Channel: notify.SMS, Force: true, Reason: "x", Act: notify.Act{At: time.Now()}}
			ask.Idempotent.Key = name
			_, err := resender.Resend(t.Context(), ask)
			if refusal := (*notify.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != notify.RefuseVerify {
				t.Errorf("%s: got %v, want a refusal %s", name, err, notify.RefuseVerify)
			}
		}
	})
}
