package notify_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// records answer an Explainer.
type records struct {
	people map[string]notify.Profile
	audit  []notify.AuditRow
	asked  int
}

func (r *records) Lookup(_ context.Context, ids []string, dst []notify.Profile, _ []notify.OrderLine, _ []notify.Head) error {
	r.asked++
	for i, id := range ids {
		dst[i] = r.people[id]
		dst[i].ID = id
	}
	return nil
}

func (r *records) Audit(_ context.Context, objects []string, _ int) ([]notify.AuditRow, error) {
	r.asked++
	var rows []notify.AuditRow
	for _, row := range r.audit {
		for _, o := range objects {
			if row.Object == o {
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

func changed(t *testing.T, at time.Time, changes ...notify.Change) notify.AuditRow {
	t.Helper()
	detail, err := json.Marshal(map[string]any{"changes": changes})
	if err != nil {
		t.Fatal(err)
	}
	return notify.AuditRow{At: at, Did: notify.DidWriteCustomer, Object: notify.CustomerObject("c-42"), Detail: detail}
}

// stop is the audit row of a STOP.
func stop(at time.Time, by string, source notify.StopSource) notify.AuditRow {
	return notify.AuditRow{At: at, By: by, Did: notify.DidStop, Object: notify.NumberObject("+14155550123"),
		Detail: json.RawMessage(`{"source":"` + string(source) + `"}`)}
}

func TestExplain(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC) // 11:00 in Los Angeles
	dana := notify.Profile{Customer: notify.Customer{Contact: notify.Contact{Name: "Dana Reyes", TimeZone: "America/Los_Angeles"}}}
	off := changed(t, time.Date(2026, 11, 12, 20, 0, 0, 0, time.UTC), notify.Change{Field: "preferences.channels.sms", From: "default", To: "off"})
	delays := changed(t, time.Date(2025, 12, 31, 20, 0, 0, 0, time.UTC), notify.Change{Field: "preferences.categories.delays.push", From: "on", To: "off"})
	later := changed(t, now.Add(time.Hour), notify.Change{Field: "preferences.channels.sms", From: "on", To: "off"})
	for _, test := range []struct {
		name  string
		ch    notify.Channel
		state notify.State
		why   notify.Reason
		due   time.Time
		audit []notify.AuditRow
		want  string
	}{
		{"turned off", notify.SMS, notify.Suppressed, notify.OptedOut, now, []notify.AuditRow{later, off}, "Not texted: Dana turned SMS off on 12 Nov."},
		{"a category turned off last year", notify.Push, notify.Suppressed, notify.OptedOut, now, []notify.AuditRow{delays}, "No alert sent: Dana turned alerts for delays off on 31 Dec 2025."},
		{"turned off, nobody knows when", notify.SMS, notify.Suppressed, notify.OptedOut, now, nil, "Not texted: Dana turned SMS off."},
		{"a category turned on again later", notify.Push, notify.Suppressed, notify.OptedOut, now, []notify.AuditRow{
			changed(t, now.Add(-time.Hour), notify.Change{Field: "preferences.categories.delays.push", From: "off", To: "on"}), delays,
			changed(t, now.AddDate(-2, 0, 0), notify.Change{Field: "preferences.channels.push", From: "on", To: "off"}),
		}, "No alert sent: Dana turned alerts off on 21 Nov 2024."},
		{"quiet hours", notify.SMS, notify.Pending, notify.Quiet, now.Add(21 * time.Hour), nil, "Held until 22 Nov 08:00 in Los Angeles: Dana wants no messages before."},
		{"quiet hours outlast it", notify.SMS, notify.Suppressed, notify.Quiet, now, nil, "Not texted: Dana's quiet hours outlast the news."},
		{"no number", notify.SMS, notify.Suppressed, notify.NoAddress, now, nil, "Not texted: no phone number is known."},
		{"tried again", notify.SMS, notify.Pending, notify.RateLimited, now.Add(time.Minute), nil, "Waiting: the provider asked us to slow down. Next try at 11:01 in Los Angeles."},
		{"a restless order", notify.SMS, notify.Pending, notify.Settling, now.Add(20 * time.Minute), nil, "Waiting until 11:20 in Los Angeles: the order has just changed and may change again."},
		{"a screen first", notify.SMS, notify.Pending, notify.ScreenFirst, now.Add(20 * time.Minute), nil, "Waiting until 11:20 in Los Angeles: Dana may see it on a device first."},
		{"seen", notify.SMS, notify.Suppressed, notify.SeenOnScreen, now, nil, "Not texted: Dana saw it on a device at 11:00 in Los Angeles."},
		{"too many texts", notify.SMS, notify.Pending, notify.Capped, now.Add(2*time.Hour + 10*time.Minute), nil, "Held until 13:10 in Los Angeles: 6 texts in the last hour are enough."},
		{"told with others", notify.SMS, notify.Suppressed, notify.Digested, now, nil, "Not texted on its own: its news went out in one text with others."},
		{"its turn", notify.Push, notify.Pending, "", now, nil, "Waiting for its turn."},
		{"unclear", notify.SMS, notify.Verify, notify.OwnerDied, now, nil, "Not clear: the process that was sending it stopped. We are finding out before anything is sent again."},
		{"stopped", notify.SMS, notify.Suppressed, notify.Stopped, now, []notify.AuditRow{stop(now.Add(time.Hour), "recipient", notify.StoppedByReply), stop(now, "recipient", notify.StoppedByReply)}, "Not texted: this number answered STOP on 21 Nov."},
		{"stopped with the provider", notify.SMS, notify.Suppressed, notify.Stopped, now, []notify.AuditRow{stop(now, "provider", notify.StoppedByProvider)}, "Not texted: the provider refuses texts to this number, which opted out there; we learned it on 21 Nov."},
		{"stopped by staff", notify.SMS, notify.Suppressed, notify.Stopped, now, []notify.AuditRow{stop(now, "ann", notify.StoppedByStaff)}, "Not texted: ann stopped texts to this number on 21 Nov."},
		{"stopped, nobody knows when", notify.SMS, notify.Suppressed, notify.Stopped, now, nil, "Not texted: texts to this number were stopped."},
		{"failed", notify.SMS, notify.Failed, notify.BadAddress, now, nil, "Failed: the number or device can't be reached, for good."},
		{"accepted", notify.SMS, notify.Accepted, "", now, nil, "The provider took it at 11:00 in Los Angeles; nothing was heard of it since."},
		{"delivered", notify.SMS, notify.Delivered, "", now, nil, "Delivered at 11:00 in Los Angeles."},
		{"live", notify.WebSocket, notify.Sent, "", now, nil, "Shown on the live page from 11:00 in Los Angeles."},
		{"internal", notify.WebSocket, notify.Suppressed, notify.NotVisible, now, nil, "Not shown on the live page: the milestone is internal."},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := &records{people: map[string]notify.Profile{"c-42": dana}, audit: test.audit}
			inUse := rules(t)
			inUse.TextsPerHour = 6
			x := &notify.Explainer{Store: store, Rules: inForce(inUse)}
			e := notify.Entry{Message: notify.Message{CustomerID: "c-42", Address: "+14155550123", Line: notify.CarHaul, Milestone: "delayed", Channel: test.ch,
				State: test.state, Reason: test.why, DueAt: test.due, CreatedAt: now, UpdatedAt: now}}
			got, err := x.Explain(t.Context(), now, []notify.Entry{e})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]notify.Explanation{{Why: test.want}}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExplainAsksOnce(t *testing.T) {
	store := &records{people: map[string]notify.Profile{}}
	x := &notify.Explainer{Store: store, Rules: inForce(rules(t))}
	es := make([]notify.Entry, 100)
	for i := range es {
		es[i].CustomerID = string(rune('a' + i%7))
		es[i].NotSent = []notify.NotSent{{Channel: notify.SMS, Reason: notify.OptedOut}}
	}
	got, err := x.Explain(t.Context(), time.Now(), es)
	if err != nil {
		t.Fatal(err)
	}
	if store.asked != 2 {
		t.Errorf("%d questions for one page, want 2", store.asked)
	}
	if want := "Not texted: the customer turned SMS off."; got[99].NotSent[0] != want {
		t.Errorf("got %q, want %q", got[99].NotSent[0], want)
	}
}

// TestReasons finds reasons that are not explained, and words that are no part of a sentence.
func TestReasons(t *testing.T) {
	known := map[notify.Reason]bool{}
	for _, r := range notify.Reasons {
		if known[r.Code] {
			t.Errorf("%s is explained twice", r.Code)
		}
		known[r.Code] = true
		if r.Means == "" || strings.HasSuffix(r.Means, ".") || !strings.HasSuffix(r.Todo, ".") {
			t.Errorf("%s: %q is to be a part of a sentence and %q a sentence", r.Code, r.Means, r.Todo)
		}
	}
	for _, r := range declaredReasons(t) {
		if !known[r] {
			t.Errorf("%s is not explained in notify.Reasons", r)
		}
	}
}

func inForce(r *notify.Rules) func() *notify.Rules { return func() *notify.Rules { return r } }
