// Package twiliotest is a simulated Twilio: the Messages API with its manners, signed status callbacks, a ledger of all that
// it accepted, and faults on demand. Tests, the demo and the fault-injection harness send to it in place of Twilio:
//
//	twilio.Sender ─► Server ─► ledger, then the answer
//	                   └─────► status callbacks: queued, sent, delivered; see Delivery
//	somebody's text ─► Server.Receive ─► the hook of the account
//
// The ledger is the truth of a test: a text is in it exactly when the provider took it, whatever the sender was told.
package twiliotest
