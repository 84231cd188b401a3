// Package notify is the core of Onmyway: it turns an order event into messages and sees each of them to its end.
//
//	Kafka ─► kafkasource    one worker per partition; a batch is what is there
//	  ▼      Intake.Work    one straight function over the batch
//	1 Decode   mapping: records -> events, or a reject with its reasons
//	2 Look     Redis, one pipeline: which did we have, who are they, how far is each order; what misses comes from SQL
//	3 Decide   pure: (event, head, profile, rules, now) -> what is stored, what is sent, what is not and why
//	4 Publish  open sockets see it; a backlog is shown behind 5 instead
//	5 Add      one SQL transaction                                    <- durable here
//	6 Put      what is due goes from memory to the dispatchers
//	7 Mark     Redis, one pipeline, best effort
//	8 Commit   Kafka may forget it
//	  ▼      Dispatcher     per channel: lanes by customer, each with a queue
//	channels/*              one Send per message
//	  ▼      Finisher       gathers outcomes, one UPDATE for all that wait
//	Sweep                   claims what is due from SQL: retries, held messages, resends, the work of dead peers
//	Retention               lets old rows leave SQL
//
// 5 to 8 run beside 1 to 4 of the batches that follow. Those go on from where the ones before will leave an order, and what waits
// at 5 is stored as one: see path.go.
//
// The order "store, then mark, then commit" is what loses nothing; the deterministic ids of messages are what doubles
// nothing. The package knows no vendor: it imports the standard library, golang.org/x and templates. Everything else
// (Kafka, Redis, SQL, providers) stands behind a small interface declared beside the code that calls it.
package notify
