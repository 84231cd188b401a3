package notify

import (
	"maps"
	"time"
)

// Consent is what a customer said about being told on a channel, and how we know of it.
type Consent struct {
	Given  bool      `json:"given"`  // false: withdrawn
	At     time.Time `json:"at"`     // when the customer said it, to the millisecond
	Source string    `json:"source"` // how: "web form", "phone call", or one of the Consent constants
}

// Sources of consent that are not a person who records what a customer said.
const (
	ConsentByEvent  = "order event"
	ConsentByImport = "import"
)

// ByEvent is who records what an order event says of consent.
const ByEvent = "event"

// ConsentChannels are the channels on which consent is asked for. Alerts are allowed, and forbidden, in the browser itself;
// the live page comes to nobody who does not open it.
var ConsentChannels = []Channel{SMS}

// ConsentRecord is one row of the ledger of consent: who said what, when and how. Rows are only ever added.
type ConsentRecord struct {
	No         int64 // grows from row to row of the whole ledger
	CustomerID string
	Channel    Channel
	Consent
	RecordedAt time.Time
	By         string // who recorded it: the name of the API key, "command line", or ByEvent
	Evidence   string // what proves it, in words: the address of a form, the number of a call
}

// Consents are the newest answers of a customer, by channel; a channel that is not in it was never spoken of. Copies of a
// customer share it, so it is never changed in place.
type Consents map[Channel]Consent

// Withdrawn tells that the customer gave no consent when last asked, or took it back.
func (c Consents) Withdrawn(ch Channel) bool {
	said, there := c[ch]
	return there && !said.Given
}

// word is the answer for a channel as the audit names it.
func (c Consents) word(ch Channel) string {
	switch said, there := c[ch]; {
	case !there:
		return "none"
	case said.Given:
		return "given"
	}
	return "withdrawn"
}

// with is c with another answer.
func (c Consents) with(ch Channel, said Consent) Consents {
	next := maps.Clone(c)
	if next == nil {
		next = Consents{}
	}
	next[ch] = said
	return next
}

// Answer takes over what somebody recorded, if it is the newest that the customer said, and tells whether it is.
func (c Consents) Answer(r *ConsentRecord) (next Consents, newest bool) {
	if was, there := c[r.Channel]; there && r.At.Before(was.At) {
		return c, false
	}
	return c.with(r.Channel, r.Consent), true
}

// Hear takes over what a machine says that repeats itself, an order event or an import, if that is news. A system that was
// never told of a withdrawal goes on saying yes: so a yes lifts a withdrawal only when both came the same way.
func (c Consents) Hear(ch Channel, said Consent) (next Consents, news bool) {
	was, there := c[ch]
	switch {
	case !there:
	case was.Given == said.Given, said.At.Before(was.At):
		return c, false
	case said.Given && was.Source != said.Source:
		return c, false
	}
	return c.with(ch, said), true
}

// Refuses is why a customer gets nothing of a category on a channel, whatever the operator's rules are: OptedOut or
// NoConsent. It is empty when they said nothing against it.
func (c *Customer) Refuses(ch Channel, cat Category) Reason {
	switch {
	case !c.Preferences.Allows(ch, cat):
		return OptedOut
	case c.Consents.Withdrawn(ch):
		return NoConsent
	}
	return ""
}

// consented tells whether a customer may be told on a channel as far as consent goes.
func (r *Rules) consented(ch Channel, c *Customer) bool {
	said, there := c.Consents[ch]
	if !there {
		return ch != SMS || !r.ExplicitConsent
	}
	return said.Given
}

// hear takes over what the event says of consent. It is said when the event happened, but not in the future: a later
// withdrawal must be later.
func (d *Decision) hear(now time.Time) {
	e := d.Stored.Event
	for _, ch := range ConsentChannels {
		given, says := e.Consents[ch]
		if !says {
			continue
		}
		said := Consent{Given: given, At: e.OccurredAt.UTC().Truncate(time.Millisecond), Source: ConsentByEvent}
		if said.At.After(now) {
			said.At = now.UTC().Truncate(time.Millisecond)
		}
		next, news := d.Customer.Consents.Hear(ch, said)
		if !news {
			continue
		}
		d.Customer.Consents, d.Learned = next, true
		d.Stored.Consents = append(d.Stored.Consents, ConsentRecord{
			CustomerID: e.CustomerID, Channel: ch, Consent: said, RecordedAt: now, By: ByEvent, Evidence: "event " + e.ID.String(),
		})
	}
}
