package twilio

import "onmyway/notify"

// reportCodes are those of reports: Twilio took the text and it did not arrive.
var reportCodes = []Code{
	// The number.
	badAddress(30005, "the handset is unknown"),
	badAddress(30006, "a landline, or a carrier that is out of reach"),
	badAddress(30014, "the number is not valid"),

	// The phone and its carrier.
	{30003, notify.NotReached, "the phone is off or out of reach", later},
	{30008, notify.NotReached, "the carrier did not say why", later},
	{30017, notify.NotReached, "the carrier's network was too busy", later},
	{30410, notify.NotReached, "the carrier did not answer in time", later},
	{30485, notify.NotReached, "the carrier did not say why", later},
	{30500, notify.NotReached, "something failed on the way to the carrier", later},
	{30009, notify.NotReached, "a part of a long text was lost", later},
	{30011, notify.NotReached, "the carrier takes no pictures", mendText},
	{30020, notify.NotReached, "something failed inside Twilio", later},
	{30021, notify.NotReached, "something failed inside Twilio", later},

	// The text.
	badContent(30004, "the message was blocked"),
	badContent(30007, "the carrier filtered the message"),
	badContent(30019, "the text is too long for the carrier"),
	badContent(30038, "the text looks like a one-time password, which is not let through"),
	badContent(30103, "the links of the text could not be shortened"),
	badContent(30110, "a link of the text leads to a blocked site"),
	badContent(30111, "a link of the text leads to a blocked page"),
	{30450, notify.Refused, "Twilio's protection against fraud blocked it", "The operator looks at the protection settings in Twilio's console."},

	// Time.
	{30036, notify.Expired, "it waited at Twilio until it was no longer true", "Resend with force if it still helps."},
	{30012, notify.Refused, "the time that the text may wait is too short", later},
	{30013, notify.Refused, "the time that the text may wait is too long", "Tell the operator."},
	{30045, notify.Refused, "the time that the text may wait is not valid", "Tell the operator."},

	// Our account.
	misconfigured(30002, "the account is suspended", mendAccount),
	misconfigured(30010, "it costs more than the highest price that is set", mendAccount),
	misconfigured(30037, "the account may not send texts", mendAccount),

	// Our sender.
	misconfigured(30015, "the sender is of a kind that cannot be used", mendSender),
	misconfigured(30016, "sender and number are not of the same kind", mendSender),
	misconfigured(30018, "the carrier wants the sender to be registered", register),
	misconfigured(30024, "the carrier does not know the sender yet", register),
	misconfigured(30032, "the toll-free sender is not verified", register),
	misconfigured(30033, "the sender's A2P 10DLC campaign is suspended", register),
	misconfigured(30034, "the sender is not registered for A2P 10DLC", register),
	misconfigured(30035, "the sender is still being set up", "Wait until Twilio has set it up, then resend."),
	misconfigured(30040, "the carrier wants the sender to be registered", register),
	misconfigured(30041, "the sender is not registered for the United Kingdom", register),
	misconfigured(30042, "the carrier blocks this sender name", mendSender),
	misconfigured(30043, "the carrier does not take texts from abroad on this way", mendSender),

	// Too much at once.
	slowDown(30001, "the queue is full", later),
	slowDown(30022, "more texts than the A2P 10DLC campaign may send at once", later),
	slowDown(30023, "more texts than the A2P 10DLC campaign may send in a day", "Resend tomorrow if it still matters; the operator asks Twilio for more."),
	slowDown(30027, "more texts than T-Mobile takes from us in a day", "Resend tomorrow if it still matters; the operator asks Twilio for more."),
	slowDown(30454, "more texts than the account may send", "The operator asks Twilio for more."),
	slowDown(63017, "more texts at once than the account may send", later),
	slowDown(63038, "more texts than the account may send in a day", "Resend tomorrow if it still matters; the operator asks Twilio for more."),
}
