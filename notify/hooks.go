package notify

import "time"

// Hooks tell an observer what happens, like net/http/httptrace does. Any func may be nil. They are called on the path:
// they must be quick, must not block and are safe for concurrent use.
type Hooks struct {
	// Batch is called after a batch was stored: how many records it had, what became of them, how long it took.
	Batch func(b BatchStats)
	// Stored is called with a batch that SQL has; New tells which events it did not have before. The batch is not kept.
	Stored func(b *Batch)
	// Published is called with a batch whose live messages open sockets have been shown. The batch is not kept.
	Published func(b *Batch)
	// Attempted is called after every attempt to send. Since is the time from the decision to send it.
	Attempted func(m *Message, a Answer, took, since time.Duration)
	// Finished is called when outcomes are in SQL.
	Finished func(done []Outcome)
	// Settled is called when texts of which it was unclear whether they left are settled.
	Settled func(done []Settlement)
	// Inbound is called when somebody's text to us was acted on; changed tells whether it made a difference.
	Inbound func(word Keyword, changed bool)
	// Retrying is called when an engine fails and is tried again, by Outage.Engine.
	Retrying func(engine string, err error)
}

// BatchStats counts what became of a batch.
type BatchStats struct {
	Topic     string
	Partition int
	Records   int
	Stored    int
	Repeated  int
	Rejected  int
	Messages  int
	Lag       time.Duration // age of the oldest record when the batch was stored
	Took      time.Duration
}
