package notifytest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"onmyway/notify"
)

// parked is a report whose message is not stored.
type parked struct {
	notify.Report
	at time.Time
}

// parkedFor is how long a report waits for its message.
const parkedFor = 24 * time.Hour

// Report implements notify.Reports.
func (s *Store) Report(ctx context.Context, now time.Time, r notify.Report) error {
	leave, err := s.enter(ctx, "Report")
	if err != nil {
		return err
	}
	defer leave()
	if err = r.Check(); err == nil && !clean(r.ProviderID) {
		err = notify.ErrBadRow
	}
	if err != nil {
		return fmt.Errorf("store a report: %w", err)
	}
	m := s.db.messages[r.Message]
	if m == nil {
		s.db.park(r, millis(now))
	} else {
		before := m.State
		m.report(&r, millis(now))
		if m.State != before && s.tell != nil {
			s.tell(&m.Message)
		}
	}
	return s.lose("Report")
}

func (db *database) park(r notify.Report, now time.Time) {
	if !slices.ContainsFunc(db.parked, func(p parked) bool {
		return p.Message == r.Message && p.Attempt == r.Attempt && p.State == r.State
	}) {
		db.parked = append(db.parked, parked{r, now})
	}
}

// unpark applies the reports that came before their message.
func (db *database) unpark(m *message, now time.Time) {
	db.parked = slices.DeleteFunc(db.parked, func(p parked) bool {
		if p.Message == m.ID {
			m.report(&p.Report, now)
		}
		return p.Message == m.ID
	})
}

func (db *database) forgetParked(now time.Time) {
	db.parked = slices.DeleteFunc(db.parked, func(p parked) bool { return now.Sub(p.at) >= parkedFor })
}

func (m *message) report(r *notify.Report, now time.Time) {
	moves, older := r.Moves(&m.Message), r.Attempt < m.Attempt
	step := notify.Step{At: now, State: r.State, Reason: r.Reason, Code: r.Code, Detail: r.Detail}
	if older {
		step.Detail = strings.TrimSuffix("attempt "+strconv.Itoa(r.Attempt)+": "+r.Detail, ": ")
	}
	named := (moves || !older) && m.ProviderID == "" && r.ProviderID != ""
	if named {
		m.ProviderID = r.ProviderID
	}
	if moves || named {
		m.Attempt = max(m.Attempt, r.Attempt)
	}
	switch {
	case moves:
		m.settle(r.State, r.Reason, now)
	case !older || m.noted(step):
		return
	}
	m.history = append(m.history, step)
}

// noted tells whether the history has such a step, at whatever time.
func (m *message) noted(like notify.Step) bool {
	return slices.ContainsFunc(m.history, func(s notify.Step) bool { s.At = like.At; return s == like })
}

// settle moves a message to where the provider says it is, or to where nobody sends it again.
func (m *message) settle(to notify.State, why notify.Reason, now time.Time) {
	open := to == notify.Accepted || to == notify.Sent
	switch {
	case m.Channel != notify.SMS || !open:
		m.lookAt = time.Time{}
	case m.takenAt.IsZero():
		m.lookAt = now.Add(lookSoon)
	}
	if m.takenAt.IsZero() && to.Outranks(notify.Pending) {
		m.takenAt = now
	}
	m.State, m.Reason, m.owner, m.UpdatedAt = to, why, "", now
}

// Doubts implements notify.Unsettled.
func (s *Store) Doubts(ctx context.Context, now, next time.Time, limit int) ([]notify.Doubt, error) {
	leave, err := s.enter(ctx, "Doubts")
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []notify.Doubt
	for _, m := range s.db.toLookAt(now, limit, notify.Verify) {
		m.lookAt = millis(next)
		list = append(list, notify.Doubt{Message: m.Message, Since: m.UpdatedAt})
	}
	slices.SortStableFunc(list, func(a, b notify.Doubt) int { return a.Since.Compare(b.Since) })
	return list, nil
}

// Silent implements notify.Unheard.
func (s *Store) Silent(ctx context.Context, now time.Time, limit int) ([]notify.Message, error) {
	leave, err := s.enter(ctx, "Silent")
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []notify.Message
	for _, m := range s.db.toLookAt(now, limit, notify.Accepted, notify.Sent) {
		if m.lookAt = m.takenAt.Add(lookLate); !m.lookAt.After(millis(now)) {
			m.lookAt = time.Time{}
		}
		if m.ProviderID != "" {
			list = append(list, m.Message)
		}
	}
	return list, nil
}

// Unasked implements notify.Unheard.
func (s *Store) Unasked(ctx context.Context, next time.Time, ms []notify.Message) error {
	leave, err := s.enter(ctx, "Unasked")
	if err != nil {
		return err
	}
	defer leave()
	for i := range ms {
		m := s.db.messages[ms[i].ID]
		if m == nil || m.State != notify.Accepted && m.State != notify.Sent {
			continue
		}
		m.lookAt = millis(next)
		if !m.takenAt.Add(lookLast).After(m.lookAt) {
			m.lookAt = time.Time{}
		}
	}
	return nil
}

// OnReport has f called with every message that a report has moved, as the store over SQL does.
func (s *Store) OnReport(f func(m *notify.Message)) { s.tell = f }

// toLookAt lists messages in some states whose next look is due, the oldest first.
func (db *database) toLookAt(now time.Time, limit int, states ...notify.State) []*message {
	var due []*message
	for _, m := range db.messages {
		if slices.Contains(states, m.State) && !m.lookAt.IsZero() && !m.lookAt.After(millis(now)) {
			due = append(due, m)
		}
	}
	slices.SortFunc(due, func(a, b *message) int { return a.lookAt.Compare(b.lookAt) })
	return due[:min(limit, len(due))]
}

// Taken implements notify.Unsettled.
func (s *Store) Taken(ctx context.Context, providerIDs []string, dst []bool) error {
	leave, err := s.enter(ctx, "Taken")
	if err != nil {
		return err
	}
	defer leave()
	for i, id := range providerIDs {
		dst[i] = s.db.taken(id)
	}
	return nil
}

func (db *database) taken(providerID string) bool {
	for _, m := range db.messages {
		if providerID != "" && m.Channel == notify.SMS && m.ProviderID == providerID {
			return true
		}
	}
	return false
}

// Settle implements notify.Unsettled.
func (s *Store) Settle(ctx context.Context, now time.Time, done []notify.Settlement) error {
	leave, err := s.enter(ctx, "Settle")
	if err != nil {
		return err
	}
	defer leave()
	for i := range done {
		d := &done[i]
		m := s.db.messages[d.Message]
		if m == nil || m.State != notify.Verify || m.Attempt != d.Attempt {
			continue
		}
		if d.ProviderID != "" {
			if s.db.taken(d.ProviderID) || s.db.twinBeingSent(m) {
				continue
			}
			m.ProviderID = d.ProviderID
		}
		step := notify.Step{At: millis(now), State: d.State, Reason: d.Reason, Code: d.Code, Detail: d.Detail}
		if d.State == notify.Pending {
			m.DueAt = millis(d.DueAt)
			if m.stop != "" {
				step.State, step.Reason = notify.Suppressed, m.stop
			}
		}
		m.settle(step.State, step.Reason, millis(now))
		m.history = append(m.history, step)
	}
	return s.lose("Settle")
}

// twinBeingSent tells whether another message with the same words for the same number is being sent.
func (db *database) twinBeingSent(m *message) bool {
	for _, o := range db.messages {
		if o != m && o.Channel == notify.SMS && o.State == notify.Sending && o.Address == m.Address && o.Body == m.Body {
			return true
		}
	}
	return false
}
