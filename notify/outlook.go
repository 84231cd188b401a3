package notify

import (
	"slices"
	"time"
)

// Prospect is what would become of a message.
type Prospect string

// The prospects.
const (
	WouldSend Prospect = "sent"
	WouldHold Prospect = "held"
	WouldNot  Prospect = "not_sent"
)

// Outlook is what would become of news of one category on one channel, if it came now.
type Outlook struct {
	Category Category
	Channel  Channel
	Prospect Prospect
	Reason   Reason    // for anything but WouldSend
	Until    time.Time // for WouldHold
	Urgent   bool      // for WouldHold: what is urgent goes out all the same
}

// Outlook says for every category and channel what would be sent to a customer now. Pure.
func (r *Rules) Outlook(p *Profile, now time.Time) []Outlook {
	all := make([]Outlook, 0, len(Categories)*len(Channels))
	for _, cat := range Categories {
		for _, ch := range Channels {
			all = append(all, r.outlook(p, cat, ch, now))
		}
	}
	return all
}

func (r *Rules) outlook(p *Profile, cat Category, ch Channel, now time.Time) Outlook {
	o := Outlook{Category: cat, Channel: ch, Prospect: WouldNot, Reason: NotRouted}
	if ch == SMS && p.Phone == "" || ch == Push && len(p.Subscriptions) == 0 {
		o.Reason = NoAddress
	}
	held, sent := false, false
	for _, line := range Lines {
		for _, m := range Milestones(line) {
			if m.Category != cat || !m.Visible || !slices.Contains(r.Routes[m].Channels, ch) {
				continue
			}
			due, why := r.may(ch, m, &p.Customer, now, now.Add(m.Validity))
			switch {
			case why == Quiet || why == "" && due.After(now):
				held, o.Until = true, p.Preferences.Quiet.Until(now, r.zone(&p.Customer))
			case why != "":
				o.Reason = why
			default:
				sent = true
			}
		}
	}
	switch {
	case o.Reason == NoAddress, !held && !sent:
		o.Until = time.Time{}
	case held:
		o.Prospect, o.Reason, o.Urgent = WouldHold, Quiet, sent
	default:
		o.Prospect, o.Reason = WouldSend, ""
	}
	return o
}
