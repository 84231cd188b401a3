package notifytest

import (
	"context"
	"testing"
	"time"

	"onmyway/notify"
)

// Truth is everything that a store of the truth does: what Intake, the dispatchers and Sweep ask, and what staff ask.
type Truth interface {
	notify.Store
	notify.Ledger
	notify.Outbox
	Position(ctx context.Context, topic string, partition int) (next int64, known bool, err error)
	Find(ctx context.Context, q notify.Query) ([]notify.Entry, error)
	Entry(ctx context.Context, id notify.ID) (notify.Entry, error)
	Customer(ctx context.Context, id string) (notify.Profile, error)
	PutCustomer(ctx context.Context, now time.Time, c notify.Customer) (notify.Customer, error)
	Subscribe(ctx context.Context, sub notify.Subscription) error
	Unsubscribe(ctx context.Context, customerID, id string) error
	Subscriptions(ctx context.Context, customerID string) ([]notify.Subscription, error)
	SubscriptionByID(ctx context.Context, id string) (notify.Subscription, error)
	AddResend(ctx context.Context, now time.Time, of notify.ID, m notify.Message, by, why string, idem notify.Idempotent) (id notify.ID, again bool, err error)
	Repeated(ctx context.Context, idem notify.Idempotent) (id notify.ID, made bool, err error)
	Close() error
}

var _ Truth = (*Store)(nil)

// Nodes starts one more process over the same truth. Closing what it returns is the death of that process.
type Nodes func(t *testing.T) Truth

// TestStore checks a Truth. Open makes a new, empty one and returns how to start nodes over it; a node that a test does
// not close is closed by open's own cleanup.
func TestStore(t *testing.T, open func(t *testing.T) Nodes) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, nodes Nodes)
	}{
		{"Add stores an event once", addOnce},
		{"Add finds repeats in a batch", addRepeatsInBatch},
		{"Add finds the same fact under another id", addSameFact},
		{"Add counts versions of heads", addHeads},
		{"Add stores nothing when a head moved", addHeadMoved},
		{"Add checks the choices that messages follow", addTold},
		{"Add leaves heads and customers to the first of repeats", addRepeatLeavesHeads},
		{"Add stores customers", addCustomers},
		{"Add gives an order to another customer", addNewOwner},
		{"Add supersedes older messages", addSupersedes},
		{"Add supersedes within a batch", addSupersedesInBatch},
		{"Add supersedes for an event without message", addSupersedesWithoutMessage},
		{"Add supersedes what comes back from its way", addSupersedesOnTheWay},
		{"Add keeps what stands", addKeepsStanding},
		{"Add keeps the position", addPosition},
		{"Add refuses bad bytes", addBadBytes},
		{"Add takes many rows", addMany},
		{"Add stores rejects", addRejects},
		{"Begin makes sending durable once", beginOnce},
		{"Begin leaves what is not due", beginNotDue},
		{"Begin suppresses what has expired", beginExpired},
		{"Begin respects owners", beginOwners},
		{"Finish follows the table", finishTable},
		{"Finish drops other attempts", finishOtherAttempt},
		{"Finish needs no Begin for channels that may repeat", finishWithoutBegin},
		{"Finish forgets a browser", finishForgets},
		{"Finish keeps all attempts", finishAttempts},
		{"Release gives messages back", release},
		{"Claim takes the oldest first", claimOldest},
		{"Claim suppresses what has expired", claimExpired},
		{"Claim shares work between nodes", claimShared},
		{"Reclaim takes from the dead alone", reclaimDead},
		{"Find filters and pages", findPages},
		{"Find tells the whole story", findStory},
		{"Entry is not found", entryNotFound},
		{"PutCustomer overwrites and suppresses", putCustomer},
		{"Subscriptions come and go", subscriptions},
		{"AddResend numbers and repeats", addResend},
		{"Empty calls do nothing", emptyCalls},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// noon is the time at which the tests of stores happen.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// newEvent makes an event of a Car Haul order that happened at noon plus sequence seconds.
func newEvent(order, customer, milestone string, sequence int64) notify.Event {
	e := notify.Event{
		OrderID: order, CustomerID: customer, Line: notify.CarHaul, Milestone: notify.MilestoneOf(notify.CarHaul, milestone),
		Sequence: sequence, OccurredAt: noon.Add(time.Duration(sequence) * time.Second),
		Data:   []byte(`{"driver_name":"Sam"}`),
		Origin: notify.Origin{Topic: "order-events", Partition: 3, Offset: 40 + sequence, Time: noon},
	}
	e.Key = notify.EventKey("", order, e.Line, milestone, sequence)
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

func stored(e *notify.Event) notify.Stored {
	return notify.Stored{
		Event: e, State: notify.Sent, Title: "On the way", Body: "Sam is on the way.", Locale: "en", Template: "v1",
		NotSent: []notify.NotSent{{Channel: notify.Push, Reason: notify.NoAddress}},
	}
}

// newMessage makes a message about e that is due at noon and true for two hours.
func newMessage(e *notify.Event, ch notify.Channel, address string) notify.Message {
	return notify.Message{
		ID: notify.MessageID(e, ch, address, 0), EventID: e.ID, OrderID: e.OrderID, CustomerID: e.CustomerID, Line: e.Line,
		Milestone: e.Milestone.Name, Sequence: e.Sequence, Channel: ch, Address: address, Title: "On the way",
		Body: "Sam is on the way.", Link: "https://example.com/t", Locale: "en", Template: "v1",
		Urgency: e.Milestone.Urgency, Standing: e.Milestone.Standing, State: notify.Pending, OccurredAt: e.OccurredAt,
		CreatedAt: noon, DueAt: noon, ExpiresAt: noon.Add(2 * time.Hour), UpdatedAt: noon,
	}
}

// batchOf is a batch of events with one SMS each, and no heads.
func batchOf(events ...notify.Event) *notify.Batch {
	b := &notify.Batch{Topic: "order-events", Partition: 3, Next: 100, Now: noon}
	for i := range events {
		b.Events = append(b.Events, stored(&events[i]))
		b.Messages = append(b.Messages, newMessage(&events[i], notify.SMS, "+14155550123"))
	}
	return b
}

func headOf(e *notify.Event, version int64) notify.Head {
	return notify.Head{
		OrderID: e.OrderID, Line: e.Line, CustomerID: e.CustomerID, Milestone: e.Milestone.Name, Sequence: e.Sequence,
		OccurredAt: e.OccurredAt, Facts: []byte(`{"driver_name":"Sam"}`), Version: version,
	}
}

func add(t *testing.T, s notify.Store, b *notify.Batch) {
	t.Helper()
	if err := s.Add(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// addSent stores one event with one SMS and returns that message.
func addSent(t *testing.T, s notify.Store, sequence int64) notify.Message {
	t.Helper()
	b := batchOf(newEvent("CH-1", "c-1", "picked_up", sequence))
	add(t, s, b)
	return b.Messages[0]
}

func entry(t *testing.T, s Truth, id notify.ID) notify.Entry {
	t.Helper()
	e, err := s.Entry(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stands checks where a message stands.
func stands(t *testing.T, s Truth, id notify.ID, state notify.State, reason notify.Reason) {
	t.Helper()
	if e := entry(t, s, id); e.State != state || e.Reason != reason {
		t.Errorf("message is %s (%q), want %s (%q)", e.State, e.Reason, state, reason)
	}
}

// areNew checks which events of a batch were new.
func areNew(t *testing.T, b *notify.Batch, want ...bool) {
	t.Helper()
	for i := range b.Events {
		if b.Events[i].New != want[i] {
			t.Errorf("event %d: new is %v, want %v", i, b.Events[i].New, want[i])
		}
	}
}

func head(t *testing.T, s notify.Store, order string) notify.Head {
	t.Helper()
	heads := make([]notify.Head, 1)
	orders := []notify.OrderLine{{OrderID: order, Line: notify.CarHaul}}
	if err := s.Lookup(t.Context(), nil, nil, orders, heads); err != nil {
		t.Fatal(err)
	}
	return heads[0]
}
