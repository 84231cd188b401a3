package notify

import "time"

// How it is said that a channel is used.
var goesOn = map[Channel]string{
	SMS: "Texted as soon as it happens.", Push: "An alert goes out as soon as it happens.",
	WebSocket: "Shown on the live page as soon as it happens.",
}

// ExplainOutlook says in words what Outlook says of a customer, one sentence for each, for support staff and preference
// pages. History are the audit rows of the customer, the newest first: they tell when something was turned off. Pure.
func (r *Rules) ExplainOutlook(p *Profile, history []AuditRow, now time.Time, all []Outlook) []string {
	w := who{name: calledBy(&p.Contact), zone: r.zone(&p.Customer), history: history, consents: p.Consents}
	said := make([]string, len(all))
	for i := range all {
		said[i] = w.prospect(&all[i], now)
	}
	return said
}

func (w *who) prospect(o *Outlook, now time.Time) string {
	switch {
	case o.Prospect == WouldSend:
		return goesOn[o.Channel]
	case o.Prospect == WouldHold && o.Urgent:
		return "Held until " + w.at(o.Until, now) + "; what is urgent goes out all the same."
	case o.Prospect == WouldHold:
		return "Held until " + w.at(o.Until, now) + ": " + w.name + " wants no messages before."
	}
	return w.without(o.Channel, o.Category, o.Reason, now)
}
