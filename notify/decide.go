package notify

import (
	"bytes"
	"slices"
	"time"

	"onmyway/templates"
)

// Rules are what decisions follow, besides what the event and the customer say. They never change: an operator who reloads
// gets new ones.
type Rules struct {
	Routes    Routes
	Words     *templates.Set
	FoldTexts bool             // SMS without accents: they fit more characters into a segment
	Channels  map[Channel]bool // those that the operator has set up
	Defaults  Defaults
	// ExplicitConsent sends texts only to customers whose consent is on record; else an order implies it.
	ExplicitConsent bool
	// TextsPerHour is the limit of one number, as Dispatcher.PerHour has it; here it only explains what is held.
	TextsPerHour int
	// ETAThreshold is how far an arrival time has to move before a customer is disturbed with it.
	ETAThreshold time.Duration
	// Settle is how long news waits about an order that changed less than that before; 0: it never waits.
	Settle time.Duration
	Locale string         // of customers whose own is not known
	Zone   *time.Location // of customers whose own is not known
	Zones  func(name string) *time.Location
}

// Decision is what follows from one event. Its slices are reused from one decision to the next.
type Decision struct {
	Stored    Stored
	Messages  []Message
	Supersede []Supersede
	Head      Head // how far the order is after the event
	HeadMoved bool
	Customer  Customer // what is known of the customer after the event
	Learned   bool     // Customer says more than before

	known, facts templates.Facts // what was true before the event, and with it
	json         []byte
	words        words
}

// Decide says what follows from an event: what the live page shows, who else is told and how, and why not otherwise.
// It has no clock and no I/O: the same input gives the same decision. h and p are what is known before the event.
func Decide(e *Event, h *Head, p *Profile, r *Rules, now time.Time, d *Decision) {
	*d = Decision{Messages: d.Messages[:0], Supersede: d.Supersede[:0], Head: *h, Customer: p.Customer, known: d.known, facts: d.facts, json: d.json}
	d.Stored = Stored{Event: e, State: Suppressed}
	older := h.after(e)
	d.Customer.Contact, d.Learned = learn(p.Contact, e.Customer, p.ByAPI || older)
	d.hear(now)
	d.known = standingFacts(d.known[:0], h)
	d.facts = e.Facts.Inherit(d.facts[:0], d.known)
	if !older && !h.at(e) {
		d.HeadMoved = true
		d.Head.CustomerID, d.Head.Milestone = e.CustomerID, e.Milestone.Name
		d.Head.Sequence, d.Head.OccurredAt = e.Sequence, e.OccurredAt
		d.json = d.facts.AppendJSON(d.json[:0], d.known)
		if !bytes.Equal(d.json, h.Facts) { // most events change nothing that stays true
			d.Head.Facts = bytes.Clone(d.json)
		}
	}
	expires := e.OccurredAt.Add(e.Milestone.Validity)
	switch {
	case !e.Milestone.Visible:
		d.Stored.Reason = NotVisible
	case older:
		d.Stored.Reason = Stale
	case !now.Before(expires):
		d.Stored.Reason = Expired
	default:
		d.tell(h, p, r, now, expires)
	}
}

// refused tells that something is not sent because of what is known of the customer. The cache may be behind: the customer
// has turned it on meanwhile, or added a browser.
func (d *Decision) refused() bool {
	because := func(r Reason) bool {
		return r == OptedOut || r == NoConsent || r == OffByDefault || r == NoAddress || r == Quiet
	}
	return because(d.Stored.Reason) || slices.ContainsFunc(d.Stored.NotSent, func(n NotSent) bool { return because(n.Reason) })
}

// tell writes the texts of an event that customers may see, for every channel of its route.
func (d *Decision) tell(h *Head, p *Profile, r *Rules, now, expires time.Time) {
	e := d.Stored.Event
	same := unmoved(e, h, r)
	eta, promises := promised(e.Facts)
	if promises = promises && !same; promises {
		d.facts = h.Told.before(d.facts, eta, r.ETAThreshold)
	}
	d.words = r.words(e.Line, e.Milestone.Name, &d.Customer, templates.Vars{OrderID: e.OrderID, Facts: d.facts, Now: now})
	for _, ch := range r.Routes[e.Milestone].Channels {
		if ch == WebSocket {
			d.show(p, r, &d.words)
			continue
		}
		due, reason := r.may(ch, e.Milestone, &d.Customer, now, expires)
		if reason == "" && same {
			reason = ETAUnmoved
		}
		if reason == "" {
			reason = d.address(ch, p, &d.words, due, expires)
		}
		if reason != "" {
			d.Stored.NotSent = append(d.Stored.NotSent, NotSent{ch, reason})
			continue
		}
		d.supersede(ch)
	}
	if promises && d.told(p, r, now) {
		d.Head.Told = eta
	}
	d.settle(h, r.Settle, now)
	d.screensFirst(p, r.Routes[e.Milestone].SMS.After)
	if d.Stored.State == Suppressed && d.Stored.Reason == "" {
		d.Stored.Reason = NotRouted
	}
}

// show decides about the live page.
func (d *Decision) show(p *Profile, r *Rules, w *words) {
	cat := d.Stored.Milestone.Category
	if why := p.Preferences.Wants(WebSocket, cat, r.Defaults); why != "" {
		d.Stored.Reason = why
		return
	}
	title, body, err := w.page()
	if err != nil {
		d.Stored.Reason = wordless(err)
		return
	}
	d.Stored.State = Sent
	d.Stored.Title, d.Stored.Body = title, body
	d.Stored.Locale, d.Stored.Asked, d.Stored.Template = w.Locale, w.asked, w.Version
}

// settle lets news wait while its order keeps changing. What is newer takes the place of what waits, so of a storm of changes
// its first and its last one are told. News that would not leave in time any more does not wait.
func (d *Decision) settle(h *Head, calm time.Duration, now time.Time) {
	e := d.Stored.Event
	if h.Milestone == "" || h.at(e) || e.OccurredAt.Sub(h.OccurredAt).Abs() >= calm {
		return
	}
	due := now.Add(calm)
	for i := range d.Messages {
		if m := &d.Messages[i]; !m.DueAt.After(now) && due.Before(m.ExpiresAt) {
			m.DueAt, m.Reason = due, Settling
		}
	}
}

// may says from when on a customer may be told on a channel, or why not at all. The live page wakes nobody: it has no quiet
// hours.
func (r *Rules) may(ch Channel, m *Milestone, c *Customer, now, expires time.Time) (due time.Time, why Reason) {
	if !r.Channels[ch] {
		return now, ChannelOff
	}
	if why := c.Preferences.Wants(ch, m.Category, r.Defaults); why != "" {
		return now, why
	}
	if !r.consented(ch, c) {
		return now, NoConsent
	}
	if q := c.Preferences.Quiet; q != nil && ch != WebSocket && !r.Routes[m].PierceQuiet {
		due := q.Until(now, r.zone(c))
		if !due.Before(expires) {
			return due, Quiet
		}
		return due, ""
	}
	return now, ""
}

// address makes the messages of one channel: one for the phone, one for every browser.
func (d *Decision) address(ch Channel, p *Profile, w *words, due, expires time.Time) Reason {
	base := Message{Channel: ch, Locale: w.Locale, Asked: w.asked, Template: w.Version, DueAt: due, ExpiresAt: expires}
	if due.After(w.vars.Now) {
		base.Reason = Quiet
	}
	switch ch {
	case SMS:
		if d.Customer.Phone == "" {
			return NoAddress
		}
		body, err := w.text()
		if err != nil {
			return wordless(err)
		}
		base.Address, base.Body = d.Customer.Phone, body
		d.add(base, w)
	case Push:
		if len(p.Subscriptions) == 0 {
			return NoAddress
		}
		title, body, err := w.page()
		if err != nil {
			return wordless(err)
		}
		base.Title, base.Body = title, body
		for i := range p.Subscriptions {
			base.Address, base.Device = p.Subscriptions[i].ID, &p.Subscriptions[i]
			d.add(base, w)
		}
	}
	return ""
}

// add completes a message and notes what it supersedes.
func (d *Decision) add(m Message, w *words) {
	e := d.Stored.Event
	m.ID = MessageID(e, m.Channel, m.Address, 0)
	m.EventID, m.OrderID, m.CustomerID = e.ID, e.OrderID, e.CustomerID
	m.Line, m.Milestone, m.Sequence = e.Line, e.Milestone.Name, e.Sequence
	m.Urgency, m.Standing, m.OccurredAt = e.Milestone.Urgency, e.Milestone.Standing, e.OccurredAt
	m.State, m.CreatedAt, m.UpdatedAt = Pending, w.vars.Now, w.vars.Now
	m.RecordedAt, m.Trace = e.Origin.Time, e.Trace
	m.Link, _ = w.vars.Facts.URL("tracking_url")
	d.Messages = append(d.Messages, m)
}

// supersede makes older news of the order give way on a channel that has something newer to say.
func (d *Decision) supersede(ch Channel) {
	e := d.Stored.Event
	d.Supersede = append(d.Supersede, Supersede{
		OrderID: e.OrderID, Line: e.Line, CustomerID: e.CustomerID, Channel: ch, Keep: e.ID,
		Standing: e.Milestone.replacesStanding(),
	})
}

// replacesStanding tells whether the milestone may replace news that stands until it is answered.
func (m *Milestone) replacesStanding() bool { return m.Standing || m.Phase == PhaseClosed }

// after tells whether the head is newer than the event. Sequences decide where both have one, else event times, else
// the places in the table.
func (h *Head) after(e *Event) bool {
	switch {
	case h.Milestone == "":
		return false
	case h.Sequence > 0 && e.Sequence > 0:
		return e.Sequence < h.Sequence
	case !e.OccurredAt.Equal(h.OccurredAt):
		return e.OccurredAt.Before(h.OccurredAt)
	}
	m := MilestoneOf(h.Line, h.Milestone)
	return m != nil && e.Milestone.Rank < m.Rank
}

// at tells whether the head is the event itself.
func (h *Head) at(e *Event) bool {
	return h.Milestone == e.Milestone.Name && h.Sequence == e.Sequence &&
		(e.Sequence > 0 || e.OccurredAt.Equal(h.OccurredAt))
}

// standingFacts appends what is still true of an order. We wrote it ourselves; without it a text only falls back to "your
// driver".
func standingFacts(dst templates.Facts, h *Head) templates.Facts {
	if len(h.Facts) == 0 {
		return dst
	}
	facts, err := templates.AppendFacts(dst, string(h.Facts))
	if err != nil {
		return dst
	}
	return facts
}

// learn merges what an event says of a customer into what is known. An event that is late, or that speaks of a customer
// whom somebody wrote by REST, only fills blanks.
func learn(known Contact, said *Contact, onlyBlanks bool) (Contact, bool) {
	if said == nil {
		return known, false
	}
	next := known
	for _, f := range [...]struct{ dst, src *string }{
		{&next.Name, &said.Name}, {&next.Phone, &said.Phone}, {&next.Locale, &said.Locale}, {&next.TimeZone, &said.TimeZone},
	} {
		if *f.src != "" && (*f.dst == "" || !onlyBlanks) {
			*f.dst = *f.src
		}
	}
	return next, next != known
}
