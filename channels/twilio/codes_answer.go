package twilio

import "onmyway/notify"

// answerCodes are those of requests: Twilio did not take the text.
var answerCodes = []Code{
	// The number.
	badAddress(21211, "the number is not valid"),
	badAddress(21214, "the number cannot be reached"),
	badAddress(21217, "the number is not valid"),
	badAddress(21265, "the number is a short code"),
	badAddress(21401, "the number is not valid"),
	badAddress(21421, "the number is not valid"),
	badAddress(21604, "there is no number"),
	badAddress(21614, "the number is not a mobile number"),
	badAddress(21635, "the number is a landline"),

	// The person: Twilio keeps its own list of those who wrote STOP.
	{21610, notify.Stopped, "the recipient has unsubscribed", "Nothing: only the recipient can lift it, by answering START to our number."},

	// The text.
	badContent(21602, "the text is empty"),
	badContent(21605, "the text is too long"),
	badContent(21617, "the text is longer than 1600 characters"),
	badContent(21618, "the text holds what cannot be sent"),
	badContent(21619, "the text is empty"),
	badContent(21658, "a part of the request is too long"),

	// Our credentials and account.
	misconfigured(20003, "the credentials are not accepted", runDoctor),
	misconfigured(20005, "the account is not active", mendAccount),
	misconfigured(20006, "the credentials do not allow it", runDoctor),
	misconfigured(20008, "the credentials are for tests only", runDoctor),
	misconfigured(20010, "the account may not send texts", mendAccount),
	misconfigured(20403, "the credentials do not allow it", runDoctor),
	misconfigured(20404, "the account or messaging service does not exist", runDoctor),
	misconfigured(21408, "the account may not send to this country", "The operator allows the country in the geographic permissions of Twilio's console."),
	misconfigured(21470, "the account SID is not valid", runDoctor),
	misconfigured(21471, "the account does not exist", runDoctor),
	misconfigured(21472, "the account is not active", mendAccount),
	misconfigured(21607, "a trial account must send from its test number", "The operator upgrades the account."),
	misconfigured(21608, "a trial account sends only to verified numbers", "The operator upgrades the account, or verifies the number for a test."),

	// Our sender.
	misconfigured(21212, "the sender is not valid", mendSender),
	misconfigured(21407, "the sender cannot send texts", mendSender),
	misconfigured(21601, "the sender cannot send texts", mendSender),
	misconfigured(21603, "there is no sender", mendSender),
	misconfigured(21606, "the sender cannot send texts to this number", mendSender),
	misconfigured(21612, "this sender cannot reach this number", mendSender),
	misconfigured(21616, "the sender stands for more than one number", mendSender),
	misconfigured(21657, "the sender name is not valid", mendSender),
	misconfigured(21659, "the sender is not a number of this account", mendSender),
	misconfigured(21660, "the sender belongs to another account", mendSender),
	misconfigured(21661, "the sender cannot send texts", mendSender),
	misconfigured(21701, "the messaging service does not exist", mendSender),
	misconfigured(21702, "the messaging service is out of use", mendSender),
	misconfigured(21703, "the messaging service has no sender", mendSender),
	misconfigured(21704, "the messaging service has no phone number", mendSender),
	misconfigured(21705, "the messaging service does not exist", mendSender),
	misconfigured(21708, "the messaging service has no sender name", mendSender),
	misconfigured(21709, "the sender name is not allowed in the messaging service", mendSender),
	misconfigured(21711, "the sender is not in the messaging service", mendSender),
	misconfigured(21712, "the sender is in another messaging service", mendSender),
	misconfigured(21715, "the sender cannot do what the messaging service needs", mendSender),
	misconfigured(21910, "sender and number are not of the same kind", mendSender),

	// Our request.
	misconfigured(21609, "the address for status callbacks is not valid: see http.public_url", "The operator checks http.public_url."),
	misconfigured(21626, "the address for status callbacks is not valid: see http.public_url", "The operator checks http.public_url."),
	{21624, notify.Refused, "the time that the text may wait is not valid", "Resend; if it comes again, tell the operator."},
	{21627, notify.Refused, "the highest price is not a number", mendAccount},
	{21900, notify.Misconfigured, "the company id that India asks for is not valid", register},
	{21901, notify.Misconfigured, "the template id that India asks for is not valid", register},

	// Too much at once.
	slowDown(14107, "more than 30 replies went between two numbers in half a minute", nothing),
	slowDown(20429, "too many requests", nothing),
	slowDown(21611, "the queue of the sender is full", nothing),
}
