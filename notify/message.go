package notify

import (
	"strconv"
	"time"

	"onmyway/templates"
)

// Channel is a way to reach a customer.
type Channel string

// The channels. A partner's webhook is not among them: it tells a company, not the customer.
const (
	SMS       Channel = "sms"
	Push      Channel = "push"
	WebSocket Channel = "websocket"
)

// Channels lists them in the order in which people say them.
var Channels = []Channel{SMS, Push, WebSocket}

// State is where a message stands.
//
//	pending -> sending -> accepted -> sent -> delivered | undelivered | failed
//	           sending -> pending   only when the provider definitely did not take it
//	           sending -> verify    when that is unclear (SMS)
//	           verify  -> accepted | pending (the provider does not have it) | unknown (it could not be asked)
//	pending -> suppressed           with a Reason
type State string

// The states. Their rank only grows, but for sending -> pending.
const (
	Pending     State = "pending"
	Sending     State = "sending"
	Verify      State = "verify"
	Accepted    State = "accepted"
	Sent        State = "sent"
	Delivered   State = "delivered"
	Undelivered State = "undelivered"
	Failed      State = "failed"
	Suppressed  State = "suppressed"
	Unknown     State = "unknown" // it may have arrived or not: staff decide
)

// rank orders what is known of a message that a provider took.
var rank = map[State]int{Accepted: 1, Sent: 2, Delivered: 3, Undelivered: 3, Failed: 3}

// Outranks tells whether a report of state s replaces what is known: ranks only grow, and the first end is the end.
// Before a provider took a message nothing has a rank.
func (s State) Outranks(known State) bool { return rank[s] > rank[known] }

// States lists them in the order in which a message goes through them.
var States = []State{Pending, Sending, Verify, Accepted, Sent, Delivered, Undelivered, Failed, Suppressed, Unknown}

// Message is one text to one address of one customer about one event.
type Message struct {
	ID         ID
	EventID    ID // the event that it tells
	OrderID    string
	CustomerID string
	Line       Line
	Milestone  string
	Sequence   int64
	Channel    Channel
	Address    string // E.164 for SMS, a Subscription.ID for push
	Title      string // push and WebSocket
	Body       string
	Link       string  // where a tap leads; empty for none
	Locale     string  // of the text: what the template has
	Asked      string  // the customer's own locale where that is another one, such as "es-MX"; else empty
	Template   string  // version of the template
	Urgency    Urgency // of the milestone
	Standing   bool    // of the milestone: see Milestone.Standing
	// UnlessShown says that the text stays unsent if a screen shows its news first, whatever it waits for by then. Its route said so
	// when it was made.
	UnlessShown bool

	State      State
	Reason     Reason
	OccurredAt time.Time
	CreatedAt  time.Time
	DueAt      time.Time // not before
	ExpiresAt  time.Time // not after
	UpdatedAt  time.Time
	Attempt    int // how many were started
	ProviderID string

	RecordedAt time.Time // when the producer wrote the event into Kafka; zero for resends
	Trace      string    // W3C traceparent of the event; empty for none

	// PerHour is how many texts its number gets in an hour before this one has to wait, 0 for any number. It is not stored:
	// the dispatcher says it.
	PerHour int

	// Device is the subscription that Address names, as the decision saw it: it spares a first attempt a query. It is not
	// stored; nil after a Claim.
	Device *Subscription

	ResendOf ID // the message that staff asked to send again; zero for none
	ResendNo int
}

// MessageID is the id of a message to one address: the same event, channel, address and resend number give the same id.
func MessageID(e *Event, ch Channel, address string, resendNo int) ID {
	return NewID(e.OccurredAt, e.Key, string(ch), address, strconv.Itoa(resendNo))
}

// DigestTemplate is the Template of a text that tells the news of several messages.
const DigestTemplate = templates.DigestVersion

// IsDigest tells that the text tells the news of several messages.
func (m *Message) IsDigest() bool { return m.Template == DigestTemplate }

// Leaves tells whether a message that is decided at now goes to its dispatcher from memory. Then its row is this process's own,
// and only then: what is nobody's is found by Sweep.
func (m *Message) Leaves(now time.Time) bool { return m.State == Pending && !m.DueAt.After(now) }

// Attempt is one try to hand a message to a provider.
type Attempt struct {
	No         int       `json:"no"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	Verdict    Verdict   `json:"verdict"`
	Reason     Reason    `json:"reason,omitempty"`
	Status     int       `json:"status,omitempty"` // HTTP
	Code       int       `json:"code,omitempty"`   // the provider's own error code
	ProviderID string    `json:"provider_id,omitempty"`
	Detail     string    `json:"detail,omitempty"` // in words, without address and text
}

// NotSent is a decision not to use a channel.
type NotSent struct {
	Channel Channel `json:"channel"`
	Reason  Reason  `json:"reason"`
}
