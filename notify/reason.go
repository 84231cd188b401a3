package notify

// Reason says why a message was not sent, is waiting or failed. The codes are stable.
type Reason string

// Why a message was not sent.
const (
	Stale           Reason = "stale"            // a newer milestone of the order is known already
	Superseded      Reason = "superseded"       // a newer message came before this one left
	Expired         Reason = "expired"          // it was no longer true when it could have left
	OptedOut        Reason = "opted_out"        // the customer turned this channel or category off
	Stopped         Reason = "stopped"          // the recipient answered STOP from this number, or staff stopped it
	OffByDefault    Reason = "off_by_default"   // the operator sends it only to those who ask for it
	NoAddress       Reason = "no_address"       // no phone number, no device with alerts
	NoTemplate      Reason = "no_template"      // there are no words for the milestone
	InvalidTemplate Reason = "invalid_template" // the text could not be written from what the event says
	ChannelOff      Reason = "channel_off"      // the operator has not set this channel up
	NotRouted       Reason = "not_routed"       // no route takes the milestone to this channel
	ETAUnmoved      Reason = "eta_unmoved"      // the arrival time is nearly the one told last
	NotVisible      Reason = "not_visible"      // an internal milestone: customers are never told
	NoConsent       Reason = "no_consent"       // the operator texts only those who said yes, and this customer did not
	SeenOnScreen    Reason = "seen_on_screen"   // the customer saw it on a device before the text left
	Digested        Reason = "digested"         // its news went out in one text with others
)

// Why a message waits or failed.
const (
	Quiet         Reason = "quiet_hours"   // held until the customer's quiet hours end
	Settling      Reason = "settling"      // held for a moment: the order has just changed, and may again
	ScreenFirst   Reason = "screen_first"  // held for a moment: the customer may see it on a device
	Capped        Reason = "capped"        // the recipient had enough texts for now
	ProviderDown  Reason = "provider_down" // the provider fails so much that it is left alone for a while
	RateLimited   Reason = "rate_limited"  // the provider asked us to slow down
	Unreachable   Reason = "unreachable"   // the provider could not be reached
	UnclearEnd    Reason = "unclear_end"   // the request left and no clear answer came
	OwnerDied     Reason = "owner_died"    // the process that was sending it died
	BadAddress    Reason = "bad_address"   // the number or device can't be reached, for good
	BadContent    Reason = "bad_content"   // the provider refuses the text
	Misconfigured Reason = "misconfigured" // credentials, sender or permission: ours to mend
	GaveUp        Reason = "gave_up"       // too many attempts
	NotReached    Reason = "not_reached"   // the provider took it and the carrier or the phone did not
	Refused       Reason = "refused"       // the provider refuses it for another reason, see the attempt
)

// ReasonText explains a reason to support staff. Means completes a sentence after "because": Explain puts names and times
// around it.
type ReasonText struct {
	Code  Reason
	Means string // in words, without a full stop
	Todo  string // what staff or the operator can do; a sentence
}

// Reasons explains every reason, in the order in which docs/reasons.md lists them.
var Reasons = []ReasonText{
	{OptedOut, "the customer turned it off", "Nothing overrides it: only the customer can turn it on again."},
	{Stopped, "texts to this number were stopped", "Who answered STOP lifts it by answering START; what staff stopped, staff lift."},
	{OffByDefault, "it is sent only to those who ask for it", "The customer can turn it on in their preferences."},
	{NoConsent, "no consent to texts is on record", "Record the customer's consent once they gave it; then resend."},
	{SeenOnScreen, "the customer saw it on a device first", "Nothing: a text would have said it a second time."},
	{Digested, "its news went out in one text with others", "Look at the text to the same number that was sent at that time."},
	{NoAddress, "no phone number or device is known", "Add the number, or let the customer allow alerts on their page; then resend."},
	{Quiet, "it is the customer's quiet hours", "It leaves by itself when they end."},
	{Settling, "the order has just changed and may change again", "It leaves by itself unless newer news comes first."},
	{ScreenFirst, "the customer may see it on a device first", "It leaves by itself unless they do."},
	{Capped, "the recipient had enough texts for now", "It leaves by itself, in one text with others that wait."},
	{Superseded, "newer news of the order came before it could leave", "Look at the newer message. Resend this one only if it still matters."},
	{Stale, "newer news of the order was known already", "Nothing: the event came late and what it says is history."},
	{Expired, "it was no longer true when it could have left", "Resend with force if it still helps."},
	{ETAUnmoved, "the arrival time is nearly the one told last", "Nothing: the live page shows the exact time."},
	{NotVisible, "the milestone is internal", "Nothing: customers are never told it."},
	{ChannelOff, "the channel is not set up", "The operator sets it up in the configuration."},
	{NotRouted, "no route takes the milestone there", "The operator changes the routes in the configuration."},
	{NoTemplate, "the milestone has no words", "The operator adds a template."},
	{InvalidTemplate, "the words could not be filled in from what the event says", "The operator runs: onmyway templates lint."},
	{RateLimited, "the provider asked us to slow down", "It is tried again by itself."},
	{ProviderDown, "the provider fails and is left alone for a while", "It is tried again by itself."},
	{Unreachable, "the provider could not be reached", "It is tried again by itself."},
	{UnclearEnd, "the request left and no clear answer came", "It is not sent again before it is clear that it did not arrive."},
	{OwnerDied, "the process that was sending it stopped", "It is not sent again before it is clear that it did not arrive."},
	{BadAddress, "the number or device can't be reached, for good", "Ask the customer for another number."},
	{BadContent, "the provider refuses the text", "The operator looks at the template and at the provider's code."},
	{Misconfigured, "our account, sender or permission at the provider is wrong", "The operator runs: onmyway doctor."},
	{GaveUp, "every attempt failed", "See the attempts. Resend when the provider works again."},
	{NotReached, "the carrier or the phone did not take it", "See the provider's code in the attempts. Resend if it still matters."},
	{Refused, "the provider refuses it", "See the provider's code in the attempts."},
}

var reasonTexts = func() map[Reason]*ReasonText {
	texts := make(map[Reason]*ReasonText, len(Reasons))
	for i := range Reasons {
		texts[Reasons[i].Code] = &Reasons[i]
	}
	return texts
}()

// Means is what the reason says in words, without a full stop, as ReasonText.Means; its code when it is one of a newer release.
func (r Reason) Means() string {
	switch t := reasonTexts[r]; {
	case t != nil:
		return t.Means
	case r == "":
		return "no reason was recorded"
	}
	return string(r)
}
