package notifytest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"onmyway/notify"
)

// Store is the truth in memory: a twin of sqlstore.Store that implements notify.Store, notify.Ledger and notify.Outbox
// and what staff ask. It keeps times to the millisecond, as SQL does, and is safe for concurrent use.
type Store struct {
	// Fail, when set, is asked at the start of every method by its name ("Add", "Begin", …); an error is returned at
	// once and nothing happens.
	Fail func(method string) error
	// Lose, when set, is asked when Add, Finish, AddResend, EditCustomer or EditCustomers have taken effect; an error is
	// returned as if the answer of COMMIT had been lost.
	Lose func(method string) error

	db    *database
	owner string
	tell  func(m *notify.Message) // of OnReport
	maybe map[notify.ID]time.Time // events of an Add whose answer was lost, and when; guarded by db.mu
}

// database is what all nodes of one system share.
type database struct {
	mu        sync.Mutex
	nodes     int
	alive     map[string]bool
	events    map[notify.ID]notify.Stored
	received  map[notify.ID]time.Time
	seen      map[notify.ID]time.Time // events, since when
	facts     map[fact]notify.ID
	heads     map[notify.OrderLine]notify.Head
	customers map[string]notify.Customer
	subs      map[string]notify.Subscription
	messages  map[notify.ID]*message
	stored    []notify.ID // messages in the order in which they came
	rejects   []notify.Reject
	positions map[position]int64
	calls     map[call]notify.Idempotent
	answers   map[call]notify.ID
	answered  map[call]time.Time
	keys      map[string]notify.APIKey
	audit     []notify.AuditRow
	stopped   map[string]map[notify.StopSource]notify.NumberStop
	texts     map[string]bool // to us, by the provider's name
	parked    []parked
	consents  []notify.ConsentRecord
	stops     int64               // that there were so far
	lifted    []notify.NumberStop // oldest first
}

type fact struct {
	order     notify.OrderLine
	milestone string
	number    int64
}

type position struct {
	topic     string
	partition int
}

type call struct{ principal, key string }

type message struct {
	notify.Message
	owner    string        // empty: nobody's
	stop     notify.Reason // why it must not go back to pending; empty: it may
	attempts []notify.Attempt
	history  []notify.Step
	lookAt   time.Time // when the provider is asked next; zero: never
	takenAt  time.Time // when the provider took it
	by, why  string
}

// NewStore makes an empty Store.
func NewStore() *Store {
	db := &database{
		alive:     map[string]bool{},
		events:    map[notify.ID]notify.Stored{},
		received:  map[notify.ID]time.Time{},
		seen:      map[notify.ID]time.Time{},
		facts:     map[fact]notify.ID{},
		heads:     map[notify.OrderLine]notify.Head{},
		customers: map[string]notify.Customer{},
		subs:      map[string]notify.Subscription{},
		messages:  map[notify.ID]*message{},
		positions: map[position]int64{},
		calls:     map[call]notify.Idempotent{},
		answers:   map[call]notify.ID{},
		answered:  map[call]time.Time{},
		keys:      map[string]notify.APIKey{},
		stopped:   map[string]map[notify.StopSource]notify.NumberStop{},
		texts:     map[string]bool{},
	}
	return db.node()
}

// Peer makes the Store of another process over the same data.
func (s *Store) Peer() *Store {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.db.node()
}

func (db *database) node() *Store {
	db.nodes++
	owner := "node-" + strconv.Itoa(db.nodes)
	db.alive[owner] = true
	return &Store{db: db, owner: owner, maybe: map[notify.ID]time.Time{}}
}

// Close ends the process: its peers may Reclaim what it had.
func (s *Store) Close() error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.db.alive[s.owner] = false
	return nil
}

// Unlock lets go of the lock that says that the process lives, as a database session that breaks does. Lock takes it again.
func (s *Store) Unlock() { _ = s.Close() }

// Lock takes the lock again that Unlock let go of.
func (s *Store) Lock() {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.db.alive[s.owner] = true
}

// Messages lists all messages in the order in which they were stored.
func (s *Store) Messages() []notify.Message {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	all := make([]notify.Message, 0, len(s.db.stored))
	for _, id := range s.db.stored {
		all = append(all, s.db.messages[id].Message)
	}
	return all
}

// Events lists all events, the oldest id first.
func (s *Store) Events() []notify.Stored {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.db.events), func(a, b notify.Stored) int { return compareIDs(a.ID, b.ID) })
}

// Rejects lists the dead letters in the order in which they came.
func (s *Store) Rejects() []notify.Reject {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return slices.Clone(s.db.rejects)
}

// enter starts a method: it asks Fail and takes the lock.
func (s *Store) enter(ctx context.Context, method string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.Fail != nil {
		if err := s.Fail(method); err != nil {
			return nil, err
		}
	}
	s.db.mu.Lock()
	return s.db.mu.Unlock, nil
}

func (s *Store) lose(method string) error {
	if s.Lose == nil {
		return nil
	}
	return s.Lose(method)
}

// Known implements notify.Store.
func (s *Store) Known(ctx context.Context, ids []notify.ID, dst []bool) error {
	leave, err := s.enter(ctx, "Known")
	if err != nil {
		return err
	}
	defer leave()
	for i, id := range ids {
		_, dst[i] = s.db.events[id]
		if _, ours := s.maybe[id]; ours {
			dst[i] = false // its Add has to be repeated, so that its messages leave
		}
	}
	return nil
}

// Lookup implements notify.Store.
func (s *Store) Lookup(ctx context.Context, customers []string, profiles []notify.Profile, orders []notify.OrderLine, heads []notify.Head) error {
	leave, err := s.enter(ctx, "Lookup")
	if err != nil {
		return err
	}
	defer leave()
	for i, id := range customers {
		profiles[i] = s.db.profile(id)
	}
	for i, o := range orders {
		head, ok := s.db.heads[o]
		if !ok {
			head = notify.Head{OrderID: o.OrderID, Line: o.Line}
		}
		head.Facts = slices.Clone(head.Facts)
		heads[i] = head
	}
	return nil
}

func (db *database) profile(id string) notify.Profile {
	c, ok := db.customers[id]
	if !ok {
		c.ID = id
	}
	c.Preferences = clonePreferences(c.Preferences)
	return notify.Profile{Customer: c, Subscriptions: db.subscriptions(id)}
}

func (db *database) subscriptions(customer string) []notify.Subscription {
	var subs []notify.Subscription
	for _, sub := range db.subs {
		if sub.CustomerID == customer {
			subs = append(subs, sub)
		}
	}
	slices.SortFunc(subs, func(a, b notify.Subscription) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return subs
}

// Position tells the offset at which reading a partition goes on, and whether anything was ever stored of it.
func (s *Store) Position(ctx context.Context, topic string, partition int) (next int64, known bool, err error) {
	leave, err := s.enter(ctx, "Position")
	if err != nil {
		return 0, false, err
	}
	defer leave()
	next, known = s.db.positions[position{topic, partition}]
	return next, known, nil
}

// millis keeps of a time what SQL keeps.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// clean tells whether a database can hold all of the texts: PostgreSQL takes neither NUL nor broken UTF-8.
func clean(texts ...string) bool {
	for _, t := range texts {
		if strings.IndexByte(t, 0) >= 0 || !utf8.ValidString(t) {
			return false
		}
	}
	return true
}

func compareIDs(a, b notify.ID) int { return strings.Compare(string(a[:]), string(b[:])) }

// clonePreferences goes through JSON, as SQL does.
func clonePreferences(p notify.Preferences) (c notify.Preferences) {
	text, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		panic("preferences are not JSON: " + err.Error())
	}
	return c
}
