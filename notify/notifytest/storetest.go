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
	notify.HeldTexts
	notify.Unsettled
	notify.Unheard
	notify.OptOuts
	notify.Showings
	notify.Archive
	StopNumber(ctx context.Context, act notify.Act, phone, why string) (notify.StoppedNumber, error)
	AllowNumber(ctx context.Context, act notify.Act, phone, why string) error
	Stops(ctx context.Context, phone string, before int64, limit int) ([]notify.NumberStop, error)
	AddConsent(ctx context.Context, act notify.Act, r notify.ConsentRecord, key notify.Idempotent) (added notify.ConsentRecord, again bool, err error)
	Consents(ctx context.Context, customerID string, before int64, limit int) ([]notify.ConsentRecord, error)
	StoppedNumber(ctx context.Context, phone string) (notify.StoppedNumber, bool, error)
	OnReport(f func(m *notify.Message))
	Position(ctx context.Context, topic string, partition int) (next int64, known bool, err error)
	Find(ctx context.Context, q notify.Query) ([]notify.Entry, error)
	Entry(ctx context.Context, id notify.ID) (notify.Entry, error)
	Customer(ctx context.Context, id string) (notify.Profile, error)
	EditCustomer(ctx context.Context, act notify.Act, id string, edit func(c *notify.Customer) error) (notify.Customer, error)
	EditCustomers(ctx context.Context, act notify.Act, ids []string, edit func(i int, c *notify.Customer) error) (created, changed int, err error)
	Subscribe(ctx context.Context, act notify.Act, sub notify.Subscription) error
	Unsubscribe(ctx context.Context, act notify.Act, customerID, id string) error
	Subscriptions(ctx context.Context, customerID string) ([]notify.Subscription, error)
	SubscriptionByID(ctx context.Context, id string) (notify.Subscription, error)
	AddResend(ctx context.Context, act notify.Act, r *notify.Resend) (id notify.ID, again bool, err error)
	Repeated(ctx context.Context, idem notify.Idempotent) (id notify.ID, made bool, err error)
	Order(ctx context.Context, orderID string) ([]notify.Head, error)
	DeadLetters(ctx context.Context, before notify.ID, limit int) ([]notify.DeadLetter, error)
	Record(ctx context.Context, act notify.Act, did, object string, detail any) error
	Audit(ctx context.Context, objects []string, limit int) ([]notify.AuditRow, error)
	VerifyAudit(ctx context.Context) (rows int64, err error)
	CreateKey(ctx context.Context, act notify.Act, k notify.APIKey) error
	Keys(ctx context.Context) ([]notify.APIKey, error)
	Key(ctx context.Context, id string) (notify.APIKey, error)
	RevokeKey(ctx context.Context, act notify.Act, nameOrID string) (notify.APIKey, error)
	KeyUsed(ctx context.Context, id string, at time.Time) error
	Close() error
}

var _ Truth = (*Store)(nil)

// Nodes starts one more process over the same truth. Closing what it returns is the death of that process.
type Nodes func(t *testing.T) Truth

// TestStore checks a Truth. Open makes a new, empty one and returns how to start nodes over it; a node that a test does
// not close is closed by open's own cleanup. Tests run in parallel, and so does open.
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
		{"Add counts the decisions that made a head", addSteps},
		{"Add leaves heads and customers to the first of repeats", addRepeatLeavesHeads},
		{"Add stores customers", addCustomers},
		{"Add gives an order to another customer", addNewOwner},
		{"Add supersedes older messages", addSupersedes},
		{"Add supersedes within a batch", addSupersedesInBatch},
		{"Add supersedes for an event without message", addSupersedesWithoutMessage},
		{"Add supersedes what comes back from its way", addSupersedesOnTheWay},
		{"Add keeps what stands", addKeepsStanding},
		{"Add keeps the position", addPosition},
		{"Add notices that the position went back", addRewound},
		{"Add takes what is unclear from the start", addUnclear},
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
		{"HandBack gives messages back", handBack},
		{"HandBack says until when and why", handBackLater},
		{"Claim takes the oldest first", claimOldest},
		{"Claim suppresses what has expired", claimExpired},
		{"Claim shares work between nodes", claimShared},
		{"Begin holds texts to a number that had enough", heldOverLimit},
		{"Begin holds what comes in one batch", heldInBatch},
		{"Begin counts what begins with it", heldBehindInBatch},
		{"Begin counts what may have arrived", heldCounts},
		{"Begin holds nothing beyond its time", heldExpires},
		{"Held texts are superseded and stopped", heldGivesWay},
		{"Digest makes one of several", digestOfSeveral},
		{"Digest knows what is outdated", digestOutdated},
		{"Digest lets go and holds on", digestMoves},
		{"Digest changes nothing when a text is gone", digestGone},
		{"Digest of many nodes is one", digestParallel},
		{"Digest outlives the choice of a category", digestChoice},
		{"Reclaim takes from the dead alone", reclaimDead},
		{"Reclaim takes what this process forgot", reclaimForgotten},
		{"Nothing overtakes an earlier text", behindEarlier},
		{"Nothing overtakes an earlier text of the same Begin", behindInBatch},
		{"Report follows the table", reportTable},
		{"Report on an earlier attempt", reportEarlierAttempt},
		{"Report on a later attempt", reportLaterAttempt},
		{"Report before our own response", reportBeforeFinish},
		{"Report takes a message from its process", reportTakesAway},
		{"Report refuses what names nothing", reportRefuses},
		{"Report before its message", reportParked},
		{"Report waits a day for its message", reportForgotten},
		{"Report in any order ends the same", reportAnyOrder},
		{"Report that says nothing new", reportOfNoAttempt},
		{"Finish of a process that was given up", finishGivenUp},
		{"Doubts come when they are due", doubtsDue},
		{"Doubts are shared between nodes", doubtsShared},
		{"Settle follows the table", settleTable},
		{"Settle respects a stop", settleStopped},
		{"Settle gives a text of the provider to one", settleTwins},
		{"Settle waits for a twin that is being sent", settleTwinSending},
		{"Settle tells the whole story", settleStory},
		{"Silent looks twice", silentTwice},
		{"Silent is about texts without an end", silentOnly},
		{"Unasked gives a look back", silentUnasked},
		{"Report tells what has moved", reportTells},
		{"Stop suppresses what waits", stopSuppresses},
		{"Stop is answered once", stopOnce},
		{"Stop is lifted by who set it", stopLifted},
		{"Stop is lifted once, and answered again", stopLiftedAgain},
		{"Stop by staff", stopByStaff},
		{"Stop by the provider", stopByProvider},
		{"Stop refuses resends", stopRefusesResend},
		{"Stop knows the languages of a number", stopLocales},
		{"Stop ends what begins", stopRacesBegin},
		{"Stop of many is one", stopParallel},
		{"Stop by staff races their lift", stopRacesLift},
		{"Shown spares what waits for it", shownSpares},
		{"Shown by a push message", shownByPush},
		{"Shown by a stranger changes nothing", shownByStranger},
		{"Shown leaves what does not wait", shownLeaves},
		{"Shown spares what is held for something else", shownWhileHeld},
		{"Shown keeps news out of a digest", shownBeforeDigest},
		{"Shown ends what begins", shownRacesBegin},
		{"Find filters and pages", findPages},
		{"Find tells the whole story", findStory},
		{"Entry is not found", entryNotFound},
		{"EditCustomer overwrites and suppresses", editCustomer},
		{"Subscriptions come and go", subscriptions},
		{"AddResend numbers and repeats", addResend},
		{"AddResend refuses what has just left", resendJustSent},
		{"AddResend follows one that failed", resendFailed},
		{"AddResend of many makes one", resendParallel},
		{"AddResend from two nodes repeats", resendRepeats},
		{"EditCustomer sees what is stored", editSees},
		{"Consent is a ledger", consentLedger},
		{"Consent that is taken back suppresses", consentWithdrawn},
		{"Consent is recorded once under one key", consentOnce},
		{"Consent of an event is stored with it", consentOfEvents},
		{"Consent of an import is news or nothing", consentOfImport},
		{"Stops come by pages, and lifted ones by number", stopsByPages},
		{"Resends wait for what may still arrive", resendUnsettled},
		{"Subscribe keeps the newest browsers", subscribeBounded},
		{"EditCustomer loses no edit", editParallel},
		{"EditCustomers counts and suppresses", importCustomers},
		{"Audit rows make a chain", auditRows},
		{"Audit has one chain for all nodes", auditParallel},
		{"Keys come and go on all nodes", apiKeys},
		{"Order tells all lines", orderLines},
		{"DeadLetters come by pages", deadLetters},
		{"Forget follows the table", forgetTable},
		{"Forget is about what is old", forgetOld},
		{"Forget goes in steps", forgetSteps},
		{"Forget takes heads with their last event", forgetHeads},
		{"Forget keeps what a resend is about", forgetResend},
		{"Forget races a resend", forgetRacesResend},
		{"Forget takes what was seen with the event", forgetShown},
		{"Forget takes dead letters", forgetLetters},
		{"Forget takes idempotency keys", forgetAnswers},
		{"Forget spares the rest", forgetSpares},
		{"Empty calls do nothing", emptyCalls},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
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
		Told: notify.Window{Start: e.OccurredAt.Add(time.Hour), End: e.OccurredAt.Add(2 * time.Hour)},
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
