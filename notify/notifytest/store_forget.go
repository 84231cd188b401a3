package notifytest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"onmyway/notify"
)

// Forget implements notify.Archive.
func (s *Store) Forget(ctx context.Context, table notify.Kept, before time.Time, from string, limit int) (f notify.Forgotten, err error) {
	leave, err := s.enter(ctx, "Forget")
	if err != nil {
		return f, err
	}
	defer leave()
	keys, forget, err := s.db.forgettable(table, millis(before))
	if err != nil {
		return f, err
	}
	slices.Sort(keys)
	heads := len(s.db.heads)
	for _, key := range keys {
		if key <= from {
			continue
		}
		if limit--; limit < 0 {
			return f, nil
		}
		if forget(key) {
			f.Rows++
		}
		f.Heads, f.Next = heads-len(s.db.heads), key
	}
	f.Next = ""
	return f, nil
}

// forgettable gives the keys of the rows of a table that are old, and what deletes one unless somebody needs it.
func (db *database) forgettable(table notify.Kept, before time.Time) (keys []string, forget func(key string) bool, err error) {
	floor := notify.FirstID(before)
	old := func(id notify.ID) {
		if compareIDs(id, floor) < 0 {
			keys = append(keys, string(id[:]))
		}
	}
	switch table {
	case notify.KeptMessages:
		for id := range db.messages {
			old(id)
		}
		return keys, func(key string) bool { return db.forgetMessage(notify.ID([]byte(key)), before) }, nil
	case notify.KeptEvents:
		for id := range db.events {
			old(id)
		}
		return keys, func(key string) bool { return db.forgetEvent(notify.ID([]byte(key)), before) }, nil
	case notify.KeptLetters:
		for i := range db.rejects {
			old(notify.LetterID(&db.rejects[i].Record))
		}
		return keys, func(key string) bool { return db.forgetLetter(notify.ID([]byte(key)), before) }, nil
	case notify.KeptAnswers:
		for c := range db.calls {
			keys = append(keys, c.principal+"\x00"+c.key)
		}
		return keys, func(key string) bool { return db.forgetAnswer(key, before) }, nil
	}
	return nil, nil, fmt.Errorf("forget rows: %q is no table whose rows leave", table)
}

func (db *database) forgetMessage(id notify.ID, before time.Time) bool {
	m := db.messages[id]
	open := m.State == notify.Pending || m.State == notify.Sending || m.State == notify.Verify
	if open || !m.CreatedAt.Before(before) {
		return false
	}
	delete(db.messages, id)
	db.stored = slices.DeleteFunc(db.stored, func(other notify.ID) bool { return other == id })
	return true
}

func (db *database) forgetEvent(id notify.ID, before time.Time) bool {
	if !db.received[id].Before(before) {
		return false
	}
	for m := range maps.Values(db.messages) {
		if m.EventID == id {
			return false
		}
	}
	e := db.events[id]
	delete(db.events, id)
	delete(db.received, id)
	delete(db.seen, id)
	delete(db.facts, factOf(e.Event))
	order := notify.OrderLine{OrderID: e.OrderID, Line: e.Line}
	for f := range db.facts {
		if f.order == order {
			return true
		}
	}
	delete(db.heads, order)
	return true
}

func (db *database) forgetLetter(id notify.ID, before time.Time) bool {
	was := len(db.rejects)
	db.rejects = slices.DeleteFunc(db.rejects, func(r notify.Reject) bool {
		return notify.LetterID(&r.Record) == id && millis(r.At).Before(before)
	})
	return len(db.rejects) < was
}

func (db *database) forgetAnswer(key string, before time.Time) bool {
	principal, key, _ := strings.Cut(key, "\x00")
	c := call{principal, key}
	if !db.answered[c].Before(before) {
		return false
	}
	delete(db.calls, c)
	delete(db.answers, c)
	delete(db.answered, c)
	return true
}

// remember keeps what a call under an idempotency key made.
func (db *database) remember(now time.Time, key notify.Idempotent, made notify.ID) {
	c := call{key.Principal, key.Key}
	db.calls[c], db.answers[c], db.answered[c] = key, made, millis(now)
}
