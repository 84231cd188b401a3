package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// world is every part that the API needs, in memory. Fail, by method, makes a part fail.
type world struct {
	mu            sync.Mutex
	Fail          map[string]error
	produced      []notify.Record
	produceCalls  int
	entries       []notify.Entry // newest first
	queries       []notify.Query
	customers     map[string]notify.Customer
	subscriptions []notify.Subscription
	remembered    []notify.Profile
	resends       map[notify.Idempotent]notify.Entry
	asked         []notify.ResendRequest
	grants        []notify.Grant
	keys          map[string]notify.APIKey // by id
	keyAsked      int
	keyUsed       []string
	audit         []notify.AuditRow // oldest first
	heads         map[string][]notify.Head
	deadLetters   []notify.DeadLetter // newest first
	routes        notify.Routes
	defaults      notify.Defaults
	store         *notifytest.Store // of consents and stopped numbers, see ledger
}

func newWorld() *world {
	return &world{
		Fail: map[string]error{}, customers: map[string]notify.Customer{}, resends: map[notify.Idempotent]notify.Entry{},
		keys: map[string]notify.APIKey{}, heads: map[string][]notify.Head{},
	}
}

func (w *world) Produce(ctx context.Context, topic string, rs []notify.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.produceCalls++
	if err := w.Fail["Produce"]; err != nil {
		return err
	}
	for _, r := range rs {
		r.Topic, r.Value, r.Key = topic, slices.Clone(r.Value), slices.Clone(r.Key)
		w.produced = append(w.produced, r)
	}
	return nil
}

const most = 1 << 10 // bytes of an event

// decode knows orders and milestones, plain or inside a CloudEvent.
func decode(r *notify.Record, _ time.Time, dst *notify.Event) error {
	if len(bytes.TrimSpace(r.Value)) > most {
		return &notify.Invalid{Reason: "too_large", Problems: []notify.Problem{{Detail: "is too large"}}}
	}
	type event struct {
		ID        string `json:"id"`
		OrderID   string `json:"order_id"`
		Milestone string `json:"milestone"`
	}
	var in struct {
		event
		Data event `json:"data"`
	}
	if err := json.Unmarshal(r.Value, &in); err != nil {
		return &notify.Invalid{Reason: "not_json", Problems: []notify.Problem{{Detail: "not a JSON object"}}}
	}
	e := in.event
	if slices.ContainsFunc(r.Headers, func(h notify.Header) bool { return h.Key == "content-type" }) {
		e = in.Data
	}
	var problems []notify.Problem
	if e.OrderID == "" {
		problems = append(problems, notify.Problem{Field: "order_id", Detail: "is missing"})
	}
	if e.Milestone == "" {
		problems = append(problems, notify.Problem{Field: "milestone", Detail: "is missing"})
	}
	if problems != nil {
		return &notify.Invalid{Reason: "missing_field", Problems: problems}
	}
	*dst = notify.Event{Key: e.ID, OrderID: e.OrderID}
	return nil
}

// phone knows North American numbers.
func phone(spelled string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, spelled)
	digits = strings.TrimPrefix(digits, "1")
	return "+1" + digits, len(digits) == 10
}

func (w *world) Find(_ context.Context, q notify.Query) ([]notify.Entry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries = append(w.queries, q)
	if err := w.Fail["Find"]; err != nil {
		return nil, err
	}
	var found []notify.Entry
	for _, e := range w.entries {
		if len(found) < q.Limit && (q.Before.IsZero() || e.ID.String() < q.Before.String()) &&
			(q.OrderID == "" || q.OrderID == e.OrderID) && (q.Channel == "" || q.Channel == e.Channel) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (w *world) Entry(ctx context.Context, id notify.ID) (notify.Entry, error) {
	if err := w.Fail["Entry"]; err != nil {
		return notify.Entry{}, err
	}
	if w.Fail["slow"] != nil {
		<-ctx.Done()
		return notify.Entry{}, ctx.Err()
	}
	if w.Fail["panic"] != nil {
		panic("the number is +14155550123")
	}
	i := slices.IndexFunc(w.entries, func(e notify.Entry) bool { return e.ID == id })
	if i < 0 {
		return notify.Entry{}, notify.ErrNotFound
	}
	return w.entries[i], nil
}

func (w *world) Resend(_ context.Context, r notify.ResendRequest) (notify.Entry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.Fail["Resend"]; err != nil {
		return notify.Entry{}, err
	}
	for key, e := range w.resends {
		if key.Principal == r.Idempotent.Principal && key.Key == r.Idempotent.Key {
			if key.BodyHash != r.Idempotent.BodyHash {
				return notify.Entry{}, notify.ErrKeyReused
			}
			return e, nil
		}
	}
	w.asked = append(w.asked, r)
	e := notify.Entry{Message: notify.Message{
		ID: notify.NewID(r.Act.At, r.Idempotent.Key), ResendOf: r.Of, ResendNo: 1, Channel: notify.SMS,
		Address: "+14155550123", State: notify.Pending, CreatedAt: r.Act.At,
	}, By: r.Act.By, Why: r.Reason}
	w.resends[r.Idempotent] = e
	return e, nil
}

func (w *world) Customer(_ context.Context, id string) (notify.Profile, error) {
	if err := w.Fail["Customer"]; err != nil {
		return notify.Profile{}, err
	}
	w.mu.Lock()
	c, ok := w.customers[id]
	w.mu.Unlock()
	if !ok {
		return notify.Profile{}, notify.ErrNotFound
	}
	subs, _ := w.Subscriptions(context.Background(), id)
	return notify.Profile{Customer: c, Subscriptions: subs}, nil
}

func (w *world) EditCustomer(_ context.Context, act notify.Act, id string, edit func(*notify.Customer) error) (notify.Customer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.Fail["EditCustomer"]; err != nil {
		return notify.Customer{}, err
	}
	old := w.customers[id]
	old.ID = id
	c := old
	if err := edit(&c); err != nil {
		return notify.Customer{}, err
	}
	changes := notify.Changes(&old, &c)
	if len(changes) == 0 && old.Version > 0 {
		return old, nil
	}
	c.Version, c.ByAPI, c.CreatedAt, c.UpdatedAt = old.Version+1, true, act.At, act.At
	if old.Version > 0 {
		c.CreatedAt = old.CreatedAt
	}
	w.customers[id] = c
	w.wrote(act, notify.DidWriteCustomer, notify.CustomerObject(id), map[string]any{"changes": changes})
	return c, nil
}

// wrote adds to the audit.
func (w *world) wrote(act notify.Act, did, object string, detail any) {
	text, err := json.Marshal(detail)
	if err != nil {
		panic(err)
	}
	w.audit = append(w.audit, notify.AuditRow{
		No: int64(len(w.audit)) + 1, At: act.At, By: act.By, Request: act.Request, Did: did, Object: object, Detail: text,
	})
}

func (w *world) Record(_ context.Context, act notify.Act, did, object string, detail any) error {
	if err := w.Fail["Record"]; err != nil {
		return err
	}
	w.wrote(act, did, object, detail)
	return nil
}

func (w *world) Audit(_ context.Context, objects []string, limit int) (rows []notify.AuditRow, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.audit) - 1; i >= 0 && len(rows) < limit; i-- {
		if objects == nil || slices.Contains(objects, w.audit[i].Object) {
			rows = append(rows, w.audit[i])
		}
	}
	return rows, w.Fail["Audit"]
}

func (w *world) Lookup(ctx context.Context, customers []string, profiles []notify.Profile, _ []notify.OrderLine, _ []notify.Head) error {
	for i, id := range customers {
		p, err := w.Customer(ctx, id)
		if err != nil && !errors.Is(err, notify.ErrNotFound) {
			return err
		}
		profiles[i] = p
	}
	return w.Fail["Lookup"]
}

func (w *world) Order(_ context.Context, id string) ([]notify.Head, error) {
	if err := w.Fail["Order"]; err != nil {
		return nil, err
	}
	if len(w.heads[id]) == 0 {
		return nil, notify.ErrNotFound
	}
	return w.heads[id], nil
}

func (w *world) DeadLetters(_ context.Context, before notify.ID, limit int) (found []notify.DeadLetter, err error) {
	for _, d := range w.deadLetters {
		if len(found) < limit && (before.IsZero() || d.ID.String() < before.String()) {
			found = append(found, d)
		}
	}
	return found, w.Fail["DeadLetters"]
}

func (w *world) Key(ctx context.Context, id string) (notify.APIKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keyAsked++
	if w.Fail["KeyHangs"] != nil {
		<-ctx.Done()
		return notify.APIKey{}, ctx.Err()
	}
	if err := w.Fail["Key"]; err != nil {
		return notify.APIKey{}, err
	}
	k, ok := w.keys[id]
	if !ok {
		return notify.APIKey{}, notify.ErrNotFound
	}
	return k, nil
}

func (w *world) KeyUsed(_ context.Context, id string, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keyUsed = append(w.keyUsed, id)
	return w.Fail["KeyUsed"]
}

// rules send texts to those who want them, of everything.
func (w *world) rules() *notify.Rules {
	return &notify.Rules{
		Routes: w.routes, Defaults: w.defaults, Zone: time.UTC,
		Channels: map[notify.Channel]bool{notify.SMS: true, notify.Push: true, notify.WebSocket: true},
		Zones: func(name string) *time.Location {
			zone, err := time.LoadLocation(name)
			if err != nil {
				return nil
			}
			return zone
		},
	}
}

func (w *world) Subscribe(_ context.Context, act notify.Act, sub notify.Subscription) error {
	if err := w.Fail["Subscribe"]; err != nil {
		return err
	}
	w.subscriptions = append(w.subscriptions, sub)
	w.wrote(act, notify.DidSubscribe, notify.CustomerObject(sub.CustomerID), map[string]string{"subscription": sub.ID})
	return nil
}

func (w *world) Unsubscribe(_ context.Context, _ notify.Act, customerID, id string) error {
	before := len(w.subscriptions)
	w.subscriptions = slices.DeleteFunc(w.subscriptions, func(s notify.Subscription) bool {
		return s.CustomerID == customerID && s.ID == id
	})
	if len(w.subscriptions) == before {
		return notify.ErrNotFound
	}
	return nil
}

func (w *world) Subscriptions(_ context.Context, customerID string) (subs []notify.Subscription, err error) {
	for _, s := range w.subscriptions {
		if s.CustomerID == customerID {
			subs = append(subs, s)
		}
	}
	return subs, w.Fail["Subscriptions"]
}

func checkSubscription(sub *notify.Subscription) error {
	if !strings.HasPrefix(sub.Endpoint, "https://") {
		return &notify.Invalid{Reason: "bad_subscription", Problems: []notify.Problem{{Field: "endpoint", Detail: "must be https"}}}
	}
	sub.ID = "0123456789abcdef"
	return nil
}

func (w *world) Sign(g notify.Grant) (string, error) {
	w.grants = append(w.grants, g)
	return "omw1.claims.sum", w.Fail["Sign"]
}

func (w *world) remember(_ context.Context, p notify.Profile) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remembered = append(w.remembered, p)
}

var errSecret = errors.New("pq: relation customers of host db-7 does not exist")
