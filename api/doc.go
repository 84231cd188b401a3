// Package api is the REST interface, version 1: producers publish order events by it, staff read messages and send them
// again, and the customer's own systems keep names, numbers, preferences and browsers up to date.
//
//	request ─► headers, request id, access log, panics      request.go
//	   ▼       rate of the address                           limit.go
//	   ▼       key, scope, rate of the key                   auth.go
//	   ▼       the body against its schema, all faults at once
//	 one handler per call                                    events.go, customers.go, …
//	   ▼       an answer, or one problem (RFC 9457)          problem.go
//
// An event that is published here goes to Kafka and comes back by the same way as any other: this package decides
// nothing about messages and stores none. It imports notify and no adapter; whatever it needs is an interface of one to
// three methods beside the code that calls it.
package api
