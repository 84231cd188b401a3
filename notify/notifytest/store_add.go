package notifytest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
)

// Add implements notify.Store.
func (s *Store) Add(ctx context.Context, b *notify.Batch) error {
	leave, err := s.enter(ctx, "Add")
	if err != nil {
		return err
	}
	defer leave()
	if err := checkBatch(b); err != nil {
		return err
	}
	if at, known := s.db.positions[position{b.Topic, b.Partition}]; b.Since.Known && (!known || at != b.Since.Next && at != b.Next) {
		return fmt.Errorf("store batch: %w", notify.ErrRewound)
	}
	a := s.decide(b)
	if a.moved != nil {
		return a.moved
	}
	s.apply(b, &a)
	if err := s.lose("Add"); err != nil {
		for i := range b.Events {
			if a.inserted[i] {
				s.maybe[b.Events[i].ID] = b.Now
			}
		}
		return err
	}
	for i := range b.Events {
		_, ours := s.maybe[b.Events[i].ID]
		b.Events[i].New = a.inserted[i] || ours && a.first[i]
	}
	for i := range b.Events {
		delete(s.maybe, b.Events[i].ID)
	}
	for _, i := range a.replaced {
		b.Messages[i].State, b.Messages[i].Reason = notify.Suppressed, notify.Superseded
	}
	return nil
}

func checkBatch(b *notify.Batch) error {
	for i := range b.Events {
		e := &b.Events[i]
		if !clean(e.Key, e.OrderID, e.CustomerID, e.Title, e.Body, string(e.Data)) {
			return fmt.Errorf("store event %s: %w", e.ID, notify.ErrBadRow)
		}
	}
	for i := range b.Messages {
		m := &b.Messages[i]
		if !clean(m.Address, m.Title, m.Body, m.Link) {
			return fmt.Errorf("store message %s: %w", m.ID, notify.ErrBadRow)
		}
	}
	return nil
}

// addition is what an Add will do, before it does any of it.
type addition struct {
	inserted  []bool // by event: it was not there
	first     []bool // by event: the first of the batch with that id
	heads     []notify.Head
	customers []notify.Customer
	replaced  []int // messages of the batch that a later one of it supersedes
	moved     *notify.HeadMoved
}

func (s *Store) decide(b *notify.Batch) (a addition) {
	a.inserted, a.first = make([]bool, len(b.Events)), make([]bool, len(b.Events))
	ids, facts := map[notify.ID]bool{}, map[fact]bool{}
	orders, customers := map[notify.OrderLine]bool{}, map[string]bool{} // touched; true by a new event
	for i := range b.Events {
		e := b.Events[i].Event
		f := factOf(e)
		_, byID := s.db.events[e.ID]
		_, byFact := s.db.facts[f]
		a.first[i] = !ids[e.ID]
		a.inserted[i] = !byID && !byFact && !ids[e.ID] && !facts[f]
		ids[e.ID], facts[f] = true, true
		orders[f.order] = orders[f.order] || a.inserted[i]
		customers[e.CustomerID] = customers[e.CustomerID] || a.inserted[i]
	}
	moved := &notify.HeadMoved{}
	for _, h := range b.Heads {
		key := notify.OrderLine{OrderID: h.OrderID, Line: h.Line}
		if isNew, touched := orders[key]; touched && !isNew {
			continue
		}
		if s.db.heads[key].Version != h.Version {
			moved.Orders = append(moved.Orders, key)
		}
		a.heads = append(a.heads, h)
	}
	for _, c := range b.Customers {
		if isNew, touched := customers[c.ID]; touched && !isNew {
			continue
		}
		if s.db.customers[c.ID].Version != c.Version {
			moved.Customers = append(moved.Customers, c.ID)
		}
		a.customers = append(a.customers, c)
	}
	for _, c := range b.Told {
		if c.Version == 0 || s.db.customers[c.ID].Version != c.Version {
			moved.Customers = append(moved.Customers, c.ID)
		}
	}
	if len(moved.Orders)+len(moved.Customers) > 0 {
		a.moved = moved
	}
	return a
}

func (s *Store) apply(b *notify.Batch, a *addition) {
	fresh := map[notify.ID]bool{} // new, or ours from an Add whose answer was lost
	for i := range b.Events {
		e := b.Events[i]
		_, ours := s.maybe[e.ID]
		fresh[e.ID] = fresh[e.ID] || a.inserted[i] || ours
		if a.inserted[i] {
			s.db.insertEvent(e, b.Now)
		}
	}
	for _, h := range a.heads {
		h = h.Stored()
		h.OccurredAt, h.Facts = millis(h.OccurredAt), slices.Clone(h.Facts)
		h.Told = notify.Window{Start: millis(h.Told.Start), End: millis(h.Told.End)}
		s.db.heads[notify.OrderLine{OrderID: h.OrderID, Line: h.Line}] = h
	}
	for _, c := range a.customers {
		c.CreatedAt, c.UpdatedAt = millis(b.Now), millis(b.Now)
		if old, ok := s.db.customers[c.ID]; ok {
			c.CreatedAt = old.CreatedAt
		}
		c.Version++
		c.Preferences = clonePreferences(c.Preferences)
		s.db.customers[c.ID] = c
	}
	s.insertMessages(b, fresh, a)
	for i := range b.Events {
		if a.inserted[i] {
			s.db.heard(b, b.Events[i].Consents)
		}
	}
	s.releaseForgotten(b)
	for _, r := range b.Rejects {
		s.db.bury(r)
	}
	if b.Topic != "" {
		s.db.positions[position{b.Topic, b.Partition}] = b.Next
	}
}

func (db *database) insertEvent(e notify.Stored, now time.Time) {
	event := *e.Event
	event.OccurredAt, event.Origin.Time = millis(event.OccurredAt), millis(event.Origin.Time)
	event.Data, event.Customer, event.Facts, event.Trace = slices.Clone(event.Data), nil, nil, ""
	e.Event, e.NotSent, e.New = &event, slices.Clone(e.NotSent), false
	db.events[e.ID], db.facts[factOf(&event)], db.received[e.ID] = e, e.ID, millis(now)
}

// insertMessages stores messages of fresh events. What is stored already gives way to all that supersedes it, what is in
// the batch to later events of the batch.
func (s *Store) insertMessages(b *notify.Batch, fresh map[notify.ID]bool, a *addition) {
	inserted, place := map[notify.ID]bool{}, map[notify.ID]int{}
	for i := len(b.Events) - 1; i >= 0; i-- {
		id := b.Events[i].ID
		inserted[id], place[id] = inserted[id] || a.inserted[i], i
	}
	after := make([]int, len(b.Supersede)) // only messages before this place give way
	done := map[notify.Supersede]bool{}    // an order that changes a thousand times in a batch gives way once
	for k, r := range b.Supersede {
		if !inserted[r.Keep] {
			continue
		}
		after[k] = place[r.Keep]
		if r.Keep = (notify.ID{}); !done[r] {
			done[r] = true
			s.db.supersede(r, b.Now)
		}
	}
	for i, m := range b.Messages {
		if !fresh[m.EventID] || s.db.messages[m.ID] != nil {
			continue
		}
		row := &message{Message: m, owner: s.ownerOf(&m, b.Now)}
		at := place[m.EventID]
		for k, r := range b.Supersede {
			if at < after[k] && row.overtake(r, b.Now) {
				a.replaced = append(a.replaced, i)
				break
			}
		}
		s.db.insertMessage(row)
	}
}

func (s *Store) ownerOf(m *notify.Message, now time.Time) string {
	if m.Leaves(now) {
		return s.owner
	}
	return ""
}

func (db *database) insertMessage(m *message) {
	m.OccurredAt, m.CreatedAt, m.DueAt = millis(m.OccurredAt), millis(m.CreatedAt), millis(m.DueAt)
	m.ExpiresAt, m.UpdatedAt, m.RecordedAt = millis(m.ExpiresAt), millis(m.UpdatedAt), millis(m.RecordedAt)
	m.Device = nil
	if m.State == notify.Verify {
		m.lookAt = m.UpdatedAt
	}
	db.messages[m.ID] = m
	db.stored = append(db.stored, m.ID)
}

func (db *database) supersede(r notify.Supersede, now time.Time) {
	for _, m := range db.messages {
		m.overtake(r, now)
	}
}

// overtake makes a message give way to newer news, if it is of that thread: one that waits is suppressed, which is what
// it returns; one that is on its way is marked, so that it does not come back.
func (m *message) overtake(r notify.Supersede, now time.Time) bool {
	if m.OrderID != r.OrderID || m.Line != r.Line || m.CustomerID != r.CustomerID || m.Channel != r.Channel {
		return false
	}
	if m.ResendNo != 0 || m.IsDigest() || m.Standing && !r.Standing {
		return false
	}
	switch m.State {
	case notify.Pending:
		m.suppress(notify.Superseded, now)
		return true
	case notify.Sending, notify.Verify:
		m.stop = cmp.Or(m.stop, notify.Superseded)
	}
	return false
}

func (m *message) suppress(why notify.Reason, now time.Time) {
	m.State, m.Reason, m.owner, m.UpdatedAt = notify.Suppressed, why, "", millis(now)
}

// releaseForgotten makes nobody's what an Add with a lost answer stored and its repeat did not decide again, or decided to let wait.
func (s *Store) releaseForgotten(b *notify.Batch) {
	again := map[notify.ID]bool{}
	for _, m := range b.Messages {
		again[m.ID] = m.Leaves(b.Now)
	}
	for i := range b.Events {
		if _, ours := s.maybe[b.Events[i].ID]; !ours {
			continue
		}
		for _, m := range s.db.messages {
			if m.EventID == b.Events[i].ID && m.owner == s.owner && m.State == notify.Pending && !again[m.ID] {
				m.owner = ""
			}
		}
	}
}

func factOf(e *notify.Event) fact {
	return fact{notify.OrderLine{OrderID: e.OrderID, Line: e.Line}, e.Milestone.Name, e.Fact()}
}

// bury keeps a reject, once.
func (db *database) bury(r notify.Reject) {
	id := notify.LetterID(&r.Record)
	if !slices.ContainsFunc(db.rejects, func(old notify.Reject) bool { return notify.LetterID(&old.Record) == id }) {
		db.rejects = append(db.rejects, cloneReject(r))
	}
}

func cloneReject(r notify.Reject) notify.Reject {
	r.Record.Key, r.Record.Value = slices.Clone(r.Record.Key), slices.Clone(r.Record.Value)
	r.Record.Headers = slices.Clone(r.Record.Headers)
	for i, h := range r.Record.Headers {
		r.Record.Headers[i].Value = slices.Clone(h.Value)
	}
	r.Problems = slices.Clone(r.Problems)
	return r
}
