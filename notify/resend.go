package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"onmyway/templates"
)

// ResendRequest is what staff ask for when somebody did not get a message.
type ResendRequest struct {
	Of         ID
	Channel    Channel // empty: the channel of the message itself
	Reason     string  // why, in the words of the person who asks
	Force      bool    // also when the text is no longer true
	Act        Act     // who asks, and when
	Idempotent Idempotent
}

// Refusal is the error of a resend that must not be made, with what to do instead.
type Refusal struct {
	Code   string // stable, see the Refuse constants
	Detail string
}

// The codes of a Refusal.
const (
	RefuseChannel  = "choose_channel"   // the live page has it already: name another channel
	RefusePending  = "still_pending"    // the message has not left yet
	RefuseVerify   = "verify_open"      // whether it went out is not clear yet
	RefuseExpired  = "expired"          // the text is no longer true; force sends it all the same
	RefuseOptedOut = "opted_out"        // the customer does not want it; nothing overrides that
	RefuseConsent  = "no_consent"       // the customer did not consent to texts, or took it back
	RefuseStopped  = "stopped"          // this number gets no texts; nothing of ours overrides that
	RefuseAddress  = "no_address"       // there is no number or device to send it to
	RefuseOff      = "channel_off"      // the operator has not set the channel up
	RefuseHidden   = "not_visible"      // customers are never told this milestone
	RefuseJustSent = "just_sent"        // it went out moments ago; force sends it all the same
	RefuseWords    = "invalid_template" // the text can't be written from what is stored
)

// Refusals lists the codes, in the order in which they are explained.
var Refusals = []string{
	RefuseOptedOut, RefuseConsent, RefuseStopped, RefuseExpired, RefuseJustSent, RefuseVerify, RefusePending, RefuseAddress, RefuseChannel, RefuseOff,
	RefuseHidden, RefuseWords,
}

// Error is the detail.
func (r *Refusal) Error() string { return r.Detail }

// OptedOutRefusal is the answer to a resend that its customer does not want.
func OptedOutRefusal() *Refusal {
	return &Refusal{RefuseOptedOut, "the customer has turned this off: only they can turn it on again"}
}

// NoConsentRefusal is the answer to a resend to a customer who did not consent to texts.
func NoConsentRefusal() *Refusal {
	return &Refusal{RefuseConsent, "the customer did not consent to texts, or took it back: record their consent once they give it"}
}

// StoppedRefusal is the answer to a resend to a number that gets no texts, because source said so.
func StoppedRefusal(source StopSource) *Refusal {
	switch source {
	case StoppedByStaff:
		return &Refusal{RefuseStopped, "staff stopped texts to this number: they can lift that, if the recipient wants texts again"}
	case StoppedByProvider:
		return &Refusal{RefuseStopped, "the provider refuses texts to this number, which opted out there: only the recipient can lift it, by answering START"}
	}
	return &Refusal{RefuseStopped, "this number answered STOP: only the recipient can lift it, by answering START"}
}

// Refusal is the answer to a resend that is not made because of what the customer wants, by its reason; nil for others.
func (r Reason) Refusal() *Refusal {
	switch r {
	case OptedOut:
		return OptedOutRefusal()
	case NoConsent:
		return NoConsentRefusal()
	}
	return nil
}

// JustSent is how long after a message left another one of the same event and channel needs force: two people who help
// the same customer must not send two.
const JustSent = 30 * time.Second

// JustSentRefusal is the answer to a resend of what left that long ago.
func JustSentRefusal(ago time.Duration) *Refusal {
	seconds := fmt.Sprintf("%d seconds", int(ago.Seconds()))
	if seconds == "1 seconds" {
		seconds = "1 second"
	}
	return &Refusal{RefuseJustSent, "the same news left on this channel " + seconds + " ago: set force to send it once more"}
}

// ResendStore is the truth as Resender needs it.
type ResendStore interface {
	Entry(ctx context.Context, id ID) (Entry, error)
	Lookup(ctx context.Context, customers []string, profiles []Profile, orders []OrderLine, heads []Head) error
	// Repeated returns the message that an earlier call under the same key made; ErrKeyReused when that call asked
	// for something else.
	Repeated(ctx context.Context, key Idempotent) (id ID, made bool, err error)
	// AddResend stores r.Message as the next resend of its event and channel, made from r.Of, in one transaction with the
	// key and the audit row. When the key was used already it returns what that call made, with again set. It sets ID,
	// ResendOf, ResendNo and State. In the same transaction it is asked what the customer wants (OptedOutRefusal,
	// NoConsentRefusal), whether the number gets texts (StoppedRefusal), whether another text of the same event to the
	// same number may still arrive (UnsettledRefusal): staff may have asked from the live message or the push; and, unless
	// r.Force is set, whether the same news left within JustSent (JustSentRefusal).
	AddResend(ctx context.Context, act Act, r *Resend) (id ID, again bool, err error)
}

// Resend is a message to be stored that was made from another one.
type Resend struct {
	Message
	Of    ID
	Why   string
	Force bool
	Key   Idempotent
}

// Resender sends a message again: a new row, due now, on the same path as any other.
type Resender struct {
	Store ResendStore
	Rules func() *Rules
	Wake  func() // makes Sweep look now
}

// Resend makes a new message from the stored facts, as they are true now. The same key gives the same message. Errors:
// *Refusal, ErrNotFound, ErrKeyReused.
func (r *Resender) Resend(ctx context.Context, req ResendRequest) (Entry, error) {
	id, made, err := r.Store.Repeated(ctx, req.Idempotent)
	if err != nil {
		return Entry{}, err
	}
	if made {
		return r.Store.Entry(ctx, id)
	}
	old, err := r.Store.Entry(ctx, req.Of)
	if err != nil {
		return Entry{}, err
	}
	profiles, heads := make([]Profile, 1), make([]Head, 1)
	if err := r.Store.Lookup(ctx, []string{old.CustomerID}, profiles, []OrderLine{{old.OrderID, old.Line}}, heads); err != nil {
		return Entry{}, fmt.Errorf("look up the customer of message %s: %w", req.Of, err)
	}
	m, err := r.Rules().resend(&old, &profiles[0], &heads[0], req)
	if err != nil {
		return Entry{}, err
	}
	add := Resend{Message: m, Of: req.Of, Why: req.Reason, Force: req.Force, Key: req.Idempotent}
	if id, _, err = r.Store.AddResend(ctx, req.Act, &add); err != nil {
		return Entry{}, err
	}
	r.Wake()
	return r.Store.Entry(ctx, id)
}

// UnsettledRefusal is the answer to a resend of news of which a message in state s may still arrive; nil for one whose end is
// known.
func UnsettledRefusal(s State, force bool) *Refusal {
	switch s {
	case Unknown:
		if !force {
			return &Refusal{RefuseVerify, "nobody knows whether the first one went out: set force to send it all the same"}
		}
	case Verify:
		return &Refusal{RefuseVerify, "whether the first one went out is not clear yet: wait until it is"}
	case Pending, Sending:
		return &Refusal{RefusePending, "the message has not left yet: it goes out by itself"}
	}
	return nil
}

// resend decides what is sent again, or why nothing may be. Pure.
func (r *Rules) resend(old *Entry, p *Profile, h *Head, req ResendRequest) (Message, error) {
	now := req.Act.At
	refuse := func(code, detail string) (Message, error) { return Message{}, &Refusal{code, detail} }
	ch := req.Channel
	if ch == "" {
		ch = old.Channel
	}
	ms := MilestoneOf(old.Line, old.Milestone)
	switch {
	case ch == WebSocket:
		return refuse(RefuseChannel, "the live page shows it already: name the channel sms or push")
	case ms == nil || !ms.Visible:
		return refuse(RefuseHidden, "customers are never told this milestone")
	}
	if no := UnsettledRefusal(old.State, req.Force); no != nil && old.Channel == ch {
		return Message{}, no
	}
	expires := old.OccurredAt.Add(ms.Validity)
	if !now.Before(expires) {
		if !req.Force {
			return refuse(RefuseExpired, "the text was true until "+expires.UTC().Format(time.RFC3339)+": set force to send it all the same")
		}
		expires = now.Add(ms.Validity)
	}
	due, why := r.may(ch, ms, &p.Customer, now, expires)
	switch why {
	case OptedOut, NoConsent:
		return Message{}, why.Refusal()
	case OffByDefault:
		return refuse(RefuseOptedOut, "customers get this only when they ask for it in their preferences")
	case ChannelOff:
		return refuse(RefuseOff, "the channel "+string(ch)+" is not set up")
	case Quiet:
		return refuse(RefuseExpired, "the customer's quiet hours outlast the text")
	}
	return r.write(old, p, h, ch, due, expires, now)
}

// write makes the message of a resend.
func (r *Rules) write(old *Entry, p *Profile, h *Head, ch Channel, due, expires, now time.Time) (Message, error) {
	facts, err := templates.ParseFacts(old.Data)
	if err != nil {
		return Message{}, fmt.Errorf("read the facts of message %s: %w", old.ID, err)
	}
	w := r.words(old.Line, old.Milestone, &p.Customer,
		templates.Vars{OrderID: old.OrderID, Facts: facts.Inherit(nil, standingFacts(nil, h)), Now: now})
	m := old.Message
	m.Channel, m.State, m.Reason, m.Attempt, m.ProviderID = ch, Pending, "", 0, ""
	m.CreatedAt, m.UpdatedAt, m.DueAt, m.ExpiresAt = now, now, due, expires
	m.UnlessShown = false // staff know what the customer saw
	m.Locale, m.Asked, m.Template, m.ResendOf = w.Locale, w.asked, w.Version, old.ID
	if old.Channel == WebSocket { // its row is the event itself
		m.EventID = old.ID
	}
	m.Urgency = MilestoneOf(old.Line, old.Milestone).Urgency
	m.Title, m.Body = "", ""
	m.Link, _ = w.vars.Facts.URL("tracking_url")
	if due.After(now) {
		m.Reason = Quiet
	}
	var noWords error
	switch ch {
	case SMS:
		m.Address = p.Phone
		m.Body, noWords = w.text()
	case Push:
		m.Address = p.device(old.Address)
		m.Title, m.Body, noWords = w.page()
	}
	if m.Address == "" {
		return Message{}, &Refusal{RefuseAddress, "the customer has no number or device for " + string(ch)}
	}
	if noWords != nil {
		return Message{}, &Refusal{RefuseWords, "the text can't be written: " + noWords.Error()}
	}
	return m, nil
}

// device is the subscription that a push went to if it still exists, else the newest one; empty for none.
func (p *Profile) device(old string) string {
	if slices.ContainsFunc(p.Subscriptions, func(s Subscription) bool { return s.ID == old }) {
		return old
	}
	newest := Subscription{}
	for _, s := range p.Subscriptions {
		if !s.CreatedAt.Before(newest.CreatedAt) {
			newest = s
		}
	}
	return newest.ID
}
