package notifytest

import (
	"maps"
	"slices"

	"onmyway/notify"
)

// Snapshot copies what is stored. Restore puts the copy in its place, under processes that run on: so does a failover that
// loses commits.
func (s *Store) Snapshot() (restore func()) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	kept := s.db.clone()
	return func() {
		s.db.mu.Lock()
		defer s.db.mu.Unlock()
		again := kept.clone() // it may be restored twice
		s.db.events, s.db.received, s.db.facts, s.db.heads = again.events, again.received, again.facts, again.heads
		s.db.customers, s.db.messages, s.db.stored = again.customers, again.messages, again.stored
		s.db.rejects, s.db.positions, s.db.parked = again.rejects, again.positions, again.parked
	}
}

// clone copies what the way of an event writes.
func (db *database) clone() *database {
	c := &database{
		events: maps.Clone(db.events), received: maps.Clone(db.received), facts: maps.Clone(db.facts), heads: maps.Clone(db.heads),
		customers: maps.Clone(db.customers), messages: map[notify.ID]*message{}, stored: slices.Clone(db.stored),
		rejects: slices.Clone(db.rejects), positions: maps.Clone(db.positions), parked: slices.Clone(db.parked),
	}
	for id, m := range db.messages {
		row := *m
		row.attempts, row.history = slices.Clone(m.attempts), slices.Clone(m.history)
		c.messages[id] = &row
	}
	return c
}
