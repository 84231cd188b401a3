package notify

import "time"

// Customer is a person who is told things, as stored.
type Customer struct {
	ID string
	Contact
	Preferences Preferences
	Consents    Consents
	// ByAPI is set once somebody wrote the customer by REST: from then on events fill blanks and overwrite nothing.
	ByAPI     bool
	Version   int64 // grows by one with every write; 0 for a customer that is not stored
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Preferences are a customer's own choices. What is absent is as the operator has it, see Defaults.
type Preferences struct {
	Channels   map[Channel]bool              `json:"channels,omitempty"`
	Categories map[Category]map[Channel]bool `json:"categories,omitempty"`
	Quiet      *QuietHours                   `json:"quiet_hours,omitempty"`
}

// Allows tells whether the customer takes this category on this channel, as far as they said anything about it.
func (p *Preferences) Allows(ch Channel, cat Category) bool {
	if on, said := p.Channels[ch]; said && !on {
		return false
	}
	if on, said := p.Categories[cat][ch]; said && !on {
		return false
	}
	return true
}

// Wants is why a customer does not take this category on this channel: OptedOut, or OffByDefault where the operator has it
// off and the customer did not ask for it. It is empty when they take it.
func (p *Preferences) Wants(ch Channel, cat Category, d Defaults) Reason {
	if !p.Allows(ch, cat) {
		return OptedOut
	}
	if d[cat][ch] && !p.Categories[cat][ch] {
		return OffByDefault
	}
	return ""
}

// Defaults are the categories that the operator sends on a channel only to customers who ask for it: true is off.
type Defaults map[Category]map[Channel]bool

// Profile is everything about a customer that a decision needs.
type Profile struct {
	Customer
	Subscriptions []Subscription
	Present       bool // a live page of theirs is open; only Intake asks, where it matters. It is not stored
}

// Subscription is one browser that takes Web Push, from its PushSubscription.
type Subscription struct {
	ID         string `json:"id"` // hex of a hash of the endpoint; the address of a push message
	CustomerID string `json:"customer_id"`
	Endpoint   string `json:"endpoint"`
	P256dh     string `json:"p256dh"` // base64url, the browser's public key
	Auth       string `json:"auth"`   // base64url, the shared secret
	CreatedAt  time.Time
}

// MaxSubscriptions is how many browsers of one customer are kept: when one more comes, the one that subscribed longest ago
// leaves. Browsers subscribe anew now and then, so that one is the least likely to be there still.
const MaxSubscriptions = 20

// Head is how far an order has come in one line of business: the newest event that was stored.
type Head struct {
	OrderID    string
	Line       Line
	CustomerID string
	Milestone  string
	Sequence   int64
	OccurredAt time.Time
	Facts      []byte // JSON object: what is still true of the order (driver, vehicle, tracking link), over all its events
	Told       Window // the arrival that the customer was told last, by a text or alert where they get any; zero for none
	Version    int64  // grows by one with every decision that is stored; 0 for an order that is not stored
	Steps      int64  // in a Batch: how many decisions lead from the stored row to this head, each a version; 0 counts as 1
}

// Next is the version that a head of a batch has when it is stored.
func (h *Head) Next() int64 { return h.Version + max(h.Steps, 1) }

// Stored is the head of a batch as it is read back.
func (h Head) Stored() Head {
	h.Version, h.Steps = h.Next(), 0
	return h
}

// OrderLine is the key of a Head.
type OrderLine struct {
	OrderID string
	Line    Line
}
