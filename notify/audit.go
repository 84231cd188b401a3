package notify

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Act is who does something, and when. Every write that a person or a program asks for carries one, and the store writes
// an AuditRow for it in the same transaction.
type Act struct {
	At      time.Time
	By      string // the name of the API key, or "command line"
	Request string // the id of the request; empty for none
}

// What acts are called in AuditRow.Did.
const (
	DidWriteCustomer   = "customer.write"
	DidImportCustomers = "customers.import"
	DidSubscribe       = "push_subscription.add"
	DidUnsubscribe     = "push_subscription.remove"
	DidResend          = "message.resend"
	DidMakeToken       = "token.make"
	DidCreateKey       = "key.create"
	DidRevokeKey       = "key.revoke"
	DidStop            = "number.stop"
	DidStart           = "number.start"
	DidConsent         = "customer.consent"
)

// AuditRow is one thing that was done. Rows are only ever added, and each carries the hash of the one before, so that a row
// which is changed or taken out is noticed.
type AuditRow struct {
	No      int64     // 1, 2, 3, … without gaps
	At      time.Time // to the millisecond
	By      string
	Request string
	Did     string          // one of the Did constants
	Object  string          // what it was done to: "customer:c-42", "message:0190…", "key:…"
	Detail  json.RawMessage // a JSON object; never a phone number, a name, a key or a text
	Hash    [32]byte
}

// NumberObject is how the audit names a phone number (E.164): by the first 8 bytes of its SHA-256, in hex.
func NumberObject(phone string) string {
	sum := sha256.Sum256([]byte(phone))
	return "number:" + hex.EncodeToString(sum[:8])
}

// Sum is the hash of the row after prev, the hash of the row before (zero for the first): SHA-256 over prev and every
// field, each with its length before it.
func (r *AuditRow) Sum(prev [32]byte) [32]byte {
	h := sha256.New()
	h.Write(prev[:])
	for _, field := range []string{
		fmt.Sprint(r.No), fmt.Sprint(r.At.UnixMilli()), r.By, r.Request, r.Did, r.Object, string(r.Detail),
	} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write([]byte(field))
	}
	return [32]byte(h.Sum(nil))
}

// ErrAuditBroken means that rows of the audit were changed or taken out. The error that wraps it names the first one.
var ErrAuditBroken = errors.New("the audit has been tampered with")

// Change is one field of a customer that a write changed. Values are shown for choices and left out (empty) for what
// identifies a person: name and phone.
type Change struct {
	Field string `json:"field"` // "phone", "locale", "preferences.channels.sms", "preferences.quiet_hours"
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// Changes are those of a row about a customer; none for a row about something else.
func (r *AuditRow) Changes() []Change {
	var detail struct{ Changes []Change }
	if json.Unmarshal(r.Detail, &detail) != nil { // it has another form
		return nil
	}
	return detail.Changes
}

// Changes lists what a write changes of a customer, in the order of the fields. A choice reads "on", "off" or, where the
// customer leaves it to the operator, "default"; a consent reads "given", "withdrawn" or "none".
func Changes(old, now *Customer) []Change {
	var all []Change
	note := func(field, from, to string, show bool) {
		switch {
		case from == to:
		case show:
			all = append(all, Change{field, from, to})
		default:
			all = append(all, Change{Field: field})
		}
	}
	note("name", old.Name, now.Name, false)
	note("phone", old.Phone, now.Phone, false)
	note("locale", old.Locale, now.Locale, true)
	note("time_zone", old.TimeZone, now.TimeZone, true)
	for _, ch := range Channels {
		note("preferences.channels."+string(ch), choice(old.Preferences.Channels, ch), choice(now.Preferences.Channels, ch), true)
	}
	for _, cat := range Categories {
		for _, ch := range Channels {
			note("preferences.categories."+string(cat)+"."+string(ch),
				choice(old.Preferences.Categories[cat], ch), choice(now.Preferences.Categories[cat], ch), true)
		}
	}
	note("preferences.quiet_hours", old.Preferences.Quiet.String(), now.Preferences.Quiet.String(), true)
	for _, ch := range ConsentChannels {
		note("consents."+string(ch), old.Consents.word(ch), now.Consents.word(ch), true)
	}
	return all
}

func choice(said map[Channel]bool, ch Channel) string {
	switch on, there := said[ch]; {
	case !there:
		return "default"
	case on:
		return "on"
	}
	return "off"
}
