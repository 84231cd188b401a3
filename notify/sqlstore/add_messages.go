package sqlstore

import (
	"context"
	"database/sql"

	"onmyway/notify"
)

// thread is what messages have in common that may supersede one another.
type thread struct {
	order    notify.OrderLine
	customer string
	channel  notify.Channel
}

func threadOf(m *notify.Message) thread {
	return thread{notify.OrderLine{OrderID: m.OrderID, Line: m.Line}, m.CustomerID, m.Channel}
}

// messages stores those of new events, after what they supersede has given way. Those of a try whose answer was lost are
// there already, and have superseded what they had to: for them the insert does nothing.
func (a *addition) messages(ctx context.Context, tx *sql.Tx) error {
	if len(a.b.Messages)+len(a.b.Supersede) > 0 {
		if err := a.insertMessages(ctx, tx); err != nil {
			return err
		}
	}
	return a.releaseForgotten(ctx, tx)
}

func (a *addition) insertMessages(ctx context.Context, tx *sql.Tx) error {
	inserted, wanted := map[notify.ID]bool{}, map[notify.ID]bool{}
	for i, e := range a.b.Events {
		inserted[e.ID] = inserted[e.ID] || a.inserted[i]
		wanted[e.ID] = wanted[e.ID] || a.inserted[i] || a.ours[i]
	}
	gone, older := a.supersededBy(inserted)
	if _, err := a.s.run(ctx, tx, supersede, older, nil); err != nil {
		return err
	}
	a.replaced = gone
	replaced := make(map[int]bool, len(gone))
	for _, i := range gone {
		replaced[i] = true
	}
	rows := make(cells, 0, len(a.b.Messages)*len(messageColumns))
	for i, m := range a.b.Messages {
		if !wanted[m.EventID] {
			continue
		}
		owner := ""
		if replaced[i] && m.State == notify.Pending {
			m.State, m.Reason, m.UpdatedAt = notify.Suppressed, notify.Superseded, a.b.Now
		} else if m.Leaves(a.b.Now) {
			owner = a.s.me // it goes from memory to the dispatcher
		}
		var err error
		if rows, err = appendMessage(rows, &m, owner, asked{}); err != nil {
			return err
		}
	}
	if _, err := a.s.run(ctx, tx, insertMessages, rows, nil); err != nil {
		return err
	}
	return a.unclear(ctx, tx, wanted, replaced)
}

// unclear lets the provider be asked about messages that are unclear from the start, and keeps those back for good that a
// later one of the batch supersedes.
func (a *addition) unclear(ctx context.Context, tx *sql.Tx, wanted map[notify.ID]bool, replaced map[int]bool) error {
	var asked, stopped []notify.ID
	for i := range a.b.Messages {
		m := &a.b.Messages[i]
		if m.State != notify.Verify || !wanted[m.EventID] {
			continue
		}
		asked = append(asked, m.ID)
		if replaced[i] {
			stopped = append(stopped, m.ID)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	d := a.s.dialect
	_, err := tx.ExecContext(ctx, `UPDATE messages SET look_at = $1 WHERE id`+d.inIDs(2)+` AND state = 'verify' AND look_at = 0`,
		millis(a.b.Now), d.ids(asked))
	if err != nil || len(stopped) == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE messages SET stop = 'superseded' WHERE id`+d.inIDs(1)+` AND stop = ''`, d.ids(stopped))
	return err
}

// supersededBy tells which messages of the batch give way to a later event of the batch, and gives the rows that do the
// same to what is in SQL, which is all older.
func (a *addition) supersededBy(inserted map[notify.ID]bool) (gone []int, older cells) {
	if len(a.b.Supersede) == 0 {
		return nil, nil
	}
	place := make(map[notify.ID]int, len(a.b.Events))
	for i := len(a.b.Events) - 1; i >= 0; i-- {
		place[a.b.Events[i].ID] = i
	}
	asked := map[notify.Supersede]bool{} // of SQL, whatever event it is for
	waiting := map[thread][]int{}        // messages of the batch that are still pending
	for i := range a.b.Messages {
		if m := &a.b.Messages[i]; (m.State == notify.Pending || m.State == notify.Verify) && inserted[m.EventID] {
			t := threadOf(m)
			waiting[t] = append(waiting[t], i)
		}
	}
	for _, r := range a.b.Supersede {
		if !inserted[r.Keep] {
			continue
		}
		t := thread{notify.OrderLine{OrderID: r.OrderID, Line: r.Line}, r.CustomerID, r.Channel}
		rule := r
		if rule.Keep = (notify.ID{}); !asked[rule] { // a storm about one order asks for the same a thousand times
			asked[rule] = true
			older = append(older, r.OrderID, string(r.Line), r.CustomerID, string(r.Channel), r.Standing, millis(a.b.Now))
		}
		var stay []int
		for _, i := range waiting[t] {
			m := &a.b.Messages[i]
			if place[m.EventID] >= place[r.Keep] || m.Standing && !r.Standing {
				stay = append(stay, i)
			} else {
				gone = append(gone, i)
			}
		}
		waiting[t] = stay
	}
	return gone, older
}

// releaseForgotten makes nobody's what a try with a lost answer stored and this one has not decided again, or decided to let
// wait: nobody would send it.
func (a *addition) releaseForgotten(ctx context.Context, tx *sql.Tx) error {
	var events []notify.ID
	for i, ours := range a.ours {
		if ours {
			events = append(events, a.b.Events[i].ID)
		}
	}
	if len(events) == 0 {
		return nil
	}
	again := make([]notify.ID, 0, len(a.b.Messages))
	for i := range a.b.Messages {
		if m := &a.b.Messages[i]; m.Leaves(a.b.Now) {
			again = append(again, m.ID)
		}
	}
	d := a.s.dialect
	_, err := tx.ExecContext(ctx, `UPDATE messages SET owner = NULL WHERE owner = $1 AND `+inFlight+`
		AND state = 'pending' AND event_id`+d.inIDs(2)+` AND NOT (id`+d.inIDs(3)+`)`, a.s.me, d.ids(events), d.ids(again))
	return err
}
