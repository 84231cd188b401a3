package notifytest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"onmyway/notify"
)

// Stop implements notify.OptOuts.
func (s *Store) Stop(ctx context.Context, now time.Time, in notify.Inbound) (changed bool, locales []string, err error) {
	leave, err := s.enter(ctx, "Stop")
	if err != nil {
		return false, nil, err
	}
	defer leave()
	fresh, err := s.db.first(in)
	if err == nil && fresh {
		changed, err = s.db.stop(notify.Act{At: now, By: notify.ByRecipient}, in.From, notify.StoppedByReply, "")
	}
	if err == nil {
		err = s.lose("Stop")
	}
	if err != nil {
		return false, nil, err
	}
	return changed, s.db.localesOf(in.From), nil
}

// Start implements notify.OptOuts.
func (s *Store) Start(ctx context.Context, now time.Time, in notify.Inbound) (changed bool, locales []string, err error) {
	leave, err := s.enter(ctx, "Start")
	if err != nil {
		return false, nil, err
	}
	defer leave()
	fresh, err := s.db.first(in)
	if err == nil && fresh {
		changed, err = s.db.start(notify.Act{At: now, By: notify.ByRecipient}, in.From, "", notify.StoppedByReply, notify.StoppedByProvider)
	}
	if err == nil {
		err = s.lose("Start")
	}
	if err != nil {
		return false, nil, err
	}
	return changed && len(s.db.stopped[in.From]) == 0, s.db.localesOf(in.From), nil
}

// StopNumber makes a number get no texts, because staff say so. It returns the stop of staff that holds.
func (s *Store) StopNumber(ctx context.Context, act notify.Act, phone, why string) (notify.StoppedNumber, error) {
	leave, err := s.enter(ctx, "StopNumber")
	if err != nil {
		return notify.StoppedNumber{}, err
	}
	defer leave()
	_, err = s.db.stop(act, phone, notify.StoppedByStaff, why)
	return s.db.stopped[phone][notify.StoppedByStaff].StoppedNumber, err
}

// AllowNumber lifts what StopNumber did. Errors: notify.ErrNotStaffs, notify.ErrNotFound.
func (s *Store) AllowNumber(ctx context.Context, act notify.Act, phone, why string) error {
	leave, err := s.enter(ctx, "AllowNumber")
	if err != nil {
		return err
	}
	defer leave()
	lifted, err := s.db.start(act, phone, why, notify.StoppedByStaff)
	switch {
	case err != nil || lifted || s.db.liftedLately(act.At, phone):
		return err
	case len(s.db.stopped[phone]) > 0:
		return fmt.Errorf("allow a number: %w", notify.ErrNotStaffs)
	}
	return fmt.Errorf("allow a number: %w", notify.ErrNotFound)
}

// liftedLately tells whether staff have lifted their stop of a number lately, and nobody has stopped it since.
func (db *database) liftedLately(now time.Time, phone string) bool {
	other, _ := db.stoppedNumber(phone)
	return slices.ContainsFunc(db.lifted, func(n notify.NumberStop) bool {
		return n.Phone == phone && n.Source == notify.StoppedByStaff && now.Sub(n.Lifted.At) < notify.LiftedLately && !other.Since.After(n.Lifted.At)
	})
}

// StoppedNumber tells why a number gets no texts, and whether it is so.
func (s *Store) StoppedNumber(ctx context.Context, phone string) (notify.StoppedNumber, bool, error) {
	leave, err := s.enter(ctx, "StoppedNumber")
	if err != nil {
		return notify.StoppedNumber{}, false, err
	}
	defer leave()
	n, stopped := s.db.stoppedNumber(phone)
	return n, stopped, nil
}

func (db *database) stoppedNumber(phone string) (n notify.StoppedNumber, stopped bool) {
	for _, source := range notify.StopSources {
		if n, stopped := db.stopped[phone][source]; stopped {
			return n.StoppedNumber, true
		}
	}
	return n, false
}

// Stops lists the stops that hold, the newest first; of one number, also those that were lifted.
func (s *Store) Stops(ctx context.Context, phone string, before int64, limit int) ([]notify.NumberStop, error) {
	leave, err := s.enter(ctx, "Stops")
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []notify.NumberStop
	for _, sources := range s.db.stopped {
		list = slices.AppendSeq(list, maps.Values(sources))
	}
	if phone != "" {
		list = append(list, s.db.lifted...)
	}
	list = slices.DeleteFunc(list, func(n notify.NumberStop) bool {
		return phone != "" && n.Phone != phone || before > 0 && n.No >= before
	})
	slices.SortFunc(list, func(a, b notify.NumberStop) int { return cmp.Compare(b.No, a.No) })
	return list[:min(limit, len(list))], nil
}

// first notes a text that is acted on. It tells whether it is the first time.
func (db *database) first(in notify.Inbound) (bool, error) {
	if in.From == "" || !clean(in.From, in.ProviderID) {
		return false, fmt.Errorf("a text to us: %w", notify.ErrBadRow)
	}
	seen := db.texts[in.ProviderID]
	if in.ProviderID != "" {
		db.texts[in.ProviderID] = true
	}
	return !seen, nil
}

// stop adds that a source wants no texts to a number, and tells whether that is news. What waits is suppressed, and what
// is on its way does not come back.
func (db *database) stop(act notify.Act, phone string, source notify.StopSource, why string) (news bool, err error) {
	if phone == "" || !clean(phone, act.By, why) {
		return false, fmt.Errorf("stop a number: %w", notify.ErrBadRow)
	}
	if _, known := db.stopped[phone][source]; !known {
		row := deed{notify.DidStop, notify.NumberObject(phone), map[string]any{"source": source}}
		if err := db.record(act, row); err != nil {
			return false, err
		}
		if db.stopped[phone] == nil {
			db.stopped[phone] = map[notify.StopSource]notify.NumberStop{}
		}
		db.stops++
		db.stopped[phone][source] = notify.NumberStop{No: db.stops, Phone: phone, StoppedNumber: notify.StoppedNumber{
			Source: source, Since: millis(act.At), By: act.By, Why: why,
		}}
		news = true
	}
	for _, m := range db.messages {
		if m.Channel != notify.SMS || m.Address != phone {
			continue
		}
		switch m.State {
		case notify.Pending:
			m.suppress(notify.Stopped, act.At)
			m.history = append(m.history, notify.Step{At: millis(act.At), State: notify.Suppressed, Reason: notify.Stopped})
		case notify.Sending, notify.Verify:
			m.stop = notify.Stopped
		}
	}
	return news, nil
}

// start takes back what sources have said of a number. It tells whether they had said anything.
func (db *database) start(act notify.Act, phone, why string, sources ...notify.StopSource) (bool, error) {
	if !clean(phone, why) {
		return false, fmt.Errorf("start a number: %w", notify.ErrBadRow)
	}
	var lifted []notify.StopSource
	for _, source := range sources {
		if _, stopped := db.stopped[phone][source]; stopped {
			lifted = append(lifted, source)
		}
	}
	if len(lifted) == 0 {
		return false, nil
	}
	row := deed{notify.DidStart, notify.NumberObject(phone), map[string]any{"sources": lifted}}
	if err := db.record(act, row); err != nil {
		return false, err
	}
	for _, source := range lifted {
		was := db.stopped[phone][source]
		was.Lifted = notify.Lift{At: millis(act.At), By: act.By, Why: why}
		db.lifted = append(db.lifted, was)
		delete(db.stopped[phone], source)
	}
	return true, nil
}

func (db *database) localesOf(phone string) []string {
	locales := map[string]bool{}
	for _, c := range db.customers {
		if c.Phone == phone && phone != "" {
			locales[c.Locale] = true
		}
	}
	return slices.SortedFunc(maps.Keys(locales), cmp.Compare[string])
}
