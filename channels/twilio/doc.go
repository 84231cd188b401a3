// Package twilio sends text messages through the Twilio Messages API, and takes what Twilio reports on them and what people
// answer. It is the end of the path for the SMS channel, and the way back:
//
//	notify.Dispatcher ─► Sender.Send ─► one POST to Messages.json ─► notify.Answer
//	notify.Reports ◄─ Hooks ◄─ POST /hooks/twilio/status/{attempt}
//	Inbox          ◄─ Hooks ◄─ POST /hooks/twilio/inbound ─► TwiML
//	what no callback settled ─► Sender.Find, Sender.Fetch ─► notify.Report
//
// A text that goes out twice costs money and trust, and Twilio takes no idempotency key. So one Send is at most one
// request, and its Answer never claims more than the exchange proved: only what Twilio confirmed is Took, only what
// cannot have reached Twilio is NotTaken, and everything between is Unclear. What became of an unclear one is learned from
// the status callback, whose address is different for every attempt, or else from Twilio's list of texts. The list is
// evidence both ways, so Find says "absent" only of a list that is provably Twilio's and whole.
//
// Callbacks come from the open Internet: nothing in one is looked at before its signature is checked. What Twilio's error
// codes mean is in Codes and in docs/sms-errors.md.
//
// Package twiliotest holds a simulated Twilio.
package twilio
