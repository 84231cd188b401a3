package notifytest

import (
	"context"
	"time"

	"onmyway/notify"
)

// Shown implements notify.Showings.
func (s *Store) Shown(ctx context.Context, now time.Time, seen []notify.Shown) (spared []string, err error) {
	leave, err := s.enter(ctx, "Shown")
	if err != nil {
		return nil, err
	}
	defer leave()
	now = millis(now)
	for _, screen := range seen {
		event, customer := s.db.eventOf(screen.ID)
		if event.IsZero() || screen.CustomerID != "" && screen.CustomerID != customer {
			continue
		}
		if s.db.seen[event].IsZero() {
			s.db.seen[event] = now
		}
		for _, id := range s.db.stored {
			m := s.db.messages[id]
			if m.EventID == event && m.State == notify.Pending && m.UnlessShown && !m.IsDigest() {
				m.suppress(notify.SeenOnScreen, now)
				spared = append(spared, m.Milestone)
			}
		}
	}
	return spared, nil
}

// eventOf finds the event that has an id, or that a message with it is about, and whose it is; zero for none.
func (db *database) eventOf(id notify.ID) (event notify.ID, customer string) {
	if e, ok := db.events[id]; ok {
		return id, e.CustomerID
	}
	if m := db.messages[id]; m != nil {
		return m.EventID, m.CustomerID
	}
	return notify.ID{}, ""
}
