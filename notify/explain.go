package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Explanation says in words why a message is as it is, for support staff.
type Explanation struct {
	Why     string   // "Not texted: Dana turned SMS off on 12 Nov."
	NotSent []string // answers Entry.NotSent
}

// ExplainStore is the truth as Explainer needs it.
type ExplainStore interface {
	Lookup(ctx context.Context, customers []string, profiles []Profile, orders []OrderLine, heads []Head) error
	// Audit lists what was done to objects, the newest first.
	Audit(ctx context.Context, objects []string, limit int) ([]AuditRow, error)
}

// Explainer finds out who a message was for and explains it.
type Explainer struct {
	Store ExplainStore
	Rules func() *Rules
}

// historyRows is how much of the customers' history is read for one page of messages.
const historyRows = 1000

// Explain answers es, one explanation for each. It asks two questions, however many messages there are.
func (x *Explainer) Explain(ctx context.Context, now time.Time, es []Entry) ([]Explanation, error) {
	var ids, objects []string
	whos, numbers := map[string]*who{}, map[string][]AuditRow{}
	for i := range es {
		w := whos[es[i].CustomerID]
		if w == nil {
			w = &who{numbers: numbers}
			whos[es[i].CustomerID] = w
			ids = append(ids, es[i].CustomerID)
		}
		if !w.chose && es[i].optedOut() {
			w.chose = true
			objects = append(objects, CustomerObject(es[i].CustomerID))
		}
		if number := NumberObject(es[i].Address); es[i].Reason == Stopped && numbers[number] == nil {
			numbers[number] = []AuditRow{}
			objects = append(objects, number)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	profiles := make([]Profile, len(ids))
	if err := x.Store.Lookup(ctx, ids, profiles, nil, nil); err != nil {
		return nil, fmt.Errorf("look up %d customers: %w", len(ids), err)
	}
	rules := x.Rules()
	for i, id := range ids {
		whos[id].name, whos[id].zone = calledBy(&profiles[i].Contact), rules.zone(&profiles[i].Customer)
		whos[id].consents, whos[id].perHour = profiles[i].Consents, rules.TextsPerHour
	}
	if len(objects) > 0 {
		rows, err := x.Store.Audit(ctx, objects, historyRows)
		if err != nil {
			return nil, fmt.Errorf("read the history of %d customers and numbers: %w", len(objects), err)
		}
		for i := range rows {
			if _, asked := numbers[rows[i].Object]; asked {
				numbers[rows[i].Object] = append(numbers[rows[i].Object], rows[i])
			} else if w := whos[strings.TrimPrefix(rows[i].Object, customerPrefix)]; w != nil {
				w.history = append(w.history, rows[i])
			}
		}
	}
	all := make([]Explanation, len(es))
	for i := range es {
		all[i] = whos[es[i].CustomerID].explain(&es[i], now)
	}
	return all, nil
}

const customerPrefix = "customer:"

// CustomerObject is how the audit names a customer.
func CustomerObject(id string) string { return customerPrefix + id }

func (e *Entry) optedOut() bool {
	if e.Reason == OptedOut {
		return true
	}
	for _, n := range e.NotSent {
		if n.Reason == OptedOut {
			return true
		}
	}
	return false
}

// who is the customer of a message, as far as explaining needs them.
type who struct {
	name     string // first name, or "the customer"
	zone     *time.Location
	history  []AuditRow            // the newest first
	numbers  map[string][]AuditRow // of stopped numbers, by object
	chose    bool
	consents Consents
	perHour  int // texts to one number
}

func calledBy(c *Contact) string { return cmp.Or(c.FirstName(), "the customer") }

func (w *who) explain(e *Entry, now time.Time) Explanation {
	x := Explanation{Why: w.sentence(e, now)}
	for _, n := range e.NotSent {
		x.NotSent = append(x.NotSent, w.notSent(e, n.Channel, n.Reason))
	}
	return x
}

// sentence says where a message stands.
func (w *who) sentence(e *Entry, now time.Time) string {
	switch e.State {
	case Suppressed:
		return w.notSent(e, e.Channel, e.Reason)
	case Pending:
		return w.waiting(e, now)
	case Sending:
		return "Being sent right now."
	case Verify:
		return "Not clear: " + e.Reason.Means() + ". We are finding out before anything is sent again."
	case Unknown:
		return "Nobody knows: " + e.Reason.Means() + " and the provider could not be asked. Resend with force if it matters more than a second text."
	case Failed, Undelivered:
		return "Failed: " + e.Reason.Means() + "."
	case Delivered:
		return "Delivered at " + w.at(e.UpdatedAt, now) + "."
	case Sent:
		if e.Channel == WebSocket && !e.ShownAt.IsZero() {
			return "Seen at " + w.at(e.ShownAt, now) + "."
		}
		if e.Channel == WebSocket {
			return "Shown on the live page from " + w.at(e.CreatedAt, now) + "."
		}
	}
	return fmt.Sprintf("The provider took it at %s; nothing was heard of it since.", w.at(e.UpdatedAt, now))
}

func (w *who) waiting(e *Entry, now time.Time) string {
	switch {
	case e.Reason == Quiet:
		return fmt.Sprintf("Held until %s: %s wants no messages before.", w.at(e.DueAt, now), w.name)
	case e.Reason == Capped && e.DueAt.After(now) && w.perHour > 1:
		return fmt.Sprintf("Held until %s: %d texts in the last hour are enough.", w.at(e.DueAt, now), w.perHour)
	case e.Reason == Capped && e.DueAt.After(now):
		return fmt.Sprintf("Held until %s: %s.", w.at(e.DueAt, now), e.Reason.Means())
	case e.Reason == Settling && e.DueAt.After(now):
		return fmt.Sprintf("Waiting until %s: %s.", w.at(e.DueAt, now), e.Reason.Means())
	case e.Reason == ScreenFirst && e.DueAt.After(now):
		return fmt.Sprintf("Waiting until %s: %s may see it on a device first.", w.at(e.DueAt, now), w.name)
	case e.Reason != "" && e.DueAt.After(now):
		return fmt.Sprintf("Waiting: %s. Next try at %s.", e.Reason.Means(), w.at(e.DueAt, now))
	case e.DueAt.After(now):
		return "Waiting until " + w.at(e.DueAt, now) + "."
	}
	return "Waiting for its turn."
}

// How channels are spoken of.
var (
	notOn  = map[Channel]string{SMS: "Not texted", Push: "No alert sent", WebSocket: "Not shown on the live page"}
	turned = map[Channel]string{SMS: "SMS", Push: "alerts", WebSocket: "the live page"}
)

// notSent says why a channel got nothing.
func (w *who) notSent(e *Entry, ch Channel, r Reason) string {
	var cat Category
	if m := MilestoneOf(e.Line, e.Milestone); m != nil {
		cat = m.Category
	}
	switch r {
	case Stopped:
		return notOn[ch] + ": " + w.stopped(e) + "."
	case Digested:
		return notOn[ch] + " on its own: " + r.Means() + "."
	}
	return w.without(ch, cat, r, e.UpdatedAt)
}

// without says why a channel gets nothing of a category, as of a time.
func (w *who) without(ch Channel, cat Category, r Reason, at time.Time) string {
	because := r.Means()
	switch {
	case r == OptedOut:
		because = w.optedOut(ch, cat, at)
	case r == NoConsent:
		because = w.noConsent(ch, at)
	case r == NoAddress && ch == SMS:
		because = "no phone number is known"
	case r == NoAddress && ch == Push:
		because = "no device with alerts is known"
	case r == Quiet:
		because = w.name + "'s quiet hours outlast the news"
	case r == SeenOnScreen:
		because = w.name + " saw it on a device at " + w.at(at, at)
	}
	return notOn[ch] + ": " + because + "."
}

// optedOut says what the customer turned off and when, as far as the audit knows.
func (w *who) optedOut(ch Channel, cat Category, at time.Time) string {
	said := w.name + " turned " + turned[ch]
	channel, category := "preferences.channels."+string(ch), "preferences.categories."+string(cat)+"."+string(ch)
	answered := map[string]bool{} // by field: a newer choice than the one at hand was met
	for i := range w.history {
		row := &w.history[i]
		if row.At.After(at.Add(time.Second)) {
			continue
		}
		for _, c := range row.Changes() {
			switch {
			case answered[c.Field]:
			case c.To != "off":
				answered[c.Field] = true
			case c.Field == channel:
				return said + " off on " + w.day(row.At, at)
			case cat != "" && c.Field == category:
				return said + " for " + strings.ReplaceAll(string(cat), "_", " ") + " off on " + w.day(row.At, at)
			}
		}
	}
	return said + " off"
}

// noConsent says why there was no consent at a time, as far as the newest answer tells.
func (w *who) noConsent(ch Channel, at time.Time) string {
	switch said, there := w.consents[ch]; {
	case !there:
		return NoConsent.Means()
	case said.Given || said.At.After(at.Add(time.Second)): // it has changed since
		return NoConsent.Means() + " for that time"
	default:
		return w.name + " withdrew consent to texts on " + w.day(said.At, at) + " (" + said.Source + ")"
	}
}

// stopped says who stopped the number of a message and when, as far as the audit knows.
func (w *who) stopped(e *Entry) string {
	for _, row := range w.numbers[NumberObject(e.Address)] {
		var detail struct{ Source StopSource }
		if row.Did != DidStop || row.At.After(e.UpdatedAt.Add(time.Second)) || json.Unmarshal(row.Detail, &detail) != nil {
			continue
		}
		on := " on " + w.day(row.At, e.UpdatedAt)
		switch detail.Source {
		case StoppedByReply:
			return "this number answered STOP" + on
		case StoppedByProvider:
			return "the provider refuses texts to this number, which opted out there; we learned it" + on
		case StoppedByStaff:
			return row.By + " stopped texts to this number" + on
		}
	}
	return Stopped.Means()
}

// at is a time as staff say it: "08:00 in Los Angeles", "12 Nov 08:00 in Los Angeles" on another day than now.
func (w *who) at(t, now time.Time) string {
	t, now = t.In(w.zone), now.In(w.zone)
	layout := "15:04"
	if t.YearDay() != now.YearDay() || t.Year() != now.Year() {
		layout = "2 Jan 15:04"
	}
	return t.Format(layout) + " in " + city(w.zone)
}

// day is "12 Nov", with the year where it is another one than that of near.
func (w *who) day(t, near time.Time) string {
	t = t.In(w.zone)
	if t.Year() != near.In(w.zone).Year() {
		return t.Format("2 Jan 2006")
	}
	return t.Format("2 Jan")
}

// city is what people call a zone: "Los Angeles" for America/Los_Angeles.
func city(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}
