package notify_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// TestAuditSum changes every field of a row in turn: each changes the hash, and so does the row before.
func TestAuditSum(t *testing.T) {
	row := func() notify.AuditRow {
		return notify.AuditRow{No: 7, At: time.UnixMilli(1_700_000_000_123), By: "support", Request: "r-1",
			Did: notify.DidResend, Object: "message:1", Detail: json.RawMessage(`{"of":"2"}`)}
	}
	plain := row()
	seen := map[[32]byte]string{plain.Sum([32]byte{}): "nothing"}
	for name, change := range map[string]func(r *notify.AuditRow){
		"No": func(r *notify.AuditRow) { r.No++ }, "At": func(r *notify.AuditRow) { r.At = r.At.Add(time.Millisecond) },
		"By": func(r *notify.AuditRow) { r.By = "supporter" }, "Request": func(r *notify.AuditRow) { r.Request = "" },
		"Did": func(r *notify.AuditRow) { r.Did = "x" }, "Object": func(r *notify.AuditRow) { r.Object = "message:2" },
		"Detail": func(r *notify.AuditRow) { r.Detail = json.RawMessage(`{"of": "2"}`) },
		// The border between two fields is part of the hash.
		"border": func(r *notify.AuditRow) { r.By, r.Request = "supportr", "-1" },
	} {
		r := row()
		change(&r)
		sum := r.Sum([32]byte{})
		if other, taken := seen[sum]; taken {
			t.Errorf("a change of %s has the hash of a change of %s", name, other)
		}
		seen[sum] = name
	}
	if _, taken := seen[plain.Sum([32]byte{1})]; taken {
		t.Error("the hash does not depend on the row before")
	}
}

func TestChanges(t *testing.T) {
	old := notify.Customer{Contact: notify.Contact{Name: "Dana", Phone: "+14155550123", Locale: "en-US"}}
	now := notify.Customer{Contact: notify.Contact{Name: "Dana R", Phone: "+14155550124", Locale: "es-MX"},
		Preferences: notify.Preferences{
			Channels:   map[notify.Channel]bool{notify.SMS: false},
			Categories: map[notify.Category]map[notify.Channel]bool{notify.Delays: {notify.Push: true}},
			Quiet:      &notify.QuietHours{Start: 22 * 60, End: 8 * 60},
		}}
	want := []notify.Change{
		{Field: "name"}, {Field: "phone"}, // who somebody is stays out of the audit
		{Field: "locale", From: "en-US", To: "es-MX"},
		{Field: "preferences.channels.sms", From: "default", To: "off"},
		{Field: "preferences.categories.delays.push", From: "default", To: "on"},
		{Field: "preferences.quiet_hours", From: "none", To: "22:00-08:00"},
	}
	if diff := cmp.Diff(want, notify.Changes(&old, &now)); diff != "" {
		t.Error(diff)
	}
	if got := notify.Changes(&now, &now); got != nil {
		t.Errorf("no change is %v", got)
	}
}

func TestAPIKey(t *testing.T) {
	now := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	k, secret := notify.NewAPIKey("support", []string{"messages:read"}, notify.Act{At: now, By: "command line"}, now.Add(time.Hour))
	_, other := notify.NewAPIKey("support", nil, notify.Act{At: now}, time.Time{})
	if id, ok := notify.APIKeyID(secret); !ok || id != k.ID {
		t.Errorf("the id in the key is %q, %v; want %q", id, ok, k.ID)
	}
	for _, bad := range []string{"", "omw_", secret[:len(secret)-1], secret + "A", " " + secret, "omw_0123456789abcdef_" + "a234567890"} {
		if id, ok := notify.APIKeyID(bad); ok {
			t.Errorf("%d bytes that are no key have the id %q", len(bad), id)
		}
	}
	if !k.Matches(secret) || k.Matches(other) || k.Matches("") {
		t.Error("a key matches itself and nothing else")
	}
	if !k.May("messages:read") || k.May("messages:resend") || k.May("*") {
		t.Error("a key may what its scopes say and no more")
	}
	if k.Expired(now) || !k.Expired(now.Add(time.Hour)) {
		t.Error("a key ends at ExpiresAt")
	}
	if all := (notify.APIKey{Scopes: []string{"*"}}); !all.May("messages:resend") || all.Expired(now) {
		t.Error(`"*" is every scope, and no expiry is never`)
	}
}
