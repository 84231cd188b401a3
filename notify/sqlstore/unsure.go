package sqlstore

import (
	"sync"
	"time"

	"onmyway/notify"
)

// forgetAfter is how long a call whose answer was lost may still be repeated before what it may have written becomes
// nobody's. Callers repeat within seconds.
const forgetAfter = 20 * time.Second

// unsure remembers what this process may have written when the answer of a COMMIT was lost. Without it a repeated Add
// would find its own events, take them for somebody else's and send nothing; a repeated Begin or Claim likewise.
type unsure struct {
	mu      sync.Mutex
	events  map[notify.ID]time.Time
	begun   map[notify.ID]time.Time // messages
	claimed []notify.ID             // messages that no caller of Claim has seen
}

func newUnsure() unsure {
	return unsure{events: map[notify.ID]time.Time{}, begun: map[notify.ID]time.Time{}}
}

// stored tells which events of b may be there from an earlier try: the first of the batch under each id.
func (u *unsure) stored(b *notify.Batch) []bool {
	ours := make([]bool, len(b.Events))
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.events) == 0 {
		return ours
	}
	seen := map[notify.ID]bool{}
	for i := range b.Events {
		id := b.Events[i].ID
		_, may := u.events[id]
		ours[i] = may && !seen[id]
		seen[id] = true
	}
	return ours
}

func (u *unsure) mayHaveStored(b *notify.Batch, inserted []bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range b.Events {
		if inserted[i] {
			u.events[b.Events[i].ID] = b.Now
		}
	}
}

// settle forgets the events of a batch whose answer came.
func (u *unsure) settle(b *notify.Batch) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.events) == 0 {
		return
	}
	for i := range b.Events {
		delete(u.events, b.Events[i].ID)
	}
}

// mask clears the answers for events that a repeat of their Add has yet to settle.
func (u *unsure) mask(ids []notify.ID, known []bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, id := range ids {
		if _, may := u.events[id]; may {
			known[i] = false
		}
	}
}

func (u *unsure) mayHaveBegun(now time.Time, messages []notify.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, id := range messages {
		u.begun[id] = now
	}
}

// takeBegun returns which of ms may have begun, and forgets them.
func (u *unsure) takeBegun(ms []*notify.Message) (ids []notify.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.begun) == 0 {
		return nil
	}
	for _, m := range ms {
		if _, may := u.begun[m.ID]; may {
			delete(u.begun, m.ID)
			ids = append(ids, m.ID)
		}
	}
	return ids
}

func (u *unsure) mayHaveClaimed(ids []notify.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.claimed = append(u.claimed, ids...)
}

func (u *unsure) takeClaimed() []notify.ID {
	u.mu.Lock()
	defer u.mu.Unlock()
	ids := u.claimed
	u.claimed = nil
	return ids
}

// takeOld returns and forgets what no caller came back for.
func (u *unsure) takeOld(now time.Time) (events, begun []notify.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return takeOld(u.events, now), takeOld(u.begun, now)
}

func takeOld(m map[notify.ID]time.Time, now time.Time) (ids []notify.ID) {
	for id, at := range m {
		if now.Sub(at) > forgetAfter {
			delete(m, id)
			ids = append(ids, id)
		}
	}
	return ids
}

// putBack remembers again what could not be released. It is old still.
func (u *unsure) putBack(now time.Time, events, begun []notify.ID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	old := now.Add(-2 * forgetAfter)
	for _, id := range events {
		u.events[id] = old
	}
	for _, id := range begun {
		u.begun[id] = old
	}
}
