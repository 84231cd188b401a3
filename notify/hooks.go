package notify

import "time"

// Hooks tell an observer what happens, like net/http/httptrace does. Any func may be nil. They are called on the path:
// they must be quick, must not block and are safe for concurrent use.
type Hooks struct {
	// Batch is called after a batch was stored: how many records it had, what became of them, how long it took.
	Batch func(b BatchStats)
	// Stored is called with a batch that SQL has; New tells which events it did not have before. The batch is not kept.
	Stored func(b *Batch)
	// Published is called when open sockets have been shown what is new: with when the records of its events were made. The
	// slice is not kept.
	Published func(recorded []time.Time)
	// Attempted is called after every attempt to send. Since is the time from the decision to send it.
	Attempted func(m *Message, a Answer, took, since time.Duration)
	// HandedBack is called with messages that go back to SQL without an attempt. The reason is empty where memory has no room.
	HandedBack func(ch Channel, why Reason, n int)
	// Throttled is called when a message has waited for the limit of its channel's sender.
	Throttled func(ch Channel, waited time.Duration)
	// Moved is called when texts are held because their number had enough, and when those are told together or dropped: of
	// the outcomes only Attempt is empty.
	Moved func(moves []Outcome)
	// Finished is called when outcomes are in SQL.
	Finished func(done []Outcome)
	// Settled is called when texts of which it was unclear whether they left are settled.
	Settled func(done []Settlement)
	// Reported is called when what a provider says has moved a message: only ID, Channel, Milestone, State and Reason count.
	Reported func(m *Message)
	// Inbound is called when somebody's text to us was acted on; changed tells whether it made a difference.
	Inbound func(word Keyword, changed bool)
	// Spared is called when texts stay unsent because their customers saw the news on a screen: with the milestone of each.
	Spared func(milestones []string)
	// Forgotten is called when old rows of a table were deleted.
	Forgotten func(table string, rows int)
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
