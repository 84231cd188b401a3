package sqlstore

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"onmyway/notify"
)

const (
	forgottenEvery = 30 * time.Second // how often a process looks for what it forgot
	// sendsIn is how long a text may be on its way to the provider: a request ends after 15 seconds.
	sendsIn = 2 * time.Minute
	// waitsIn is how long a message that is due may wait in memory.
	waitsIn = 10 * time.Minute
)

// forgotten is the condition of what an owner has had for longer than it ever should.
const forgotten = `owner = $1 AND ` + inFlight + ` AND
	(state = 'sending' AND updated_at <= $2 OR state = 'pending' AND updated_at <= $3 AND due_at <= $3)`

// watched is when this process last looked for what it forgot.
type watched struct {
	mu sync.Mutex
	at time.Time
}

// due tells whether it is time to look again, and then takes it as done.
func (w *watched) due(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if since := now.Sub(w.at); since >= 0 && since < forgottenEvery {
		return false
	}
	w.at = now
	return true
}

// watch takes from this process what it has forgotten although it lives. It takes only its own: a peer may be paused, and
// would send what was given away in the end. Who runs this is not paused.
//
// It is safe without asking the dispatchers. A text that is sent all the same ends within its timeout, long before the
// provider's "none" is believed; and a message that is still in memory begins only if it is ours.
func (s *Store) watch(ctx context.Context, now time.Time) (n int, err error) {
	if !s.watched.due(now) {
		return 0, nil
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		n, err = takeAway(ctx, tx, now, notify.UnclearEnd, forgotten, s.me, millis(now.Add(-sendsIn)), millis(now.Add(-waitsIn)))
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
