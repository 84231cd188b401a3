// Package demo shows the whole of Onmyway on one machine, and proves its promises on demand.
//
// It stands around the service and not in it: the service is a child process, the very command that an operator runs, and
// the demo hosts what lies outside of it.
//
//	orders ─► Kafka ─► onmyway serve (a child process) ─► simulated Twilio and push service, each with a ledger
//	                        │      └─► live sockets of the demo's own
//	                        └─► REST: what was decided, and why
//
// Play shows it to a person, on a page and in the terminal. Once sends a given number of events as fast as it can and
// judges by what the receivers got, never by the service's own books.
package demo
