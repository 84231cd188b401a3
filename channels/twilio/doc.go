// Package twilio sends text messages through the Twilio Messages API. It is the end of the path for the SMS channel:
//
//	notify.Dispatcher ─► Sender.Send ─► one POST to Messages.json ─► notify.Answer
//
// A text that goes out twice costs money and trust, and Twilio takes no idempotency key. So one Send is at most one
// request, and its Answer never claims more than the exchange proved: only what Twilio confirmed is Took, only what
// cannot have reached Twilio is NotTaken, and everything between is Unclear. What became of an unclear one is learned from
// the status callback, whose address is different for every attempt.
//
// Package twiliotest holds a simulated Twilio.
package twilio
