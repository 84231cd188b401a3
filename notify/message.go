package notify

import (
	"strconv"
	"time"
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
)

// Reason says why a message was not sent, is waiting or failed. The codes are stable.
type Reason string

// Why a message was not sent.
const (
	Stale           Reason = "stale"            // a newer milestone of the order is known already
	Superseded      Reason = "superseded"       // a newer message came before this one left
	Expired         Reason = "expired"          // it was no longer true when it could have left
	OptedOut        Reason = "opted_out"        // the customer turned this channel or category off
	NoAddress       Reason = "no_address"       // no phone number, no device with alerts
	NoTemplate      Reason = "no_template"      // there are no words for the milestone
	InvalidTemplate Reason = "invalid_template" // the text could not be written from what the event says
	ChannelOff      Reason = "channel_off"      // the operator has not set this channel up
	NotVisible      Reason = "not_visible"      // an internal milestone: customers are never told
)

// Why a message waits or failed.
const (
	Quiet         Reason = "quiet_hours"   // held until the customer's quiet hours end
	RateLimited   Reason = "rate_limited"  // the provider asked us to slow down
	Unreachable   Reason = "unreachable"   // the provider could not be reached
	UnclearEnd    Reason = "unclear_end"   // the request left and no clear answer came
	OwnerDied     Reason = "owner_died"    // the process that was sending it died
	BadAddress    Reason = "bad_address"   // the number or device can't be reached, for good
	BadContent    Reason = "bad_content"   // the provider refuses the text
	Misconfigured Reason = "misconfigured" // credentials, sender or permission: ours to mend
	GaveUp        Reason = "gave_up"       // too many attempts
	Refused       Reason = "refused"       // the provider refuses it for another reason, see the attempt
)

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
	Locale     string  // of the text: what the template has, not what was asked
	Template   string  // version of the template
	Urgency    Urgency // of the milestone
	Standing   bool    // of the milestone: see Milestone.Standing

	State      State
	Reason     Reason
	OccurredAt time.Time
	CreatedAt  time.Time
	DueAt      time.Time // not before
	ExpiresAt  time.Time // not after
	UpdatedAt  time.Time
	Attempt    int // how many were started
	ProviderID string

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
