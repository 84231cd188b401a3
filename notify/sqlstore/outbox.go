package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"onmyway/notify"
)

// Claim implements notify.Outbox.
func (s *Store) Claim(ctx context.Context, now time.Time, ch notify.Channel, limit int) ([]notify.Message, error) {
	if err := s.unclaim(ctx); err != nil {
		return nil, err
	}
	var claimed []notify.Message
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		const expire = `UPDATE messages SET state = 'suppressed', reason = 'expired', updated_at = $1
			WHERE channel = $2 AND state = 'pending' AND owner IS NULL AND due_at <= $1 AND expires_at <= $1`
		if _, err := tx.ExecContext(ctx, expire, millis(now), string(ch)); err != nil {
			return err
		}
		for full := true; full && len(claimed) < limit; {
			asked := limit - len(claimed)
			ms, met, err := s.claim(ctx, tx, now, ch, asked)
			if err != nil {
				return err
			}
			claimed, full = append(claimed, ms...), met == asked
		}
		return nil
	})
	if err != nil {
		if isUnclear(err) {
			s.unsure.mayHaveClaimed(idsOf(claimed))
		}
		return nil, fmt.Errorf("claim messages of %s: %w", ch, err)
	}
	slices.SortFunc(claimed, func(a, b notify.Message) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return claimed, nil
}

// claim takes the next messages that are due: met is how many there were. Those that would overtake an earlier one are left
// for a while, so that nobody meets them again and again.
func (s *Store) claim(ctx context.Context, tx *sql.Tx, now time.Time, ch notify.Channel, limit int) (ms []notify.Message, met int, err error) {
	rows, err := tx.QueryContext(ctx, claimQuery(s.dialect), string(ch), millis(now), limit, s.me, millis(now.Add(deferred)))
	if err != nil {
		return nil, 0, err
	}
	_, err = drain(rows, func(scan func(...any) error) error {
		var m notify.Message
		var held bool
		err := scan(append([]any{&held}, messageFields(&m)...)...)
		if met++; !held {
			ms = append(ms, m)
		}
		return err
	})
	return ms, met, err
}

// claimQuery says MATERIALIZED because PostgreSQL may otherwise run the inner query more than once and claim more than the
// limit.
func claimQuery(d dialect) string {
	return `WITH next AS MATERIALIZED (SELECT id AS next_id, ` + behind(d) + ` AS held FROM messages
			WHERE channel = $1 AND state = 'pending' AND owner IS NULL AND due_at <= $2 AND expires_at > $2
			ORDER BY due_at LIMIT $3` + d.skipLocked() + `)
		UPDATE messages SET owner = CASE WHEN held THEN NULL ELSE $4 END, due_at = CASE WHEN held THEN $5 ELSE due_at END,
			updated_at = CASE WHEN held THEN updated_at ELSE $2 END
		FROM next WHERE id = next_id AND state = 'pending' AND owner IS NULL
		RETURNING owner IS NULL, ` + messageList
}

func idsOf(ms []notify.Message) []notify.ID {
	ids := make([]notify.ID, len(ms))
	for i := range ms {
		ids[i] = ms[i].ID
	}
	return ids
}

// unclaim gives back what a Claim with a lost answer may have made ours.
func (s *Store) unclaim(ctx context.Context) error {
	ids := s.unsure.takeClaimed()
	if err := s.release(ctx, ids); err != nil {
		s.unsure.mayHaveClaimed(ids)
		return fmt.Errorf("release what an unclear claim took: %w", err)
	}
	return nil
}

// Reclaim implements notify.Outbox.
func (s *Store) Reclaim(ctx context.Context, now time.Time) (n int, err error) {
	n, err = s.reclaimUnsure(ctx, now)
	if err != nil {
		return n, fmt.Errorf("release what an unclear commit left: %w", err)
	}
	owners, err := s.owners(ctx)
	if err != nil {
		return n, fmt.Errorf("list owners: %w", err)
	}
	for _, owner := range owners {
		took, dead, err := s.bury(ctx, now, owner)
		n += took
		if err != nil {
			return n, fmt.Errorf("take over from a process that died: %w", err)
		}
		if dead && s.Died != nil {
			s.Died(owner)
		}
	}
	forgotten, err := s.watch(ctx, now)
	if err != nil {
		return n, fmt.Errorf("look for messages that this process forgot: %w", err)
	}
	if err := s.forgetParked(ctx, now); err != nil {
		return n, fmt.Errorf("forget reports without a message: %w", err)
	}
	return n + forgotten, nil
}

// owners lists the other processes: those that registered, and any that messages name although nobody registered it.
func (s *Store) owners(ctx context.Context) ([]string, error) {
	var names []string
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM owners WHERE id <> $1`, s.me)
	if err != nil {
		return nil, err
	}
	if _, err := drain(rows, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}); err != nil {
		return nil, err
	}
	// One step of the index per owner, however many messages each has.
	for last := ""; ; {
		var next sql.NullString
		const q = `SELECT min(owner) FROM messages WHERE ` + inFlight + ` AND owner > $1`
		if err := s.read.QueryRowContext(ctx, q, last).Scan(&next); err != nil {
			return nil, err
		}
		if !next.Valid {
			break
		}
		last = next.String
		if last != s.me && last != heldBy {
			names = append(names, last)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// bury takes what a process has left, if its lock is free.
func (s *Store) bury(ctx context.Context, now time.Time, owner string) (n int, dead bool, err error) {
	done := func() {}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if dead, done, err = s.lock.dead(ctx, tx, owner); err != nil || !dead {
			return err
		}
		if n, err = abandon(ctx, tx, now, owner); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM owners WHERE id = $1`, owner)
		return err
	})
	done()
	if err != nil {
		return 0, false, err
	}
	return n, dead, nil
}

// inFlight is the condition of messages that somebody may have in memory.
const inFlight = `state IN ('pending', 'sending')`

// abandon makes an owner's messages nobody's. A text message that was being sent may have left: it is verified first.
func abandon(ctx context.Context, tx *sql.Tx, now time.Time, owner string) (int, error) {
	return takeAway(ctx, tx, now, notify.OwnerDied, `owner = $1 AND `+inFlight, owner)
}

// takeAway makes messages nobody's that their owner will not send any more, for a reason. Where is a condition of args. When
// they began is in updated_at: it goes into their history, because no attempt tells.
func takeAway(ctx context.Context, tx *sql.Tx, now time.Time, why notify.Reason, where string, args ...any) (int, error) {
	unclear, err := step{At: millis(now), State: notify.Verify, Reason: why}.json()
	if err != nil {
		return 0, err
	}
	const text = `state = 'sending' AND channel = 'sms'`
	arg := func(n int) string { return "$" + strconv.Itoa(len(args)+n) }
	steps := `'{"at":' || updated_at || ',"state":"sending"},' || CAST(` + arg(3) + ` AS TEXT)`
	result, err := tx.ExecContext(ctx, `UPDATE messages SET owner = NULL,
		updated_at = CASE WHEN state = 'sending' THEN `+arg(1)+` ELSE updated_at END,
		look_at = CASE WHEN `+text+` THEN `+arg(1)+` ELSE look_at END,
		state = CASE WHEN state = 'pending' THEN state WHEN channel = 'sms' THEN 'verify'
			WHEN stop <> '' THEN 'suppressed' ELSE 'pending' END,
		reason = CASE WHEN state = 'pending' THEN reason WHEN channel = 'sms' THEN `+arg(2)+`
			WHEN stop <> '' THEN stop ELSE reason END,
		history = CASE WHEN NOT (`+text+`) THEN history WHEN history IS NULL THEN '[' || `+steps+` || ']'
			ELSE substr(history, 1, length(history) - 1) || ',' || `+steps+` || ']' END
		WHERE `+where, append(args, millis(now), string(why), unclear)...)
	if err != nil {
		return 0, err
	}
	return affected(result)
}

func affected(results ...sql.Result) (int, error) {
	var sum int64
	for _, r := range results {
		n, err := r.RowsAffected()
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return int(sum), nil
}

// reclaimUnsure makes nobody's what this process itself may have written and never saw. Messages that may have begun were
// not sent: their Begin returned an error.
func (s *Store) reclaimUnsure(ctx context.Context, now time.Time) (n int, err error) {
	events, begun := s.unsure.takeOld(now)
	if len(events)+len(begun) == 0 {
		return 0, nil
	}
	d := s.dialect
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		pending, err := tx.ExecContext(ctx, `UPDATE messages SET owner = NULL
			WHERE owner = $1 AND `+inFlight+` AND state = 'pending' AND event_id`+d.inIDs(2), s.me, d.ids(events))
		if err != nil {
			return err
		}
		sending, err := tx.ExecContext(ctx, `UPDATE messages SET owner = NULL,
			state = CASE WHEN stop <> '' THEN 'suppressed' ELSE 'pending' END,
			reason = CASE WHEN stop <> '' THEN stop ELSE reason END,
			attempt = CASE WHEN state = 'sending' THEN attempt - 1 ELSE attempt END
			WHERE owner = $1 AND state IN ('pending', 'sending') AND id`+d.inIDs(2), s.me, d.ids(begun))
		if err != nil {
			return err
		}
		n, err = affected(pending, sending)
		return err
	})
	if err != nil {
		s.unsure.putBack(now, events, begun)
		return 0, err
	}
	return n, nil
}
