package notify_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func said(given bool, at time.Time, source string) notify.Consent {
	return notify.Consent{Given: given, At: at, Source: source}
}

// What a machine repeats is news once, and lifts no withdrawal that came another way.
func TestHear(t *testing.T) {
	at := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	event := func(given bool, minutes time.Duration) notify.Consent {
		return said(given, at.Add(minutes*time.Minute), notify.ConsentByEvent)
	}
	for _, test := range []struct {
		name string
		was  notify.Consents
		said notify.Consent
		news bool
	}{
		{"the first yes", nil, event(true, 0), true},
		{"the first no", nil, event(false, 0), true},
		{"yes again", notify.Consents{notify.SMS: event(true, 0)}, event(true, 1), false},
		{"no after yes", notify.Consents{notify.SMS: said(true, at, "web form")}, event(false, 1), true},
		{"an older no", notify.Consents{notify.SMS: said(true, at, "web form")}, event(false, -1), false},
		{"yes after no, both by events", notify.Consents{notify.SMS: event(false, 0)}, event(true, 1), true},
		{"yes by an event after staff recorded a no", notify.Consents{notify.SMS: said(false, at, "phone call")}, event(true, 60), false},
		{"yes by an import after an event's no", notify.Consents{notify.SMS: event(false, 0)}, said(true, at.Add(time.Hour), notify.ConsentByImport), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := cmp.Diff(nil, test.was)
			next, news := test.was.Hear(notify.SMS, test.said)
			if news != test.news {
				t.Errorf("news is %v, want %v", news, test.news)
			}
			want := test.was[notify.SMS]
			if test.news {
				want = test.said
			}
			if next[notify.SMS] != want {
				t.Errorf("holds %+v, want %+v", next[notify.SMS], want)
			}
			if after := cmp.Diff(nil, test.was); after != before {
				t.Error("it changed what others share")
			}
		})
	}
}

func TestDecideConsent(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	yes, no := notify.Consents{notify.SMS: said(true, now, "web form")}, notify.Consents{notify.SMS: said(false, now.Add(-time.Hour), "web form")}
	for _, test := range []struct {
		name     string
		explicit bool
		known    notify.Consents
		says     map[notify.Channel]bool
		texts    int
		recorded []bool
	}{
		{"an order implies it", false, nil, nil, 1, nil},
		{"explicit, and nothing on record", true, nil, nil, 0, nil},
		{"explicit, and given", true, yes, nil, 1, nil},
		{"withdrawn", false, no, nil, 0, nil},
		{"withdrawn, explicit", true, no, nil, 0, nil},
		{"the event gives it", true, nil, map[notify.Channel]bool{notify.SMS: true}, 1, []bool{true}},
		{"the event takes it back", false, nil, map[notify.Channel]bool{notify.SMS: false}, 0, []bool{false}},
		{"the event says what is known", true, yes, map[notify.Channel]bool{notify.SMS: true}, 1, nil},
		{"the event knows nothing of the withdrawal", false, no, map[notify.Channel]bool{notify.SMS: true}, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules(t)
			r.ExplicitConsent = test.explicit
			e := event(1, now.Add(time.Minute)) // a producer whose clock is ahead
			e.Consents = test.says
			p := &notify.Profile{Customer: notify.Customer{ID: e.CustomerID, Contact: *e.Customer, Consents: test.known}}
			var d notify.Decision
			notify.Decide(&e, &notify.Head{}, p, r, now, &d)
			if len(d.Messages) != test.texts {
				t.Errorf("%d messages, want %d", len(d.Messages), test.texts)
			}
			refused := false
			for _, n := range d.Stored.NotSent {
				refused = refused || n == notify.NotSent{Channel: notify.SMS, Reason: notify.NoConsent}
			}
			if refused != (test.texts == 0) {
				t.Errorf("not sent: %v", d.Stored.NotSent)
			}
			var recorded []bool
			for _, r := range d.Stored.Consents {
				recorded = append(recorded, r.Given)
				if r.At.After(now) || r.By != notify.ByEvent || d.Customer.Consents[notify.SMS] != r.Consent || !d.Learned {
					t.Errorf("recorded %+v; the customer has %+v", r, d.Customer.Consents)
				}
			}
			if diff := cmp.Diff(test.recorded, recorded); diff != "" {
				t.Error("recorded (-want +got):\n" + diff)
			}
		})
	}
}

func TestExplainConsent(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		known notify.Consents
		want  string
	}{
		"nothing on record": {nil, "Not texted: no consent to texts is on record."},
		"withdrawn": {notify.Consents{notify.SMS: said(false, now.Add(-9*24*time.Hour), "web form")},
			"Not texted: Dana withdrew consent to texts on 12 Nov (web form)."},
		"given since": {notify.Consents{notify.SMS: said(true, now.Add(time.Hour), "web form")},
			"Not texted: no consent to texts is on record for that time."},
	} {
		t.Run(name, func(t *testing.T) {
			dana := notify.Profile{Customer: notify.Customer{Contact: notify.Contact{Name: "Dana Reyes"}, Consents: test.known}}
			x := &notify.Explainer{Store: &records{people: map[string]notify.Profile{"c-42": dana}}, Rules: inForce(rules(t))}
			got, err := x.Explain(t.Context(), now, []notify.Entry{{Message: notify.Message{CustomerID: "c-42", Channel: notify.SMS,
				State: notify.Suppressed, Reason: notify.NoConsent, UpdatedAt: now}}})
			if err != nil || got[0].Why != test.want {
				t.Errorf("got %q, %v; want %q", got[0].Why, err, test.want)
			}
		})
	}
	// What would become of news says the same.
	dana := &notify.Profile{Customer: notify.Customer{Contact: notify.Contact{Name: "Dana", Phone: "+14155550123"}}}
	r := rules(t)
	r.ExplicitConsent = true
	all := r.Outlook(dana, now)
	for i, why := range r.ExplainOutlook(dana, nil, now, all) {
		if o := all[i]; o.Channel == notify.SMS && o.Category == notify.DriverAlerts &&
			(o.Reason != notify.NoConsent || why != "Not texted: no consent to texts is on record.") {
			t.Errorf("%s: %s", o.Reason, why)
		}
	}
}

// Consent that is taken back while a text waits: it is never sent, and neither is the next one, by anybody.
func TestConsentWithdrawnWhilePending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.rules.ExplicitConsent = true
		var refusals atomic.Int64
		r.sms.answer = func(*notify.Message) (bool, notify.Answer) {
			refusals.Add(1)
			return false, notify.Answer{Verdict: notify.NotTaken, Reason: notify.RateLimited, RetryAfter: time.Minute}
		}
		stop := r.start()
		record := func(given bool) {
			t.Helper()
			_, _, err := r.store.AddConsent(t.Context(), notifytest.By("ann", time.Now()), notify.ConsentRecord{
				CustomerID: "c-1", Channel: notify.SMS, Consent: said(given, time.Time{}, "phone call"),
			}, notify.Idempotent{})
			if err != nil {
				t.Fatal(err)
			}
		}
		r.log.produce(event(1, time.Now()))
		time.Sleep(time.Second)
		if n := refusals.Load(); n != 0 {
			t.Errorf("%d texts began without consent", n)
		}
		record(true) // which the cache does not hear of
		r.log.produce(event(51, time.Now()))
		time.Sleep(time.Second)
		if n := refusals.Load(); n != 1 {
			t.Errorf("%d texts began with consent, want 1", n)
		}
		r.sms.change(nil)
		record(false)
		r.log.produce(event(101, time.Now()))
		time.Sleep(time.Hour)
		resender := &notify.Resender{Store: r.store, Rules: inForce(r.rules), Wake: func() {}}
		for _, m := range r.store.Messages() {
			if m.Channel == notify.SMS && (m.State != notify.Suppressed || m.Reason != notify.NoConsent) {
				t.Errorf("the text of %s is %s (%s)", m.OrderID, m.State, m.Reason)
			}
			_, err := resender.Resend(t.Context(), notify.ResendRequest{Of: m.ID, Reason: "please", Force: true, Act: notifytest.By("ann", time.Now())})
			if err == nil || err.Error() != notify.NoConsentRefusal().Error() {
				t.Errorf("a resend by force: %v", err)
			}
		}
		stop()
		if n := len(r.sms.accepted); n != 0 {
			t.Errorf("%d texts left", n)
		}
	})
}
